"""ROC and precision-recall curves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawing.reading import curves, drawn, outside, says, texts
from tests.drawing.scored import random_logits, scored_run

from micrograde.drawing.run.calibration import Calibration
from micrograde.drawing.run.confusion import ConfusionMatrix
from micrograde.drawing.run.precision_recall import PrecisionRecall
from micrograde.drawing.run.roc_curves import RocCurves
from micrograde.drawing.run.thresholds import curves_of_parts
from micrograde.metrics.roc_auc import RocAuc

SIDE = 400 / 1.04  # pixels from 0 to 1


def points_of(picture, name):
    """A curve's points in the units of its axes."""
    points = np.concatenate(curves(picture)[name])
    everything = np.concatenate([piece for each in curves(picture).values() for piece in each])
    left = 76 + 0.02 * SIDE
    bottom = everything[:, 1].max() if "false alarms" in " ".join(texts(picture)) else np.nan
    return (points[:, 0] - left) / SIDE, (bottom - points[:, 1]) / SIDE


@given(st.integers(2, 5), st.integers(2, 60), st.integers(0, 99), st.integers(0, 2))
@settings(max_examples=20, deadline=None)
def test_areas_are_those_of_scikit_learn(classes, rows, seed, decimals):
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels = np.random.default_rng(seed).integers(0, classes, rows)
    run = scored_run(
        {"val": (random_logits(labels, classes, seed=seed, decimals=decimals), labels)}, "abcdefghi"[:classes]
    )
    (part,) = curves_of_parts(run)
    for number in range(classes) if classes > 2 else (1,):
        positive, scores = labels == number, part.rows.probabilities[:, number]
        if 0 < positive.sum() < rows:
            assert part.roc[number] == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
        else:
            assert np.isnan(part.roc[number])
        if positive.any():
            expected = average_precision_score(positive, scores)
            assert part.precision_recall[number] == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(part.precision_recall[number])
    recorded = RocAuc().compute(run.logits["val"][None], labels, run.logits["val"].argmax(axis=-1)[None])[0]
    defined = part.roc[~np.isnan(part.roc)]
    assert recorded == pytest.approx(defined.mean() if defined.size else np.nan, abs=1e-12, nan_ok=True)
    for picture in (RocCurves().draw(run), PrecisionRecall().draw(run)):
        assert outside(picture) == []


# Probabilities of "yes" from high to low, and which rows are of it: 1 0 1 | 1 0 0; predicted yes: the first four.
LOGITS = np.array([[0, 3], [0, 2.5], [0, 2], [0, 1], [0, -1], [0, -2]], np.float32)
LABELS = np.array([1, 0, 1, 1, 0, 0])


def test_of_two_classes_the_second_is_positive_and_the_test_part_stands_beside():
    run = scored_run({"val": (LOGITS, LABELS), "test": (-LOGITS, LABELS)}, ["no", "yes"])
    picture = RocCurves().draw(run)
    assert says(
        picture,
        "validation part, 6 rows, 3 of the positive class yes: area 0.78; "
        "at the threshold 0.5 recall 1, false alarms 0.33",
    )
    assert {"a run", "validation part", "area 0.78", "test part", "area 0.22"} <= set(texts(picture))
    x, y = points_of(picture, "validation part")
    np.testing.assert_allclose(x, [0, 0, 1 / 3, 1 / 3, 1], atol=1e-3)
    np.testing.assert_allclose(y, [0, 1 / 3, 1 / 3, 1, 1], atol=1e-3)
    assert len(drawn(picture, "circle")) == 2
    picture = PrecisionRecall().draw(run)
    assert says(
        picture,
        "average precision 0.81, where chance has 0.50; at the threshold 0.5 precision 0.75, recall 1",
    )
    assert "0.81; dashed: its share, 0.50" in texts(picture)


def test_the_threshold_that_is_marked_and_said_is_the_networks():
    run = scored_run({"val": (LOGITS, LABELS)}, ["no", "yes"])
    run = replace(run, task=run.task.decided_at(0.93))  # the first row has 0.95
    assert says(RocCurves().draw(run), "at the threshold 0.93 recall 0.33, false alarms 0")
    assert says(PrecisionRecall().draw(run), "at the threshold 0.93 precision 1, recall 0.33")
    assert says(ConfusionMatrix().draw(run), "validation part: 4 of 6 right; most often yes taken for no (2)")
    usual = Calibration().draw(scored_run({"val": (LOGITS, LABELS)}, ["no", "yes"]))
    assert texts(Calibration().draw(run)) == texts(usual)  # it is of the probabilities


