"""Metrics of several labels a row: scikit-learn's, of all together and of each, alone and in a stack."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    hamming_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from micrograde.metrics import METRICS, GivenOutputs
from micrograde.metrics.baseline import baseline_hamming_loss
from micrograde.metrics.measuring import metrics_of_task, named
from micrograde.tasks.multilabel import Multilabel

NAMES = ("a", "b", "c")
TASK = Multilabel(NAMES)
OURS = metrics_of_task("multilabel", len(NAMES))
truths = st.integers(2, 30).flatmap(
    lambda rows: st.tuples(
        arrays(np.int64, (rows, 3), elements=st.integers(0, 1)),
        arrays(np.float64, (2, rows, 3), elements=st.sampled_from([-2.0, -0.5, 0.0, 0.25, 3.0])),
    )
)


def measured(labels, logits):
    """What each metric's tally gives of rows that come in two batches, by the recorded name."""
    predicted = TASK.predicted(logits)
    found: dict[str, np.ndarray] = {}
    for each in OURS:
        tally = each.tally(len(logits), len(labels))
        for rows in (slice(1), slice(1, None)):
            of_rows = labels[rows] if labels.ndim == 2 else labels[:, rows]
            tally.add(GivenOutputs(logits[:, rows], of_rows, predicted[:, rows]))
        found |= named(each, tally.value(), NAMES)
        whole = named(each, each.compute(logits, labels, predicted), NAMES)
        for name, values in whole.items():
            np.testing.assert_array_equal(found[name], values)
    return found


def of_sklearn(true, scores):
    said = (scores > 0).astype(int)
    found = {"subset_accuracy": accuracy_score(true, said), "hamming_loss": hamming_loss(true, said)}
    of_each = {
        "hamming_loss": lambda true, said, _: (true != said).mean(),
        "label_f1": lambda true, said, _: f1_score(true, said, zero_division=np.nan),
        "label_precision": lambda true, said, _: precision_score(true, said, zero_division=np.nan),
        "label_recall": lambda true, said, _: recall_score(true, said, zero_division=np.nan),
        "label_roc_auc": lambda true, _, scores: (
            roc_auc_score(true, scores) if 0 < true.sum() < len(true) else np.nan
        ),
    }
    for name, of in of_each.items():
        values = [float(of(*(each[:, place] for each in (true, said, scores)))) for place in range(3)]
        found |= {f"{name}/{label}": value for label, value in zip(NAMES, values, strict=True)}
        found.setdefault(name, float(np.mean(values)))
    return found


@given(truths)
def test_they_are_scikit_learns_and_a_stack_is_its_replicas(drawn):
    labels, logits = drawn
    found = measured(labels, logits)
    for replica in range(2):
        expected = of_sklearn(labels, logits[replica])
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][replica], value, rtol=1e-12, err_msg=name)
        for name, values in measured(labels, logits[replica : replica + 1]).items():
            np.testing.assert_array_equal(values, found[name][replica : replica + 1])


def test_the_means_are_scikit_learns_macro_averages():
    random = np.random.default_rng(0)
    labels, logits = random.integers(0, 2, (200, 3)), random.normal(size=(1, 200, 3))
    found, said = measured(labels, logits), (logits[0] > 0).astype(int)
    for name, theirs in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        np.testing.assert_allclose(found[f"label_{name}"], theirs(labels, said, average="macro"), rtol=1e-12)
    np.testing.assert_allclose(found["label_roc_auc"], roc_auc_score(labels, logits[0]), rtol=1e-12)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_row_whose_numbers_overflow_is_wrong_and_has_no_probabilities(odd):
    labels = np.array([[0, 1, 0], [1, 0, 1], [1, 1, 0]])
    logits = np.where(labels == 1, 2.0, -2.0)[np.newaxis]
    logits[0, 1, 0] = odd
    assert TASK.predicted(logits)[0].tolist() == [[0, 1, 0], [-1, -1, -1], [1, 1, 0]]
    assert np.isnan(TASK.answers(logits[0])).all(axis=1).tolist() == [False, True, False]
    found = measured(labels, logits)
    assert found["subset_accuracy"] == 2 / 3
    assert found["hamming_loss"] == pytest.approx(1 / 3)
    assert np.isnan(found["label_roc_auc"])


@given(
    arrays(np.int64, (9, 3), elements=st.integers(0, 1)), arrays(np.int64, (4, 3), elements=st.integers(0, 1))
)
def test_the_baseline_says_of_each_label_what_most_rows_of_the_training_part_are(training, labels):
    said = np.array([np.bincount(column, minlength=2).argmax() for column in training.T])
    expected = hamming_loss(labels, np.tile(said, (4, 1)))
    assert baseline_hamming_loss(training, labels) == pytest.approx(expected, abs=1e-15)


def test_each_is_for_this_task_alone():
    assert {each.name for each in OURS} == {
        name for name, entry in METRICS.items() if entry.task == "multilabel"
    }
