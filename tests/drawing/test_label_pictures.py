"""Pictures of several labels: what they say is what scikit-learn counts."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from tests.narrowing import not_none

from micrograde.drawing.run import PICTURES, RunContents
from micrograde.drawing.run.greatest_losses import greatest_losses
from micrograde.drawing.run.label_curves import calibration_error
from micrograde.drawing.run.label_f1 import f1_of_labels
from micrograde.drawing.run.scored_labels import scored_labels, shown_labels
from micrograde.drawing.run.scored_rows import share_text
from micrograde.drawing.svg import Svg
from micrograde.tasks.multilabel import Multilabel
from micrograde.training import Samples

NAMES = ("red", "round", "ripe")


def run_of_labels(labels: Any, logits: Any, thresholds: Any = None, names: Any = NAMES) -> RunContents:
    """A run whose validation part has these labels and logits, (n, K)."""
    labels = np.asarray(labels, np.int64)
    features = np.zeros((len(labels), 1))
    task = Multilabel(names).decided_at(thresholds)
    nothing: Any = None  # what these pictures do not look at
    measured: Any = SimpleNamespace(history={"train/loss": [1.0]})
    dataset: Any = SimpleNamespace(class_names=(), target_names=names, image_shape=None)
    samples = Samples(features, labels.astype(np.float64), labels)
    given: dict[str, Any] = dict.fromkeys(
        ("model", "trajectory", "preprocessing", "test", "confusion", "batch"), nothing
    )
    return RunContents(
        **given,
        title="a run",
        measurements=measured,
        dataset=dataset,
        training=samples,
        validation=samples,
        batch_size=1,
        task=task,
        logits={"val": np.asarray(logits, np.float64)},
        rows={"val": np.arange(1, len(labels) + 1)},
    )


def made(rows=200, seed=0):
    random = np.random.default_rng(seed)
    labels = (random.uniform(size=(rows, 3)) < [0.5, 0.3, 0.1]).astype(int)
    return labels, random.normal(size=(rows, 3)) + 2 * labels - 1


def text_of(name, run):
    drawn = PICTURES[name]().draw(run)
    assert isinstance(drawn, Svg)
    return drawn.text


@pytest.mark.parametrize("thresholds", [None, (0.3, 0.5, 0.2)])
def test_what_they_say_of_each_label_is_what_scikit_learn_counts(thresholds):
    labels, logits = made()
    run = run_of_labels(labels, logits, thresholds)
    shares = 1 / (1 + np.exp(-logits))
    said = shares > np.array(thresholds or (0.5,) * 3)
    scored = not_none(shown_labels(run))
    np.testing.assert_array_equal(scored.predicted, said)
    np.testing.assert_allclose(f1_of_labels(scored), f1_score(labels, said, average=None), rtol=1e-12)
    found = {name: text_of(name, run) for name in ("label_roc_curves", "label_precision_recall", "label_f1")}
    for place, name in enumerate(NAMES):
        area = share_text(roc_auc_score(labels[:, place], shares[:, place]))
        assert re.search(rf">{name}</text>.*area {area}", found["label_roc_curves"], re.DOTALL)
        precision = share_text(average_precision_score(labels[:, place], shares[:, place]))
        assert (
            f"{precision}; dashed: its share, {share_text(labels[:, place].mean())}"
            in found["label_precision_recall"]
        )
        right = int((said[:, place] & (labels[:, place] == 1)).sum())
        counts = f"{labels[:, place].sum()} have it, {said[:, place].sum()} are said to, {right} rightly"
        assert counts in found["label_f1"]
        bins = np.minimum((shares[:, place] * 15).astype(int), 14)
        error = sum(
            abs(shares[bins == each, place].sum() - labels[bins == each, place].sum()) for each in range(15)
        )
        assert calibration_error(scored, place) == pytest.approx(error / len(labels), rel=1e-9)
    assert "validation part, 200 rows" in text_of("label_calibration", run)


def test_the_rows_with_the_greatest_loss_name_the_label_that_is_most_off():
    labels = [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    logits = [[4.0, -4, -4], [4, -9, -4], [-1, -2, 3]]
    run = run_of_labels(labels, logits)
    ((_, first), *_) = greatest_losses([not_none(shown_labels(run))])
    assert first == 1
    said = text_of("greatest_losses", run)
    cells = re.findall(r">([^<]+)</text>", said)
    start = cells.index("2")
    assert cells[start : start + 5] == ["2", "validation", "round", "yes", "no"]
    assert "1 predicted wrong" in said


def test_labels_of_one_kind_and_rows_that_overflow_are_said():
    labels, logits = made(30)
    labels[:, 2] = 0
    logits[3, 1] = np.nan
    logits[:, 2] = -5
    run = run_of_labels(labels, logits)
    assert not_none(shown_labels(run)).of_no_label == 1
    for name in ("label_roc_curves", "label_precision_recall"):
        said = text_of(name, run)
        assert "1 of 3 labels has rows of one kind" in said
        assert "1 whose numbers overflow left out" in said
    assert "no row has it, and none is said to" in text_of("label_f1", run)
    nothing = run_of_labels(labels, np.full((30, 3), np.nan))
    assert scored_labels(nothing) == {}
    assert PICTURES["label_f1"]().draw(nothing) is None


def test_of_many_labels_the_worst_are_drawn():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (60, 40))
    names = tuple(f"label {place}" for place in range(40))
    run = run_of_labels(labels, random.normal(size=(60, 40)) + labels, names=names)
    assert "the 7 labels with the least are drawn" in text_of("label_roc_curves", run)
    assert "the 7 labels that are off most are drawn" in text_of("label_calibration", run)
    assert "the 30 labels with the least are drawn" in text_of("label_f1", run)
