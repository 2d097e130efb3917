"""Precision of each label."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.truths import Counts, LabelMetric, share


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class LabelPrecision(LabelMetric):
    """Of each label, the fraction of the rows said to have it that do, and the mean over the labels.

    Undefined if no row is said to have a label; so is the mean then.
    """

    name: Literal["label_precision"] = "label_precision"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def of_counts(self, right: Counts, true: Counts, said: Counts, wrong: Counts, rows: int) -> FloatArray:  # noqa: ARG002
        """Return the precisions, (R, K)."""
        return share(right, said)
