"""Recall of each label."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.truths import Counts, LabelMetric, share


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class LabelRecall(LabelMetric):
    """Of each label, the fraction of the rows with it that are said to have it, and the mean over the labels.

    Undefined if no row has a label; so is the mean then.
    """

    name: Literal["label_recall"] = "label_recall"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def of_counts(self, right: Counts, true: Counts, said: Counts, wrong: Counts, rows: int) -> FloatArray:  # noqa: ARG002
        """Return the recalls, (R, K)."""
        return share(right, true)
