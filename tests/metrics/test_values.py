"""The values of metrics equal scikit-learn's, whatever the batches and the stack, and are NaN where undefined."""

import math
import re
import warnings

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name
from scipy.special import softmax
from sklearn.dummy import DummyClassifier

from micrograde.metrics import METRICS, GivenOutputs, formatted, metric_of
from micrograde.metrics.baseline import baseline_accuracy
from micrograde.metrics.class_names import recorded_class_names
from micrograde.metrics.confusion import confusion
from micrograde.metrics.expected_calibration_error import bin_by_confidence
from micrograde.metrics.measuring import MOST_CLASSES, measure_outputs, metrics_of_task
from micrograde.metrics.probabilities import probabilities
from micrograde.nn import predicted_classes

ALL = metrics_of_task("classification", 3)
OF_CLASSES = {name: entry for name, entry in METRICS.items() if entry.task == "classification"}


def balanced_accuracy(_, labels, predicted):
    return sklearn.metrics.balanced_accuracy_score(labels, predicted)


def macro_f1(_, labels, predicted):
    """Of the classes of the truth and of the predictions; none is no class."""
    there_are = np.union1d(labels, predicted[predicted >= 0])
    return sklearn.metrics.f1_score(labels, predicted, average="macro", labels=there_are, zero_division=0)


def roc_auc(shares, labels, _):
    """One against the rest for each class that has rows, by scikit-learn's own curve of two classes."""
    classes = shares.shape[1]
    if np.isnan(shares).any() or len(np.unique(labels)) < 2:
        return math.nan
    if classes == 2:
        return sklearn.metrics.roc_auc_score(labels, shares[:, 1])
    if len(np.unique(labels)) == classes:
        return sklearn.metrics.roc_auc_score(labels, shares, multi_class="ovr", labels=np.arange(classes))
    return np.mean([sklearn.metrics.roc_auc_score(labels == k, shares[:, k]) for k in np.unique(labels)])


def log_loss(shares, labels, _):
    if np.isnan(shares).any():
        return math.nan
    return sklearn.metrics.log_loss(labels, shares, labels=np.arange(shares.shape[1]))


def slow_calibration_error(shares, labels, predicted, bins=15):
    """Row by row and bin by bin, from the definition: (low, high], and the first bin has 0."""
    total = 0.0
    for k in range(bins):
        low, high = np.linspace(0, 1, bins + 1)[[k, k + 1]]
        rows = [n for n, row in enumerate(shares) if low < max(row) <= high or (k == 0 and max(row) == 0)]
        if rows:
            confidence = math.fsum(max(shares[n]) for n in rows) / len(rows)
            accuracy = sum(int(predicted[n] == labels[n]) for n in rows) / len(rows)
            total += len(rows) / len(labels) * abs(confidence - accuracy)
    return math.nan if np.isnan(shares).any() else total


def per_class(score):
    def of_classes(shares, labels, predicted):
        return score(labels, predicted, labels=np.arange(shares.shape[1]), average=None, zero_division=np.nan)

    return of_classes


REFERENCES = {
    "accuracy": lambda _, *classes: sklearn.metrics.accuracy_score(*classes),
    "error_rate": lambda _, *classes: sklearn.metrics.zero_one_loss(*classes),
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "recall": per_class(sklearn.metrics.recall_score),
    "precision": per_class(sklearn.metrics.precision_score),
    "roc_auc": roc_auc,
    "log_loss": log_loss,
    "expected_calibration_error": slow_calibration_error,
}


