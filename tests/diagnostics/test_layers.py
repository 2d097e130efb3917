"""Each measure is what its name says, computed another way."""

import numpy as np
import pytest
from tests.narrowing import of_type

from micrograde.diagnostics.layers import Diagnostics, saturated_share
from micrograde.nn import ACTIVATIONS, MLP, make_activation, one_hot
from micrograde.training import EpochRecord, GradientNorms, Samples, StackOptimizer, Training, TrainingPlan
from micrograde.training.optimizers.sgd import SGD


def samples(rows):
    random = np.random.default_rng(3)
    labels = random.integers(0, 3, rows)
    return Samples(random.normal(size=(rows, 4)) + labels[:, None], one_hot(labels, 3), labels)


def network(activation="tanh", batch_norm=True):
    generators = [np.random.default_rng(seed) for seed in (0, 1)]
    return MLP(4, (6, 5), 3, activation=activation, batch_norm=batch_norm, generators=generators)


def train(model, *, epochs=1, diagnostics=True, learning_rate=0.1):
    """Whole batches, so that each epoch is one step; the records."""
    optimizer = StackOptimizer([SGD()] * 2, model.parameters, model.gradients)
    plan = TrainingPlan(epochs, 20, lambda steps: np.full((len(steps), 2), learning_rate))
    shuffling = [np.random.default_rng(seed) for seed in (0, 1)]
    callbacks = [GradientNorms(), *([Diagnostics(model)] if diagnostics else [])]
    stack = Training(model, optimizer, plan, samples(20), None, shuffling, callbacks=callbacks)
    *records, _, _ = stack.run()
    return records


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_measures_are_what_they_are_called(activation):
    data, trained = samples(20), network(activation)
    metrics = train(trained)[-1].metrics
    fresh = network(activation)
    before = fresh.state()
    fresh.forward(np.stack([data.features] * 2), np.stack([data.targets] * 2))
    fresh.backward()
    after = trained.state()
    outputs = {"layer1": fresh.activation1.output, "layer2": fresh.activation2.output, "layer3": fresh.logits}
    for layer, output in outputs.items():
        # The rows come in another order, so sums are equal but for rounding.
        np.testing.assert_allclose(metrics[f"activation/{layer}.mean"], output.mean((1, 2)), atol=1e-12)
        np.testing.assert_allclose(metrics[f"activation/{layer}.std"], output.std((1, 2)), rtol=1e-9)
        gradient = fresh.layout.views(fresh.gradients)[f"{layer}.weights"]
        np.testing.assert_allclose(metrics[f"gradient/{layer}.mean"], gradient.mean((1, 2)), atol=1e-12)
        np.testing.assert_allclose(metrics[f"gradient/{layer}.std"], gradient.std((1, 2)), rtol=1e-9)
        weights = f"{layer}.weights"
        update = np.linalg.norm((after[weights] - before[weights]).reshape(2, -1), axis=1)
        size = np.linalg.norm(before[weights].reshape(2, -1), axis=1)
        np.testing.assert_allclose(metrics[f"update_ratio/{layer}"], np.log10(update / size), rtol=1e-9)
    for name in ("batchnorm1", "batchnorm2", "batchnorm3"):
        for statistic in ("running_mean", "running_var"):
            expected = after[f"{name}.{statistic}"].mean(-1)
            np.testing.assert_allclose(metrics[f"batch_norm/{name}.{statistic}"], expected, rtol=1e-12)
    assert metrics["train/learning_rate"].tolist() == [0.1, 0.1]
    assert {"activation/layer1.saturated", "activation/layer2.saturated"} <= metrics.keys()
    assert "activation/layer3.saturated" not in metrics  # logits are no activation


def test_saturated_are_outputs_near_the_ends_and_units_that_are_dead():
    outputs = np.array([[[0.98, 0.5], [-0.975, 0.0]], [[0.0, 0.1], [0.2, 0.3]]])  # (2, 2, 2)
    assert saturated_share(outputs, make_activation("tanh")).tolist() == [0.5, 0.0]
    assert saturated_share((outputs + 1) / 2, make_activation("sigmoid")).tolist() == [0.5, 0.0]
    assert saturated_share(np.array([[[0.0, 1.0], [0.0, 0.0]]]), make_activation("relu")).tolist() == [0.5]


def test_without_batch_norm_there_are_no_running_statistics():
    metrics = train(network(batch_norm=False))[-1].metrics
    assert not [name for name in metrics if "batchnorm" in name]
    assert "activation/layer3.std" in metrics


@pytest.mark.parametrize("name", [name for name, entry in ACTIVATIONS.items() if entry.saturation == "none"])
def test_an_activation_without_a_flat_part_has_no_measure_of_saturation(name):
    metrics = train(network(name))[-1].metrics
    assert not [metric for metric in metrics if metric.endswith(".saturated")]
    assert "activation/layer1.mean" in metrics


def test_weights_that_are_not_moved_have_no_ratio():
    metrics = train(network(), learning_rate=0.0)[-1].metrics
    assert np.isnan(metrics["update_ratio/layer1"]).all()


def test_they_change_nothing_and_can_be_left_out():
    with_them, without = network(), network()
    first = [record.metrics for record in train(with_them, epochs=4)]
    second = [record.metrics for record in train(without, epochs=4, diagnostics=False)]
    assert with_them.parameters.tobytes() == without.parameters.tobytes()
    assert "gradient_norm/total" in second[-1]
    for metrics, fewer in zip(first, second, strict=True):
        assert fewer.keys() < metrics.keys()
        assert all(np.array_equal(metrics[name], fewer[name]) for name in fewer)


@pytest.mark.parametrize("whole", [True, False])
def test_a_last_batch_of_two_rows_is_not_measured(whole):
    measured = {}
    for drop_last in (True, False):
        model = network()
        optimizer = StackOptimizer([SGD()] * 2, model.parameters, model.gradients)
        plan = TrainingPlan(
            1,
            10,
            lambda steps: np.full((len(steps), 2), 0.1),
            drop_last=drop_last,
            measures_whole_batches=whole,
        )
        shuffling = [np.random.default_rng(seed) for seed in (0, 1)]
        callbacks = [GradientNorms(), Diagnostics(model)]
        stack = Training(model, optimizer, plan, samples(22), None, shuffling, callbacks=callbacks)
        measured[drop_last] = of_type(EpochRecord, next(stack.run())).metrics
    without, with_it = measured[True], measured[False]
    of_layers = [name for name in without if name.startswith("update_ratio/")]
    same = [np.array_equal(without[name], with_it[name]) for name in of_layers]
    assert all(same) if whole else not any(same)
