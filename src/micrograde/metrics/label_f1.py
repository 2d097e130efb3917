"""F1 of each label."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.truths import Counts, LabelMetric, share


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class LabelF1(LabelMetric):
    """Of each label, the harmonic mean of precision and recall, and the mean over the labels.

    Undefined if no row has a label and none is said to; so is the mean then.
    """

    name: Literal["label_f1"] = "label_f1"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def of_counts(self, right: Counts, true: Counts, said: Counts, wrong: Counts, rows: int) -> FloatArray:  # noqa: ARG002
        """Return ``2 right / (true + said)``, (R, K)."""
        return share(2 * right, true + said)