@st.composite
def cases(draw):
    """Logits of a few replicas with ties and extremes, labels of which some classes may be missing."""
    replicas, rows, classes = draw(st.integers(1, 3)), draw(st.integers(1, 40)), draw(st.integers(2, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = random.standard_normal((replicas, rows, classes)) * draw(st.sampled_from([0.1, 1, 30, 1e4]))
    if draw(st.booleans()):
        logits = np.round(logits)  # ties
    among = random.choice(classes, draw(st.integers(1, classes)), replace=False)
    labels = random.choice(among, (replicas, rows) if draw(st.booleans()) else rows)
    if draw(st.booleans()):
        logits[random.integers(replicas), random.integers(rows), random.integers(classes)] = draw(
            st.sampled_from([np.nan, np.inf, -np.inf])
        )
    return logits.astype(draw(st.sampled_from([np.float32, np.float64]))), labels


@given(case=cases())
@settings(max_examples=25)
def test_metrics_equal_their_references_by_batches_at_once_and_in_a_stack(case):
    logits, labels = case
    predicted, shares = predicted_classes(logits), probabilities(logits)
    rows = np.broadcast_to(labels, predicted.shape)
    for metric in ALL:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is undefined
            expected = [REFERENCES[metric.name](*each) for each in zip(shares, rows, predicted, strict=True)]
        found = metric.compute(logits, labels, predicted)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=metric.name)
        tally = metric.tally(*predicted.shape)
        for batch in np.array_split(np.arange(rows.shape[1]), min(3, rows.shape[1])):
            tally.add(GivenOutputs(logits[:, batch], labels[..., batch], predicted[:, batch]))
        np.testing.assert_array_equal(tally.value(), found, metric.name)
        for one in range(len(logits)):
            only = slice(one, one + 1)
            alone = metric.compute(logits[only], rows[one], predicted[only])
            np.testing.assert_array_equal(alone, found[only], metric.name)


def test_every_entry_has_a_reference():
    assert set(REFERENCES) == set(OF_CLASSES) == {each.name for each in ALL}


@given(case=cases())
def test_probabilities_are_the_softmax_in_float64_and_nan_in_rows_of_no_class(case):
    logits, _ = case
    shares, known = probabilities(logits), predicted_classes(logits) >= 0
    assert shares.dtype == np.float64
    np.testing.assert_allclose(shares[known], softmax(logits[known].astype(float), axis=-1), rtol=1e-12)
    assert np.isnan(shares[~known]).all()


def one(name, logits, labels):
    logits = np.asarray([logits], float)
    return METRICS[name]().compute(logits, np.asarray(labels), predicted_classes(logits))[0]


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("roc_auc", [1, 1, 1], math.nan),  # no pair to compare
        ("roc_auc", [0, 2, 2], (0.75 + 0.5) / 2),  # the class without rows is left out
        ("balanced_accuracy", [1, 1, 1], 1 / 3),
        ("macro_f1", [1, 1, 1], (0 + 0.5) / 2),  # class 0 is predicted, class 2 is neither
        ("log_loss", [2, 2, 2], 36.04365338911715),  # scikit-learn's limit
    ],
)
def test_what_is_said_of_classes_that_are_missing(name, labels, value):
    logits = [[1e4, 0, -2e4], [1e4, 0, -1e4], [0, 1e4, -1e4]]
    assert one(name, logits, labels) == pytest.approx(value, nan_ok=True)


def test_recall_and_precision_are_nan_where_there_is_nothing_to_divide_by():
    logits = [[2.0, 1, 0], [2, 1, 0], [1, 2, 0]]  # 0, 0 and 1
    np.testing.assert_array_equal(one("recall", logits, [0, 2, 2]), [1, np.nan, 0])
    np.testing.assert_array_equal(one("precision", logits, [0, 2, 2]), [0.5, 0, np.nan])


def test_a_row_of_no_class_is_wrong_and_leaves_no_metric_of_probabilities():
    logits = [[2.0, 1], [np.nan, 0], [1, 2]]
    values = {name: one(name, logits, [0, 0, 1]) for name in OF_CLASSES if not METRICS[name].per_class}
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["balanced_accuracy"] == 0.75
    assert {name for name, value in values.items() if np.isnan(value)} == {
        "roc_auc",
        "log_loss",
        "expected_calibration_error",
    }
    np.testing.assert_array_equal(one("recall", logits, [0, 0, 1]), [0.5, 1])


