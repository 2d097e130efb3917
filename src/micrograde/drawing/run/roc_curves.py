"""ROC curves: what share of a class is found, at the price of how many false alarms."""

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

_CHANCE = ((0.0, 0.0), (1.0, 1.0))


def draw_roc_curves(parts: Sequence[PartCurves], *, class_names: Sequence[str], title: str) -> Svg:
    """Draw each class against the rest; of two classes the second, the positive one, in each of the parts."""
    if len(class_names) == 2:
        curves, point = _of_two_classes(parts, class_names)
    else:
        curves, point = _of_each_class(parts[0], class_names)
    return draw_share_curves(
        curves,
        title=title,
        point=f"{parts[0].rows.words()}{point}",
        x_label="false alarms: share of the others that are taken for it",
        y_label="recall: share of the class that is found",
        name="ROC curves",
    )


def _of_two_classes(parts: Sequence[PartCurves], names: Sequence[str]) -> tuple[list[ShareCurve], str]:
    curves = []
    for part in parts:
        points = part.of_class(1).roc()
        if points:
            name, value = f"{part.rows.part} part", f"area {share_text(part.roc[1])}"
            colour = PART_COLOURS[part.rows.part]
            curves.append(ShareCurve(points, name, value, _CHANCE, colour, _as_predicted(part)))
    first = parts[0]
    labels = first.rows.labels
    if np.isnan(first.roc[1]):
        only = shorten(names[int(labels[0])])
        return curves, f": no curve, because {'it' if len(labels) == 1 else 'each'} is of class {only}"
    alarms, recall = _as_predicted(first)
    return curves, (
        f", {np.count_nonzero(labels)} of the positive class {shorten(names[1])}: "
        f"area {share_text(first.roc[1])}; "
        f"at the threshold {threshold_text(first.rows.threshold)} recall {share_text(recall)}, "
        f"false alarms {share_text(alarms)}"
    )


def _as_predicted(part: PartCurves) -> tuple[float, float]:
    """Return the false alarms and the recall of the second class as the rows are predicted."""
    taken, of_it = part.rows.predicted == 1, part.rows.labels == 1
    return float(taken[~of_it].mean()), float(taken[of_it].mean())


def _of_each_class(part: PartCurves, names: Sequence[str]) -> tuple[list[ShareCurve], str]:
    drawn = classes_to_draw(part.roc, MOST_CURVES)
    if not drawn:
        return [], f": no curves, because all are of class {shorten(names[int(part.rows.labels[0])])}"
    curves = []
    for number, colour in zip(drawn, LINE_COLOURS, strict=False):
        points = part.of_class(number).roc()
        if points:
            value = f"area {share_text(part.roc[number])}"
            curves.append(ShareCurve(points, names[number], value, _CHANCE, colour))
    return curves, f": {words_on_classes('area', part.roc, names, drawn)}"


@PICTURES.register
class RocCurves(RunPicture):
    """How many of a class are found for how many false alarms, with the areas under the curves."""

    name: ClassVar[str] = "roc_curves"
    task: ClassVar[str | None] = "classification"
    files: ClassVar[tuple[str, ...]] = ("figures/roc_curves.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the validation part, else the test part; of two classes both."""
        parts = run.once(curves_of_parts)
        return draw_roc_curves(parts, class_names=run.dataset.class_names, title=run.title) if parts else None
