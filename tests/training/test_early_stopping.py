"""Early stopping where the validation metric is not finite: the last good weights are kept, and a row of NaN is of no class."""

import numpy as np
import pytest
from tests.diagnostics.following import make_model, make_samples
from tests.narrowing import of_type

from micrograde.nn import MLP, one_hot
from micrograde.training import (
    Departure,
    EpochRecord,
    Samples,
    StackOptimizer,
    Training,
    TrainingPlan,
    confusion_counts,
    evaluate,
    rows_of_no_class,
)
from micrograde.training.callbacks.early_stopping import BestWeights, EarlyStopping
from micrograde.training.optimizers.sgd import SGD

NAN, INF = float("nan"), float("inf")


def follow(values, *, patience=50, metric="val/loss", broken=()):
    """What is kept of one replica whose first parameter is the epoch's number; 0 is the beginning."""
    model = make_model()
    model.parameters[0, 0] = 0
    best = BestWeights(model, EarlyStopping(metric, patience))
    for epoch, value in enumerate(values, start=1):
        model.parameters[0, :2] = epoch, NAN if epoch in broken else 0.5
        if best.update(epoch, np.array([value]), model)[0]:
            break
    best.restore(0, model)
    return int(model.parameters[0, 0]), epoch


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([0.5, 0.4, 0.6], 2),
        ([NAN, NAN, NAN], 3),  # nothing tells them apart: the last, not the untrained
        ([INF, NAN, INF], 3),
        ([0.5, 0.4, NAN, NAN], 2),  # from the middle on: the best of before
        ([NAN, 0.5, NAN], 2),
        ([NAN, NAN, 0.5, 0.7], 3),
        ([-INF, 0.5], 2),  # no loss
    ],
)
def test_the_best_or_else_the_last_weights_are_kept(values, kept):
    assert follow(values)[0] == kept


def test_of_weights_that_nothing_tells_apart_those_that_are_not_finite_are_not_kept():
    assert follow([NAN] * 4, broken={3, 4})[0] == 2
    assert follow([NAN] * 2, broken={1, 2})[0] == 0
    assert follow([NAN, 0.5, NAN], broken={3})[0] == 2


def test_an_epoch_without_a_finite_metric_counts_against_patience():
    assert follow([0.5] + [NAN] * 9, patience=3) == (1, 4)
    assert follow([NAN] * 9, patience=3) == (3, 3)


def with_a_row_that_overflows(rows=24):
    """Validation samples the last row of which is NaN throughout a float32 network."""
    samples = make_samples(rows, 4, 3, dtype="float32")
    samples.features[-1] = [INF, INF, -INF, INF]
    return samples


@pytest.mark.parametrize("metric", ["val/loss", "val/accuracy"])
def test_a_network_that_stops_early_by_a_row_that_overflows_has_learned(metric):
    model = MLP(
        4,
        6,
        3,
        activation="relu",
        initializer="xavier",
        generators=[np.random.default_rng(0)],
        dtype="float32",
    )
    untrained = model.parameters.copy()
    optimizer = StackOptimizer([SGD()], model.parameters, model.gradients)
    plan = TrainingPlan(30, 10, lambda steps: np.full((len(steps), 1), 0.1))
    stopping = BestWeights(model, EarlyStopping(metric, patience=5))
    training, validation = make_samples(60, 4, 3, seed=1, dtype="float32"), with_a_row_that_overflows()
    *events, departure = Training(
        model, optimizer, plan, training, validation, [np.random.default_rng(1)], callbacks=[stopping]
    ).run()
    records = [of_type(EpochRecord, event) for event in events]
    assert np.isnan([record.metrics["val/loss"][0] for record in records]).all()
    accuracies = [record.metrics["val/accuracy"][0] for record in records]
    assert max(accuracies) <= 23 / 24
    found = of_type(Departure, departure).model
    assert np.isfinite(found.parameters).all()
    assert not np.array_equal(found.parameters, untrained)
    with np.errstate(all="ignore"):
        kept = evaluate(found, validation)[1][0]
    assert kept == (accuracies[-1] if metric == "val/loss" else max(accuracies))


def test_by_the_rules_of_version_1_such_a_row_is_of_the_first_class_and_the_first_weights_are_kept():
    model, samples = make_model(dtype="float32", activation="relu"), with_a_row_that_overflows()
    rest = Samples(samples.features[:-1], samples.targets[:-1], samples.labels[:-1])
    samples.labels[-1] = 0
    with np.errstate(all="ignore"):
        accuracy = evaluate(model, samples, nan_is_a_class=True)[1]
    assert accuracy * 24 == evaluate(model, rest)[1] * 23 + 1
    best = BestWeights(model, EarlyStopping(finite_alone=False))
    first = best.parameters.copy()
    model.parameters += 1
    best.update(1, np.array([NAN]), model)
    np.testing.assert_array_equal(best.parameters, first)
    best.update(2, np.array([0.5]), model)
    np.testing.assert_array_equal(best.parameters, model.parameters)


def test_a_row_that_overflows_is_of_no_class():
    model, samples = make_model(dtype="float32", activation="relu"), with_a_row_that_overflows()
    rest = Samples(samples.features[:-1], samples.targets[:-1], samples.labels[:-1])
    for label in range(3):  # whichever it should be
        samples.labels[-1], samples.targets[-1] = label, one_hot(np.array([label]), 3)[0]
        with np.errstate(all="ignore"):
            loss, accuracy = evaluate(model, samples)
            counts, lost = confusion_counts(model, samples), rows_of_no_class(model, samples)
        assert np.isnan(loss)
        assert accuracy * 24 == evaluate(model, rest)[1] * 23
        np.testing.assert_array_equal(counts, confusion_counts(model, rest))
        assert lost.tolist() == [1]
    assert rows_of_no_class(model, rest).tolist() == [0]
