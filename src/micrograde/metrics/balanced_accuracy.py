"""Balanced accuracy."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.confusion import ConfusionMetric, Counts, mean_of_defined, ratio, right


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class BalancedAccuracy(ConfusionMetric):
    """The mean over the classes of the fraction of their rows that are predicted right.

    Classes without rows are left out, as in scikit-learn. Always saying one class gives 1 over the number of
    classes, however unequal these are.
    """

    name: Literal["balanced_accuracy"] = "balanced_accuracy"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def of_counts(self, counts: Counts) -> FloatArray:
        """Return the mean recall, (R,)."""
        return mean_of_defined(ratio(right(counts), counts.sum(axis=2)))