@pytest.mark.parametrize(
    ("confidence", "correct", "bins", "error"),
    [
        ([0.95, 1, 1, 0.97], [1, 0, 1, 1], 10, 0.23),  # 1 is of the last bin, and has none of its own
        ([0.95, 1, 1, 0.97], [1, 0, 1, 1], 15, 0.23),
        ([0.5, 0.55, 0.45], [1, 0, 1], 10, 1.6 / 3),  # a bin has its upper edge
        ([0.0, 0.05], [0, 1], 10, 0.475),
        ([0.9, 0.8, 0.7, 0.8, 0.9, 0.6], [1, 1, 0, 1, 1, 1], 10, 1.7 / 6),
    ],
)
def test_the_edges_of_the_bins(confidence, correct, bins, error):
    found = bin_by_confidence(np.array([confidence], float), np.array([correct], bool), bins)
    assert found.error == pytest.approx([error], abs=1e-12)
    assert found.rows.sum() == len(confidence)


@given(st.lists(st.integers(0, 4), min_size=1), st.lists(st.integers(0, 4), min_size=1))
def test_the_baseline_is_scikit_learns_dummy(training, labels):
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(training), 1)), training)
    expected = dummy.score(np.zeros((len(labels), 1)), labels)
    assert baseline_accuracy(np.array(training), np.array(labels)) == pytest.approx(expected, abs=1e-15)


@given(case=cases())
def test_the_counts_are_of_every_row(case):
    logits, labels = case
    predicted = predicted_classes(logits)
    counts = confusion(labels, predicted, logits.shape[-1])
    assert (counts.sum(axis=(1, 2)) == predicted.shape[1]).all()
    np.testing.assert_array_equal(counts[..., -1].sum(axis=1), np.count_nonzero(predicted < 0, axis=1))


@given(st.lists(st.text("aA2_ ./<=>:é\u0301\n\0😀", max_size=4)))
def test_names_of_classes_are_valid_in_mlflow_and_different(names):
    recorded = recorded_class_names(names)
    assert len({each.casefold() for each in recorded}) == len(names)
    for each in recorded:
        _validate_metric_name(f"kept/train/precision/{each}")
        assert metric_of(f"val/precision/{each}") is METRICS["precision"]
        assert re.fullmatch(r"[\w. -]+", each)


def test_names_that_are_valid_stay_as_they_are():
    assert recorded_class_names(["spam", "no ham", "é-1", "2.5"]) == ("spam", "no ham", "é-1", "2.5")
    assert recorded_class_names(["<=50K", ">50K", "_50K"]) == ("__50K", "_50K 2", "_50K")
    assert recorded_class_names(["no", "No", "", "..", "x" * 300])[:-1] == ("no", "No 2", "_", "__")


def test_all_metrics_are_measured_by_their_recorded_names():
    random = np.random.default_rng(0)
    logits, labels = random.standard_normal((2, 30, 3)), random.integers(0, 3, 30)
    outputs = GivenOutputs(logits, labels, logits.argmax(-1))
    found = measure_outputs(outputs, ALL, ["a/b", "b", "c"])
    plain = {name for name in OF_CLASSES if not METRICS[name].per_class}
    assert set(found) == plain | {
        f"{each}/{k}" for each in ("recall", "precision") for k in ("a_b", "b", "c")
    }
    assert {values.shape for values in found.values()} == {(2,)}
    recalls = np.stack([found[f"recall/{k}"] for k in ("a_b", "b", "c")])
    np.testing.assert_allclose(recalls.mean(axis=0), found["balanced_accuracy"], rtol=1e-12)
    assert set(measure_outputs(outputs, [METRICS["recall"]()])) == {"recall/0", "recall/1", "recall/2"}
    assert {each.name for each in metrics_of_task("classification", MOST_CLASSES + 1)} == plain
    assert {each.name for each in metrics_of_task("regression", 1)} == {"mae", "r2", "rmse"}


@pytest.mark.parametrize(
    ("recorded", "text"),
    [
        ("kept/val/baseline_accuracy", "0.1000"),
        ("baseline_accuracy", "0.1000"),
        ("kept/val/accuracy", "0.1000"),
        ("kept/val/baseline_of_ours", "0.1"),
        ("kept/val/my_baseline_accuracy", "0.1"),
        ("kept/val/recall/baseline_accuracy", "0.1000"),
    ],
)
def test_a_baseline_has_the_format_of_its_metric(recorded, text):
    assert formatted(recorded, 0.1, ".4g") == text
