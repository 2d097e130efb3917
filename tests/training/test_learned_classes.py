"""Weights of rows and of classes, and label smoothing, in training and in evaluation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from micrograde.gradcheck import check_network, require_agreement
from micrograde.metrics import METRICS
from micrograde.nn import MLP, one_hot
from micrograde.training import (
    Departure,
    EpochRecord,
    LearnedClasses,
    Samples,
    StackOptimizer,
    Training,
    TrainingPlan,
    balanced_weights,
    measure,
    noisy_labels,
)
from micrograde.training.optimizers.adam import Adam
from micrograde.training.optimizers.sgd import SGD


def rows(count=23, classes=3, dtype="float64", seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    labels[:classes] = np.arange(classes)
    features = (random.normal(size=(count, 4)) + 2 * np.eye(classes, 4)[labels]).astype(dtype)
    return Samples(features, one_hot(labels, classes, dtype), labels)


def trained(samples, seeds=(0,), *, batch=None, epochs=3, classes=None, labels=None, entry=None, **plan):
    """The metrics of each epoch, (E, R) each, and the parameters of each replica at the end."""
    dtype = samples.features.dtype
    model = MLP(
        4, [5], samples.targets.shape[-1], batch_norm=False, initializer="xavier", dtype=dtype, loss_epsilon=0.0,
        generators=[np.random.default_rng(seed) for seed in seeds],
    )  # fmt: skip
    optimizer = StackOptimizer([entry or SGD(momentum=0.9)] * len(seeds), model.parameters, model.gradients)
    rates = lambda steps: np.full((len(steps), len(seeds)), 0.1)  # noqa: E731
    planned = TrainingPlan(epochs, batch or len(samples), rates, **plan)
    shuffling = [np.random.default_rng(100 + seed) for seed in seeds]
    learned = None if labels is None else (labels, np.eye(3, dtype=dtype))
    training = Training(model, optimizer, planned, samples, samples, shuffling, learned, classes=classes)
    events = list(training.run())
    records = [each.metrics for each in events if isinstance(each, EpochRecord)]
    left = sorted((each for each in events if isinstance(each, Departure)), key=lambda each: each.replica)
    found = {name: np.stack([each[name] for each in records]) for name in records[0]}
    return found, np.concatenate([each.model.parameters for each in left])


@given(
    st.lists(st.integers(1, 4), min_size=8, max_size=8), st.none() | st.just("balanced"), st.floats(0, 0.5)
)
@settings(deadline=None, max_examples=25)
def test_a_weight_of_k_is_the_row_k_times(counts, class_weights, smoothing):
    samples, counts = rows(8), np.array(counts)
    repeated = samples.at(np.repeat(np.arange(8), counts))
    weighted = replace(samples, weights=counts / counts.mean())
    found = []
    for each in (weighted, repeated):
        weights = balanced_weights(each.labels, 3, each.weights) if class_weights else None
        found.append(trained(each, classes=LearnedClasses.of(np.eye(3), weights, [smoothing])))
    (one, parameters), (other, of_repeated) = found
    np.testing.assert_allclose(parameters, of_repeated, rtol=1e-12, atol=1e-12)
    for name in ("train/loss", "val/loss"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-12)


def test_a_factor_on_all_weights_changes_nothing_and_batches_of_one_row_are_weighted():
    samples, random = rows(), np.random.default_rng(1)
    weights = random.uniform(0.2, 3, len(samples))
    plain, _ = trained(samples, batch=1)
    losses = {}
    for factor in (1, 2.0**10):
        given_weights = factor * weights
        weighted = replace(samples, weights=given_weights / given_weights.mean())
        losses[factor], _ = trained(weighted, batch=1)
    np.testing.assert_array_equal(losses[1]["train/loss"], losses[2.0**10]["train/loss"])
    assert abs(losses[1]["train/loss"] - plain["train/loss"]).min() > 1e-3
    classes = LearnedClasses.of(np.eye(3), np.array([5.0, 1, 1]), [0.0])
    of_classes, _ = trained(samples, batch=1, classes=classes)
    assert abs(of_classes["val/accuracy"] - 1).max() < 1
    assert abs(of_classes["train/loss"] - plain["train/loss"]).min() > 1e-3


def test_the_loss_of_an_epoch_is_the_weighted_mean_over_its_rows():
    samples = replace(rows(), weights=np.linspace(0, 2, 23))
    frozen = TrainingPlan(1, 5, lambda steps: np.zeros((len(steps), 1)))
    model = MLP(4, [], 3, batch_norm=False, generators=[np.random.default_rng(0)], loss_epsilon=0.0)
    optimizer = StackOptimizer([SGD()], model.parameters, model.gradients)
    random = np.random.default_rng(0)
    record = next(iter(Training(model, optimizer, frozen, samples, samples, [random]).run()))
    assert isinstance(record, EpochRecord)
    losses = model.loss.function.value(model.predict_logits(samples.features), samples.targets)[0]
    expected = np.average(losses, weights=samples.weights)
    np.testing.assert_allclose(
        [record.metrics["train/loss"], record.metrics["val/loss"]], expected, rtol=1e-14
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weighted", ["rows", "classes", "both", "neither"])
def test_a_replica_of_a_stack_is_the_run_alone_bit_for_bit(dtype, weighted):
    samples, seeds = rows(dtype=dtype), [0, 1, 2, 3]
    if weighted in ("rows", "both"):
        samples = replace(samples, weights=np.linspace(0.5, 1.5, len(samples)))
    weights = np.array([3, 0.5, 2]) if weighted in ("classes", "both") else None
    smoothing = [0.1, 0.3, 0.25, 0.01]
    streams = [np.random.default_rng(seed) for seed in seeds]
    labels = noisy_labels(samples.labels, 3, np.array([0.0, 0.3, 0.1, 0.2]), streams)
    options = {
        "batch": 6,
        "entry": Adam(),
        "metrics": tuple(METRICS[name]() for name in ("accuracy", "log_loss")),
    }
    classes = LearnedClasses.of(np.eye(3), weights, smoothing)
    together, parameters = trained(samples, seeds, classes=classes, labels=labels, **options)
    for row, seed in enumerate(seeds):
        own = LearnedClasses.of(np.eye(3), weights, [smoothing[row]])
        alone, of_run = trained(samples, [seed], classes=own, labels=labels[[row]], **options)
        np.testing.assert_array_equal(of_run[0], parameters[row])
        assert alone.keys() == together.keys()
        for name, values in alone.items():
            np.testing.assert_array_equal(values[:, 0], together[name][:, row])


def test_replicas_that_leave_take_their_classes_with_them():
    classes = LearnedClasses.of(np.eye(3), np.array([1.0, 2, 3]), [0.1, 0.2, 0.3])
    assert classes is not None
    kept = classes.keep_replicas(np.array([2, 0]))
    labels = np.array([[2, 1], [0, 0]])
    for place, row in enumerate((2, 0)):
        alone = LearnedClasses.of(np.eye(3), np.array([1.0, 2, 3]), [[0.1, 0.2, 0.3][row]])
        assert alone is not None
        np.testing.assert_array_equal(
            kept.targets_of(labels, "float32")[place], alone.targets_of(labels[[place]], "float32")[0]
        )
        of_stack, of_run = kept.row_weights(labels, None), alone.row_weights(labels[[place]], None)
        assert of_stack is not None
        assert of_run is not None
        np.testing.assert_array_equal(of_stack[place], of_run[0])


def test_metrics_of_smoothed_targets_are_of_the_labels():
    samples = rows()
    # Weights so unequal that the largest target of a row is often that of another class
    classes = LearnedClasses.of(np.eye(3), np.array([0.01, 1, 100]), [0.5])
    assert classes is not None
    assert (classes.targets_of(samples.labels, float)[0].argmax(-1) != samples.labels).any()
    found, _ = trained(
        samples, classes=classes, metrics=(METRICS["accuracy"](), METRICS["balanced_accuracy"]())
    )
    again, _ = trained(samples.learned(classes), metrics=(METRICS["accuracy"](),))
    np.testing.assert_allclose(found["train/loss"], again["train/loss"], rtol=1e-13)
    model = MLP(4, [5], 3, batch_norm=False, generators=[np.random.default_rng(0)])
    one, other = (measure(model, samples, [METRICS["accuracy"]()], classes=each) for each in (classes, None))
    assert one["accuracy"] == other["accuracy"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norm", [False, True])
def test_gradients_with_weights_and_smoothing_are_autograds(dtype, norm):
    samples = replace(rows(dtype=dtype), weights=np.linspace(0, 2, 23))
    classes = LearnedClasses.of(np.eye(3), np.array([0.2, 1, 4]), [0.3])
    learned = samples.learned(classes, np.float64)
    model = MLP(4, [6, 5], 3, batch_norm=norm, generators=[np.random.default_rng(0)], dtype=dtype)
    evidence = check_network(model, 0, learned.features, learned.targets, learned.weights)
    require_agreement(evidence)
    assert evidence.max_relative_error < 1e-12
    expected = measure(model, samples, [], classes=classes)["loss"]
    if not norm:
        np.testing.assert_allclose(evidence.loss, expected, rtol=1e-6 if dtype == "float32" else 1e-13)


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.random.default_rng(0).choice(3, 50, p=[0.7, 0.2, 0.1])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(balanced_weights(labels, 3), expected, rtol=1e-15)
    np.testing.assert_allclose(balanced_weights(labels, 4), [*expected, 1], rtol=1e-15)
    weights = np.random.default_rng(1).integers(1, 4, 50)
    repeated = compute_class_weight("balanced", classes=np.arange(3), y=np.repeat(labels, weights))
    np.testing.assert_allclose(balanced_weights(labels, 3, weights / 7), repeated, rtol=1e-14)


def test_without_weights_and_smoothing_classes_are_as_they_are():
    assert LearnedClasses.of(np.eye(3), None, [0.0, 0.0]) is None
