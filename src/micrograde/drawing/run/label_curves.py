"""ROC curves, precision-recall curves and calibration of several labels, a curve for each."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_labels import ScoredLabels, shown_labels, words_on_labels
from micrograde.drawing.run.scored_rows import share_text
from micrograde.drawing.run.share_curves import LINE_COLOURS, MOST_CURVES, ShareCurve, draw_share_curves
from micrograde.drawing.run.thresholds import area_under, classes_to_draw
from micrograde.drawing.svg import Svg
from micrograde.metrics.expected_calibration_error import BINS

Ends = tuple[tuple[float, float], tuple[float, float]]
_DIAGONAL: Ends = ((0.0, 0.0), (1.0, 1.0))


def draw_label_roc(scored: ScoredLabels, *, title: str) -> Svg:
    """Draw for each label what share of its rows is found, for how many false alarms; dots: as said."""
    areas = _each(scored, lambda place: area_under(scored.of_label(place).roc()))
    curves = []
    for place, colour in _drawn(areas):
        points = scored.of_label(place).roc()
        true, said = scored.labels[:, place] == 1, scored.predicted[:, place] == 1
        if points:
            mark = (float(said[~true].mean()), float(said[true].mean()))
            value = f"area {share_text(areas[place])}"
            curves.append(ShareCurve(points, scored.names[place], value, _DIAGONAL, colour, mark))
    return draw_share_curves(
        curves,
        title=title,
        point=f"{scored.words()}: {words_on_labels('area', areas, scored.names, len(curves))}",
        x_label="false alarms: share of the others that are said to have it",
        y_label="recall: share of the label's rows that is found",
        name="ROC curves of labels",
    )


def draw_label_precision_recall(scored: ScoredLabels, *, title: str) -> Svg:
    """Draw for each label how many of the rows that are said to have it do; dashed is the label's share."""
    both = ((scored.labels == 1).any(axis=0)) & ((scored.labels == 0).any(axis=0))
    areas = _each(
        scored,
        lambda place: area_under(scored.of_label(place).precision_recall()) if both[place] else np.nan,
    )
    curves = []
    for place, colour in _drawn(areas):
        points = scored.of_label(place).precision_recall()
        true, said = scored.labels[:, place] == 1, scored.predicted[:, place] == 1
        if points:
            share = float(true.mean())
            mark = (float(said[true].mean()), float(true[said].mean())) if said.any() else None
            value = f"{share_text(areas[place])}; dashed: its share, {share_text(share)}"
            chance = ((0.0, share), (1.0, share))
            curves.append(ShareCurve(points, scored.names[place], value, chance, colour, mark))
    words = words_on_labels("average precision", areas, scored.names, len(curves))
    return draw_share_curves(
        curves,
        title=title,
        point=f"{scored.words()}: {words}",
        x_label="recall: share of the label's rows that is found",
        y_label="precision: share that has it of what is said to",
        name="precision-recall curves of labels",
    )


def draw_label_calibration(scored: ScoredLabels, *, title: str) -> Svg:
    """Draw for each label, of rows of like probability, the share that has it; on the diagonal both agree."""
    errors = _each(scored, lambda place: calibration_error(scored, place))
    worst = np.argsort(-errors, kind="stable")[:MOST_CURVES]
    curves = []
    for place, colour in zip(sorted(worst.tolist()), LINE_COLOURS, strict=False):
        means, shares, _ = _bins(scored, place)
        value = f"off by {share_text(float(errors[place]))} on average"
        curves.append(ShareCurve((means, shares), scored.names[place], value, _DIAGONAL, colour))
    most = int(errors.argmax())
    words = (
        f"probabilities are off by {share_text(float(errors.mean()))} on average over the labels, most "
        f"{share_text(float(errors[most]))} ({scored.names[most]})"
    )
    if len(curves) < len(errors):
        words += f"; the {len(curves)} labels that are off most are drawn"
    return draw_share_curves(
        curves,
        title=title,
        point=f"{scored.words()}: {words}",
        x_label=f"probability of the label, mean of each {BINS}th",
        y_label="share of these rows that has it",
        name="calibration of labels",
    )


def calibration_error(scored: ScoredLabels, place: int) -> float:
    """Return by how much the probabilities of a label are off, the mean over its rows in equal bins."""
    means, shares, rows = _bins(scored, place)
    return float(np.sum(np.abs(means - shares) * rows) / len(scored))


def _bins(scored: ScoredLabels, place: int) -> tuple[NDArray[np.float64], ...]:
    """Return mean probability, share that has the label, and rows of each bin that has rows."""
    shares, true = scored.probabilities[:, place], scored.labels[:, place] == 1
    bin_of = np.minimum((shares * BINS).astype(int), BINS - 1)
    rows = np.bincount(bin_of, minlength=BINS)
    there = rows > 0
    means, found = (np.bincount(bin_of, each, BINS)[there] / rows[there] for each in (shares, true))
    return means, found, rows[there].astype(np.float64)


def _each(scored: ScoredLabels, measure: Callable[[int], float]) -> NDArray[np.float64]:
    return np.array([measure(place) for place in range(len(scored.names))], np.float64)


def _drawn(areas: NDArray[np.float64]) -> list[tuple[int, str]]:
    return list(zip(classes_to_draw(areas, MOST_CURVES), LINE_COLOURS, strict=False))


class _LabelCurves(RunPicture):
    task: ClassVar[str | None] = "multilabel"
    drawing: ClassVar[Callable[..., Svg]]

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the validation part, else the test part, else the training part."""
        scored = shown_labels(run)
        return type(self).drawing(scored, title=run.title) if scored else None


@PICTURES.register
class LabelRocCurves(_LabelCurves):
    """Of several labels: how many rows of each are found for how many false alarms, and the areas."""

    name: ClassVar[str] = "label_roc_curves"
    files: ClassVar[tuple[str, ...]] = ("figures/label_roc_curves.svg",)
    drawing: ClassVar[Callable[..., Svg]] = staticmethod(draw_label_roc)


@PICTURES.register
class LabelPrecisionRecall(_LabelCurves):
    """Of several labels: how many of the rows said to have each do, against how many of its are found."""

    name: ClassVar[str] = "label_precision_recall"
    files: ClassVar[tuple[str, ...]] = ("figures/label_precision_recall.svg",)
    drawing: ClassVar[Callable[..., Svg]] = staticmethod(draw_label_precision_recall)


@PICTURES.register
class LabelCalibration(_LabelCurves):
    """Of several labels: whether rows have each as often as their probabilities say."""

    name: ClassVar[str] = "label_calibration"
    files: ClassVar[tuple[str, ...]] = ("figures/label_calibration.svg",)
    drawing: ClassVar[Callable[..., Svg]] = staticmethod(draw_label_calibration)
