"""Precision-recall curves: how many of the rows that are taken for a class are of it."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.confusion import shorten
from micrograde.drawing.run.scored_rows import share_text
from micrograde.drawing.run.share_curves import (
    LINE_COLOURS,
    MOST_CURVES,
    PART_COLOURS,
    ShareCurve,
    draw_share_curves,
)
from micrograde.drawing.run.thresholds import (
    PartCurves,
    classes_to_draw,
    curves_of_parts,
    words_on_classes,
)
from micrograde.drawing.svg import Svg
from micrograde.metrics.thresholds import threshold_text


def draw_precision_recall(parts: Sequence[PartCurves], *, class_names: Sequence[str], title: str) -> Svg:
    """Draw each class against the rest; of two classes the second, the positive one, in each of the parts.

    The dashed lines are the shares of the classes: the precision of taking any rows for it.
    """
    if len(class_names) == 2:
        curves, point = _of_two_classes(parts, class_names)
    else:
        curves, point = _of_each_class(parts[0], class_names)
    return draw_share_curves(
        curves,
        title=title,
        point=f"{parts[0].rows.words()}{point}",
        x_label="recall: share of the class that is found",
        y_label="precision: share that is right of what is taken for it",
        name="precision-recall curves",
    )


def _curve(
    part: PartCurves, number: int, name: str, colour: str, mark: tuple[float, float] | None = None
) -> ShareCurve | None:
    points = part.of_class(number).precision_recall()
    if points is None:
        return None
    share = float(np.mean(part.rows.labels == number))
    value = f"{share_text(part.precision_recall[number])}; dashed: its share, {share_text(share)}"
    return ShareCurve(points, name, value, ((0.0, share), (1.0, share)), colour, mark)


def _of_two_classes(parts: Sequence[PartCurves], names: Sequence[str]) -> tuple[list[ShareCurve], str]:
    found = [
        _curve(part, 1, f"{part.rows.part} part", PART_COLOURS[part.rows.part], _as_predicted(part))
        for part in parts
    ]
    curves = [curve for curve in found if curve]
    first, positive = parts[0], shorten(names[1])
    if np.isnan(first.precision_recall[1]):
        return curves, f": no curve, because none is of the positive class {positive}"
    mark = _as_predicted(first)
    count = np.count_nonzero(first.rows.labels)
    point = (
        f", {count} of the positive class {positive}: average precision "
        f"{share_text(first.precision_recall[1])}, where chance has {share_text(count / len(first.rows))}; "
        f"at the threshold {threshold_text(first.rows.threshold)} "
    )
    if mark is None:
        return curves, f"{point}no row is taken for it"
    recall, precision = mark
    return curves, f"{point}precision {share_text(precision)}, recall {share_text(recall)}"


def _as_predicted(part: PartCurves) -> tuple[float, float] | None:
    """Return recall and precision of the second class as the rows are predicted; None if one is undefined."""
    taken, of_it = part.rows.predicted == 1, part.rows.labels == 1
    return (float(taken[of_it].mean()), float(of_it[taken].mean())) if of_it.any() and taken.any() else None


def _of_each_class(part: PartCurves, names: Sequence[str]) -> tuple[list[ShareCurve], str]:
    areas = part.precision_recall
    drawn = classes_to_draw(areas, MOST_CURVES)
    coloured = zip(drawn, LINE_COLOURS, strict=False)
    found = [_curve(part, number, names[number], colour) for number, colour in coloured]
    words = words_on_classes("average precision", areas, names, drawn)
    return [each for each in found if each], f": {words}"


@PICTURES.register
class PrecisionRecall(RunPicture):
    """How many of the rows that are taken for a class are of it, against how many of the class are found."""

    name: ClassVar[str] = "precision_recall"
    task: ClassVar[str | None] = "classification"
    files: ClassVar[tuple[str, ...]] = ("figures/precision_recall.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the validation part, else the test part; of two classes both."""
        parts = run.once(curves_of_parts)
        names = run.dataset.class_names
        return draw_precision_recall(parts, class_names=names, title=run.title) if parts else None
