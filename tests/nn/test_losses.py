"""A loss is one file and its equation: another than cross-entropy trains, and all that is said of it holds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

from micrograde.core.errors import InputError
from micrograde.gradcheck import check_network, require_agreement
from micrograde.gradcheck.comparison import trace_first_sample
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS, LossEquation
from micrograde.nn import LOSSES, MLP, Loss, one_hot, softmax
from micrograde.training import Departure, EpochRecord, Samples, StackOptimizer, Training, TrainingPlan
from micrograde.training.optimizers.sgd import SGD


@dataclass(frozen=True, kw_only=True)
class Brier(Loss):
    """The squared distance of the probabilities from one-hot targets (Brier 1950)."""

    name: Literal["brier"] = "brier"

    def value(self, logits, targets):
        return np.square(softmax(logits) - targets).sum(axis=-1)

    def gradient(self, logits, targets):
        shares = softmax(logits)
        g = 2 * (shares - targets)
        return shares * (g - (g * shares).sum(axis=-1, keepdims=True))


class BrierEquation(LossEquation):
    def batch(self, logits, targets, **_):
        return ((logits.softmax(axis=1) - targets) ** 2).sum() / len(targets)

    def sample(self, logits, targets, **_):
        powers = [value.exp() for value in logits]
        total = sum(powers[1:], powers[0])
        first, *others = ((power / total - each) ** 2 for power, each in zip(powers, targets, strict=True))
        return sum(others, first)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(LOSSES._entries, "brier", Brier)
    monkeypatch.setitem(LOSS_EQUATIONS._entries, "brier", BrierEquation())


def data(dtype):
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 40)
    features = (3 * np.eye(3, 4)[labels] + random.standard_normal((40, 4))).astype(dtype)
    return Samples(features, one_hot(labels, 3, dtype), labels)


def trained(seeds, dtype, epochs=8):
    """The losses of each epoch, (E, R), and the network of each seed at the end."""
    samples = data(dtype)
    streams = [np.random.default_rng(seed) for seed in seeds]
    model = MLP(4, [6], 3, initializer="xavier", generators=streams, dtype=dtype, loss="brier")
    optimizer = StackOptimizer([SGD(momentum=0.9)] * len(seeds), model.parameters, model.gradients)
    plan = TrainingPlan(epochs, 7, lambda steps: np.full((len(steps), len(seeds)), 0.1))
    shuffling = [np.random.default_rng(100 + seed) for seed in seeds]
    events = list(Training(model, optimizer, plan, samples, samples, shuffling).run())
    records = [event.metrics for event in events if isinstance(event, EpochRecord)]
    networks = [event.model for event in events if isinstance(event, Departure)]
    return [np.stack([each[f"{part}/loss"] for each in records]) for part in ("train", "val")], networks


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_trains_and_a_replica_of_a_stack_is_the_run_alone(dtype):
    losses, networks = trained([0, 1, 2], dtype)
    for part in losses:
        assert (part[-1] < 0.8 * part[0]).all()
    for row, network in enumerate(networks):
        (train, val), (alone,) = trained([row], dtype)
        assert network.loss.function == Brier()
        np.testing.assert_array_equal(network.parameters, alone.parameters)
        np.testing.assert_array_equal(train[:, 0], losses[0][:, row])
        np.testing.assert_array_equal(val[:, 0], losses[1][:, row])


def test_its_gradient_is_compared_with_its_own_equation(monkeypatch):
    samples, (_, (model,)) = data(np.float64), trained([0], np.float64)
    evidence = check_network(model, 0, samples.features, samples.targets)
    require_agreement(evidence)
    assert evidence.max_relative_error < 1e-12
    assert evidence.loss == pytest.approx(model.forward(samples.features, samples.targets)[0], rel=1e-12)
    sample = trace_first_sample(model, 0, samples.features, samples.targets)
    expected = model.loss.evaluate(model.predict_logits(samples.features[:1]), samples.targets[:1])
    assert sample.loss.value == pytest.approx(expected[0], rel=1e-12)
    monkeypatch.setattr(Brier, "gradient", lambda _, logits, targets: 2 * (softmax(logits) - targets))
    assert check_network(model, 0, samples.features, samples.targets).max_relative_error > 1e-3


def test_a_name_that_is_no_loss_is_a_line_that_lists_them():
    with pytest.raises(
        InputError,
        match=r"^loss must be one of binary_cross_entropy, brier, cross_entropy, huber, mae, mse, got 'hinge'$",
    ):
        MLP(2, 3, 2, loss="hinge")
