"""Precision of each class."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.confusion import ConfusionMetric, Counts, ratio, right


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class Precision(ConfusionMetric):
    """Of each class, the fraction of the rows predicted as it that are of it; undefined if there are none."""

    name: Literal["precision"] = "precision"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"
    per_class: ClassVar[bool] = True
    needs: ClassVar[str] = "rows that are predicted as the class"

    def of_counts(self, counts: Counts) -> FloatArray:
        """Return the precisions, (R, C)."""
        return ratio(right(counts), counts[..., :-1].sum(axis=1))
