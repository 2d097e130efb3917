"""The evidence: that it is there where gradients are right, and that it finds those that are not."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from micrograde import Variable, check_gradients
from micrograde.gradcheck import GradientMismatch, check_network, require_agreement
from micrograde.gradcheck.comparison import trace_first_sample, trace_replica
from micrograde.nn import ACTIVATIONS, LOSSES, MLP, ActivationLayer, BatchNormalization, LinearLayer, one_hot
from micrograde.training import StackOptimizer
from micrograde.training.optimizers.sgd import SGD

networks = st.fixed_dictionaries(
    {
        "input_size": st.integers(1, 8),
        "hidden_size": st.lists(st.integers(1, 8), max_size=3),
        "output_size": st.integers(2, 6),
        "activation": st.sampled_from(sorted(ACTIVATIONS)),
        "batch_norm": st.booleans(),
        "output_batch_norm": st.booleans(),
        "loss": st.sampled_from(sorted(LOSSES)),
    }
)


def stack(network, dtype="float64"):
    return MLP(
        **network,
        initializer="xavier",
        generators=[np.random.default_rng(seed) for seed in (1, 2)],
        dtype=dtype,
        loss_epsilon=0.0,
    )


def batch(network, rows, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, network["output_size"], rows)
    return random.standard_normal((rows, network["input_size"])), one_hot(labels, network["output_size"])


@settings(max_examples=60)
@given(networks, st.integers(3, 20), st.integers(0, 99), st.sampled_from([0, 300]))
def test_manual_equals_autograd_also_after_hundreds_of_steps(network, rows, seed, steps):
    model = stack(network)
    x, targets = batch(network, rows, seed)
    optimizer = StackOptimizer([SGD(momentum=0.9)] * 2, model.parameters, model.gradients)
    for _ in range(steps):
        model.forward(x, targets)
        model.backward()
        optimizer.step(np.array([0.01, 0.01]))
    before = model.parameters.copy()
    model.forward(x, targets)
    # A feature that hardly varies is divided by its small deviation, and rounding grows with it, layer by layer.
    norms = [layer for layer in model.layers.values() if isinstance(layer, BatchNormalization)]
    assume(np.prod([layer.var[1].min() ** -0.5 for layer in norms]) < 1e3)
    evidence = check_network(model, 1, x, targets)
    # Where a network fits its few rows the gradient is a difference of equals: rounding, and no more.
    assume(max(each.norm for each in evidence.parameters) > 1e-2)
    assert evidence.max_relative_error < 1e-12
    assert [each.name for each in evidence.parameters] == [*model.layout.names, "input"]
    np.testing.assert_array_equal(model.parameters, before)


NETWORK = {"input_size": 4, "hidden_size": [5], "output_size": 3, "activation": "tanh", "batch_norm": True}


@pytest.mark.parametrize(
    ("layer", "method", "wrong"),
    [
        (LinearLayer, "backward_parameters", lambda self, _: self.grad_weights.fill(0.0)),
        (
            ActivationLayer,
            "backward",
            lambda self, g: g * (1 - self.output),
        ),
    ],
)
def test_a_wrong_gradient_is_found_and_named(monkeypatch, layer, method, wrong):
    require_agreement(check_network(stack(NETWORK), 0, *batch(NETWORK, 8)))
    monkeypatch.setattr(layer, method, wrong)
    with pytest.raises(
        GradientMismatch, match=r"hand-written gradient of \w+\.?\w* differs from autograd's by"
    ):
        require_agreement(check_network(stack(NETWORK), 0, *batch(NETWORK, 8)))


def test_a_tiny_error_in_one_entry_is_found(monkeypatch):
    honest = LinearLayer.backward_parameters

    def slightly_wrong(self, g):
        honest(self, g)
        self.grad_weights[..., 0, 0] *= 1 + 1e-7

    monkeypatch.setattr(LinearLayer, "backward_parameters", slightly_wrong)
    with pytest.raises(GradientMismatch, match="layer"):
        require_agreement(check_network(stack(NETWORK), 0, *batch(NETWORK, 8)))


def test_what_cannot_be_compared_is_no_evidence():
    model = stack(NETWORK)
    model.parameters[0, 0] = np.nan
    with np.errstate(all="ignore"), pytest.raises(GradientMismatch):
        require_agreement(check_network(model, 0, *batch(NETWORK, 8)))


def test_the_traces_say_what_the_network_says():
    model = stack(NETWORK)
    x, targets = batch(NETWORK, 8)
    losses = model.forward(x, targets)
    trace = trace_replica(model, 1, x, targets)
    assert trace.loss.value == pytest.approx(losses[1], rel=1e-13)
    assert list(trace.outputs) == list(model.layers)
    np.testing.assert_allclose(trace.outputs["batchnorm2"].value, model.logits[1], rtol=1e-12)

    sample = trace_first_sample(model, 1, x, targets)
    expected = model.loss.evaluate(model.predict_logits(x[:1]), targets[:1])[1]
    assert sample.loss.value == pytest.approx(expected, rel=1e-12)
    assert len(sample.parameters) == model.layout.size
    sample.loss.backward()
    assert all(isinstance(each.grad, float) for each in sample.parameters.values())


def test_a_run_with_a_wrong_gradient_fails_before_its_first_step(monkeypatch, tmp_path):
    from micrograde.config.parsing import parse_train_config
    from micrograde.runs.train import train_and_record

    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setattr(LinearLayer, "backward_parameters", lambda self, _: self.grad_biases.fill(1.0))
    groups = {"data": "digits", "optimizer": "sgd", "schedule": "constant", "tracking": "disabled"}
    container = {**{group: {"name": name} for group, name in groups.items()}, "model": {}, "training": {}}
    (result,) = train_and_record([parse_train_config(container)])
    assert result.status == "FAILED"
    assert "differs from autograd's" in str(result.reason)
    assert result.history == {}


def test_users_functions_are_checked_entry_by_entry():
    check_gradients(lambda a, b: (a @ b).tanh().sum(axis=0), np.ones((2, 3)) / 3, np.eye(3, 2))
    check_gradients(lambda a: a * a, 3.0)

    def wrong(a, b):
        forgets = Variable(b.value, requires_grad=False)
        return a * forgets + b

    message = (
        r"gradient of output\[1\] with respect to input 1\[1\] is 1.0 by autograd and 2.99\d* by central"
    )
    with pytest.raises(GradientMismatch, match=message):
        check_gradients(wrong, np.array([0.0, 2.0]), np.array([1.0, 1.0]))
