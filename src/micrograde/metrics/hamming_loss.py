"""The share of labels of which something wrong is said."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.truths import Counts, LabelMetric


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class HammingLoss(LabelMetric):
    """Of several labels a row, the fraction that is wrong, a mean over rows and labels.

    Of each label it is recorded, too, as ``hamming_loss/<label>``: the fraction of rows that are wrong.
    """

    name: Literal["hamming_loss"] = "hamming_loss"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"
    ranks: ClassVar[bool] = True

    def of_counts(self, right: Counts, true: Counts, said: Counts, wrong: Counts, rows: int) -> FloatArray:  # noqa: ARG002
        """Return the fraction of wrong rows, (R, K)."""
        return wrong / rows
