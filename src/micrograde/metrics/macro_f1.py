"""The F1 score, as a mean over the classes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.confusion import ConfusionMetric, Counts, mean_of_defined, ratio, right


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class MacroF1(ConfusionMetric):
    """The mean over the classes of F1, the harmonic mean of precision and recall.

    Classes that no row has and none is predicted as are left out, as in scikit-learn. A class that has rows
    and is never predicted, or is predicted and has none, counts as 0.
    """

    name: Literal["macro_f1"] = "macro_f1"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def of_counts(self, counts: Counts) -> FloatArray:
        """Return the mean of ``2 right / (rows + predicted)``, (R,)."""
        predicted = counts[..., :-1].sum(axis=1)
        return mean_of_defined(ratio(2 * right(counts), counts.sum(axis=2) + predicted))