def test_the_area_that_is_drawn_is_the_average_precision():
    labels = np.random.default_rng(0).integers(0, 2, 80)
    run = scored_run({"test": (random_logits(labels, 2), labels)}, ["no", "yes"])
    points = curves(PrecisionRecall().draw(run))["test part"][0]
    (part,) = curves_of_parts(run)
    top = points[:, 1].min()  # a precision of 1, the first row being of the class
    area = np.trapezoid(1 - (points[:, 1] - top) / SIDE, points[:, 0] / SIDE)
    assert area == pytest.approx(part.precision_recall[1], abs=2e-3)


def test_of_many_classes_the_seven_with_the_least_areas_are_drawn():
    labels = np.arange(400) % 200
    labels[labels == 13] = 14  # there are no rows of class 13
    run = scored_run({"val": (random_logits(labels, 200, strength=3), labels)}, [f"c{n}" for n in range(200)])
    (part,) = curves_of_parts(run)
    for entry, areas, quantity in (
        (RocCurves, part.roc, "area"),
        (PrecisionRecall, part.precision_recall, "average precision"),
    ):
        picture = entry().draw(run)
        assert list(curves(picture))[::-1] == [
            f"c{number}" for number in np.argsort(areas, kind="stable")[:7]
        ]
        assert says(picture, f"validation part, 400 rows: each class against the rest, mean {quantity} 0.")
        assert says(picture, "; 1 of 200 classes has no rows in it; the 7 classes with the least are drawn")


def test_where_there_is_no_curve_the_picture_says_why():
    one = scored_run({"val": (LOGITS, np.zeros(6, int)), "test": (LOGITS, LABELS)}, ["no", "yes"])
    assert says(RocCurves().draw(one), "validation part, 6 rows: no curve, because each is of class no")
    assert says(PrecisionRecall().draw(one), "no curve, because none is of the positive class yes")
    assert list(curves(RocCurves().draw(one))) == ["test part"]
    row = scored_run({"test": (LOGITS[:1], LABELS[:1])}, ["no", "yes"])
    assert says(RocCurves().draw(row), "test part, 1 row: no curve, because it is of class yes")
    assert says(PrecisionRecall().draw(row), "average precision 1, where chance has 1")
    none = scored_run({"val": (-np.abs(LOGITS), LABELS)}, ["no", "yes"])
    assert says(PrecisionRecall().draw(none), "at the threshold 0.5 no row is taken for it")
    perfect = scored_run({"val": (np.eye(3), np.arange(3))}, "abc")
    assert says(RocCurves().draw(perfect), "3 rows: each class against the rest has the area 1")
    three = scored_run({"val": (np.zeros((4, 3)), np.zeros(4, int))}, ["a", "b", "c"])
    assert says(RocCurves().draw(three), "validation part, 4 rows: no curves, because all are of class a")


def test_rows_of_no_class_are_left_out_and_counted():
    logits = LOGITS.copy()
    logits[[1, 4]] = np.nan, np.inf
    picture = RocCurves().draw(scored_run({"val": (logits, LABELS)}, ["no", "yes"]))
    assert says(
        picture, "validation part, 4 rows (2 of no class left out), 3 of the positive class yes: area 1;"
    )
    learned = RocCurves().draw(scored_run({"train": (logits, LABELS)}, ["no", "yes"]))
    assert says(learned, "training part, 4 rows that it has learned from (2 of no class left out), 3 of")
    lost = scored_run({"val": (np.full((6, 2), np.nan), LABELS)}, ["no", "yes"])
    assert RocCurves().draw(lost) is None
    assert PrecisionRecall().draw(scored_run({"val": (LOGITS, LABELS)}, ["no", "yes"])) is not None


@pytest.mark.parametrize("entry", [RocCurves, PrecisionRecall])
def test_any_logits_and_names_make_a_picture(entry):
    huge = np.array([[1e308, -1e308], [-1e308, 1e308], [0, 1e308], [5e-324, 0], [1, 1], [1, 1]])
    picture = entry().draw(scored_run({"val": (huge, LABELS)}, ["<b>&", "漢字" * 40], title="<i>" * 60))
    assert outside(picture) == []
    constant = entry().draw(scored_run({"val": (np.zeros((6, 2)), LABELS)}, ["a", "b"]))
    assert says(constant, "0.50")
