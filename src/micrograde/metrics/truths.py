"""What the metrics of several labels a row, each yes or no, have in common."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import FloatArray, IntArray, Labels, Metric, Outputs, Tally

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LabelMetric(Metric):
    """A metric of each of K labels that can be computed from counts of rows.

    Labels are 0 or 1, (N, K) or (R, N, K), and so are predictions, (R, N, K), -1 where a network's numbers
    overflow, which counts as wrong.
    """

    name: str
    task: ClassVar[str] = "multilabel"
    per_target: ClassVar[bool] = True

    @abstractmethod
    def of_counts(self, right: Counts, true: Counts, said: Counts, wrong: Counts, rows: int) -> FloatArray:
        """Return the metric of each label, (R, K).

        Parameters
        ----------
        right
            (R, K): the rows that have the label and are said to.
        true, said
            (R, K): the rows that have it, and those that are said to.
        wrong
            (R, K): the rows of which something wrong is said.
        """

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:  # noqa: ARG002
        """Return the metric of each label, (R, K)."""
        tally = _Counts(self)
        tally.count(labels, predicted)
        return tally.value()

    def tally(self, replicas: int, rows: int) -> Tally:  # noqa: ARG002 (what others need)
        """Return a tally that keeps counts alone."""
        return _Counts(self)


class _Counts(Tally):
    def __init__(self, metric: LabelMetric) -> None:
        self._metric, self._rows = metric, 0
        self._counts: list[Any] = []

    def add(self, outputs: Outputs) -> None:
        self.count(outputs.labels, outputs.predicted)

    def count(self, labels: Labels, predicted: Labels) -> None:
        true, said = np.broadcast_to(labels == 1, predicted.shape), predicted == 1
        self._rows += predicted.shape[-2]
        self._counts.append(
            [np.count_nonzero(each, axis=-2) for each in (true & said, true, said, predicted != labels)]
        )

    def value(self) -> FloatArray:
        right, true, said, wrong = np.sum(self._counts, axis=0)
        return self._metric.of_counts(right, true, said, wrong, self._rows)


def share(counts: IntArray, of: IntArray) -> NDArray[np.float64]:
    """Return the ratio of counts; NaN of none."""
    ratio = np.full(counts.shape, np.nan)
    np.divide(counts, of, out=ratio, where=of > 0)
    return ratio
