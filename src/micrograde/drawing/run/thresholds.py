"""Curves over the threshold from which on a row is taken for a class, and the areas under them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.run import RunContents
from micrograde.drawing.run.confusion import shorten
from micrograde.drawing.run.scored_rows import ScoredRows, scored_parts, share_text
from micrograde.metrics.thresholds import Curve, Thresholds, thresholds


def area_under(curve: Curve | None) -> float:
    """Return the area under a curve's points, joined by straight lines; NaN if there is no curve."""
    return float(np.trapezoid(curve[1], curve[0])) if curve else np.nan


@dataclass(frozen=True)
class PartCurves:
    """A part, and the areas under its curves for each class, (C,); NaN where a class has none.

    Of two classes the first has none: only the second is drawn.
    """

    rows: ScoredRows
    roc: NDArray[np.float64]
    precision_recall: NDArray[np.float64]

    def of_class(self, number: int) -> Thresholds:
        """Return the thresholds of one class against the rest."""
        return thresholds(self.rows.probabilities[:, number], self.rows.labels == number)


def curves_of_parts(run: RunContents) -> list[PartCurves]:
    """Return the part that pictures show first and, of two classes, the test part; ask by ``run.once``."""
    parts = run.once(scored_parts)
    shown = list(parts.values())[:1]
    if len(run.dataset.class_names) == 2 and "test" in parts and shown[0] is not parts["test"]:
        shown.append(parts["test"])
    return [_with_areas(rows) for rows in shown]


def _with_areas(rows: ScoredRows) -> PartCurves:
    classes = rows.probabilities.shape[1]
    found = PartCurves(rows, np.full(classes, np.nan), np.full(classes, np.nan))
    for number in range(classes) if classes > 2 else (1,):
        each = found.of_class(number)
        found.roc[number] = area_under(each.roc())
        found.precision_recall[number] = area_under(each.precision_recall())
    return found


def classes_to_draw(areas: NDArray[np.float64], most: int) -> list[int]:
    """Return the classes that have a curve, if too many those with the least areas (C,), the least first."""
    drawn = np.flatnonzero(~np.isnan(areas))
    if len(drawn) > most:
        drawn = drawn[np.argsort(areas[drawn], kind="stable")[:most]]
    return drawn.tolist()


def words_on_classes(
    quantity: str, areas: NDArray[np.float64], names: Sequence[str], drawn: Sequence[int]
) -> str:
    """Return the mean and the least of the areas (C,), and which classes have no curve or are not drawn."""
    defined = areas[~np.isnan(areas)]
    least = int(np.nanargmin(areas))
    if (defined == areas[least]).all():
        words = f"each class against the rest has the {quantity} {share_text(areas[least])}"
    else:
        mean, lowest = share_text(defined.mean()), f"{share_text(areas[least])} ({shorten(names[least])})"
        words = f"each class against the rest, mean {quantity} {mean}, least {lowest}"
    missing = len(areas) - len(defined)
    if missing:
        words += f"; {missing} of {len(areas)} classes {'has' if missing == 1 else 'have'} no rows in it"
    if len(drawn) < len(defined):
        words += f"; the {len(drawn)} classes with the least are drawn"
    return words
