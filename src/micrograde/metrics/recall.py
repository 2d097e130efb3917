"""Recall of each class."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.confusion import ConfusionMetric, Counts, ratio, right


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class Recall(ConfusionMetric):
    """Of each class, the fraction of its rows that are predicted as it; undefined if it has no rows."""

    name: Literal["recall"] = "recall"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"
    per_class: ClassVar[bool] = True
    needs: ClassVar[str] = "rows of the class"

    def of_counts(self, counts: Counts) -> FloatArray:
        """Return the recalls, (R, C)."""
        return ratio(right(counts), counts.sum(axis=2))
