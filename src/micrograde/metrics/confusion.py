"""Metrics of how often each class is predicted as each: what they share."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import FloatArray, IntArray, Labels, Metric, Outputs, Tally

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ConfusionMetric(Metric):
    """A metric of the confusion matrix; no logits are kept for it."""

    name: str

    @abstractmethod
    def of_counts(self, counts: Counts) -> FloatArray:
        """Return the metric of ``confusion`` counts (R, C, C + 1), (R,) or (R, C)."""

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the metric of the rows, (R,) or (R, C)."""
        return self.of_counts(confusion(labels, predicted, logits.shape[-1]))

    def tally(self, replicas: int, rows: int) -> Tally:  # noqa: ARG002 (what others need)
        """Return a tally that adds up the counts."""
        return _Counts(self)


class _Counts(Tally):
    def __init__(self, metric: ConfusionMetric) -> None:
        self._metric, self._counts = metric, np.zeros((), np.int64)

    def add(self, outputs: Outputs) -> None:
        self._counts = self._counts + confusion(outputs.labels, outputs.predicted, outputs.logits.shape[-1])

    def value(self) -> FloatArray:
        return self._metric.of_counts(self._counts)


def confusion(labels: IntArray, predicted: IntArray, classes: int) -> Counts:
    """Count how often each true class is predicted as each class, (R, C, C + 1).

    The last column counts the rows of no class.

    Parameters
    ----------
    labels
        (N,) or (R, N).
    predicted
        (R, N); -1 for no class.
    """
    replicas = len(predicted)
    found = np.where(predicted < 0, classes, predicted)
    rows = np.arange(replicas)[:, np.newaxis] * classes + labels
    cells = replicas * classes * (classes + 1)
    counts = np.bincount((rows * (classes + 1) + found).ravel(), minlength=cells)
    return counts.reshape(replicas, classes, classes + 1)


def right(counts: Counts) -> Counts:
    """Return how many rows of each class are predicted as it, (R, C)."""
    return np.ascontiguousarray(np.diagonal(counts, axis1=1, axis2=2))


def ratio(numerators: Counts, denominators: Counts) -> NDArray[np.float64]:
    """Return the ratios (R, C); NaN where the denominator is zero."""
    shares = np.full(denominators.shape, np.nan)
    np.divide(numerators, denominators, out=shares, where=denominators > 0)
    return shares


def mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (R,) of the values (R, C) that are not NaN; NaN if there is none."""
    defined = ~np.isnan(values)
    count = np.count_nonzero(defined, axis=-1)
    total = np.where(defined, values, 0.0).sum(axis=-1)
    mean = np.full(len(values), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
