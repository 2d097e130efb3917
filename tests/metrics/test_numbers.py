"""The metrics of predicted numbers equal scikit-learn's, by batches, at once and in a stack."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor

from micrograde.metrics import METRICS, GivenOutputs, is_of_one_class, lower_is_better
from micrograde.metrics.baseline import baseline_rmse
from micrograde.metrics.measuring import measure_outputs, metrics_of_task, named, recorded_names

ALL = metrics_of_task("regression", 3)


def r2(labels, predicted):
    """NaN where the labels are all the same; scikit-learn says 0 or 1 there."""
    found = sklearn.metrics.r2_score(labels, predicted, multioutput="raw_values", force_finite=False)
    constant = (labels == labels[:1]).all(axis=0)
    return np.where(constant, math.nan, found)


REFERENCES = {
    "rmse": lambda *both: sklearn.metrics.root_mean_squared_error(*both, multioutput="raw_values"),
    "mae": lambda *both: sklearn.metrics.mean_absolute_error(*both, multioutput="raw_values"),
    "r2": r2,
}


@st.composite
def cases(draw):
    replicas, rows, targets = draw(st.integers(1, 3)), draw(st.integers(2, 40)), draw(st.integers(1, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([1e-9, 1, 1e6]))
    labels = size * random.standard_normal((rows, targets)) + draw(st.sampled_from([0, 100.0])) * size
    if draw(st.booleans()):
        labels[:, 0] = labels[0, 0]
    return labels, labels + size * random.standard_normal((replicas, rows, targets))


@given(case=cases())
def test_metrics_equal_their_references_by_batches_at_once_and_in_a_stack(case):
    labels, predicted = case
    for metric in ALL:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is undefined
            expected = [REFERENCES[metric.name](labels, each) for each in predicted]
        found = metric.compute(predicted, labels, predicted)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=metric.name)
        tally = metric.tally(*predicted.shape[:2])
        for batch in np.array_split(np.arange(len(labels)), min(3, len(labels))):
            part = predicted[:, batch]
            tally.add(GivenOutputs(part, labels[batch], part))
        np.testing.assert_array_equal(tally.value(), found, metric.name)
        whole = named(metric, found)
        for one in range(len(predicted)):
            only = slice(one, one + 1)
            alone = metric.compute(predicted[only], labels, predicted[only])
            np.testing.assert_array_equal(alone, found[only], metric.name)
            for name, values in named(metric, alone).items():
                np.testing.assert_array_equal(values, whole[name][only], name)


def test_every_entry_has_a_reference():
    assert set(REFERENCES) == {name for name in METRICS if METRICS[name].task == "regression"}


def test_of_several_targets_the_mean_and_each_is_recorded():
    rmse = METRICS["rmse"]()
    assert recorded_names(rmse, ["price"]) == ["rmse"]
    assert recorded_names(rmse, ["a/b", "c"]) == ["rmse", "rmse/a_b", "rmse/c"]
    labels = np.array([[0.0, 0], [0, 0]])
    predicted = np.array([[[1.0, 3], [1, -3]]])
    found = measure_outputs(GivenOutputs(predicted, labels, predicted), [rmse], ["a/b", "c"])
    assert {name: values.tolist() for name, values in found.items()} == {
        "rmse": [2.0],
        "rmse/a_b": [1.0],
        "rmse/c": [3.0],
    }
    assert is_of_one_class("kept/val/rmse/c")
    assert not is_of_one_class("kept/val/rmse")
    assert lower_is_better("kept/val/rmse/c")
    assert not lower_is_better("val/r2")


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_row_whose_numbers_overflow_leaves_no_metric(wrong):
    labels, predicted = np.zeros((3, 2)), np.ones((1, 3, 2))
    predicted[0, 1, 0] = wrong
    found = METRICS["mae"]().compute(predicted, labels, predicted)
    np.testing.assert_array_equal(found, [[math.nan, 1.0]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_the_baseline_is_that_of_a_dummy(seed, targets):
    random = np.random.default_rng(seed)
    training, labels = random.standard_normal((20, targets)), random.standard_normal((7, targets))
    said = DummyRegressor().fit(training, training).predict(labels).reshape(labels.shape)
    expected = sklearn.metrics.root_mean_squared_error(labels, said)
    assert baseline_rmse(training, labels) == pytest.approx(expected, rel=1e-12)


def test_errors_of_any_size_have_a_root_mean_square():
    labels = np.zeros((2, 1))
    for size in (1e-300, 1e300):
        predicted = np.full((1, 2, 1), size)
        assert METRICS["rmse"]().compute(predicted, labels, predicted) == pytest.approx(size, rel=1e-12)
