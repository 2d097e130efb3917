"""What the metrics of predicted numbers have in common."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import FloatArray, Metric, Outputs, Tally

Numbers = NDArray[np.floating[Any]]


def mean_of_rows(numbers: Numbers) -> NDArray[np.float64]:
    """Return the mean over the rows of numbers (..., N, K), (..., K); the same bits alone and in a stack."""
    by_target = np.ascontiguousarray(np.moveaxis(numbers, -1, -2))  # NumPy's order depends on the other axes
    mean: NDArray[np.float64] = by_target.mean(axis=-1)
    return mean


def root_mean_square(errors: Numbers) -> NDArray[np.float64]:
    """Return the root of the mean square of errors (..., N, K), (..., K); no square over- or underflows."""
    with np.errstate(all="ignore"):
        size = np.abs(errors).max(axis=-2, keepdims=True)
        size = np.where((size > 0) & np.isfinite(size), size, 1.0)
        mean: NDArray[np.float64] = np.sqrt(mean_of_rows(np.square(errors / size))) * size[..., 0, :]
    return mean


@dataclass(frozen=True, kw_only=True)
class MetricOfNumbers(Metric):
    """A metric of numbers (R, N, K) that are predicted for labels (N, K) or (R, N, K), in their own units."""

    name: str
    task: ClassVar[str] = "regression"
    per_target: ClassVar[bool] = True
    format: ClassVar[str] = ""

    @abstractmethod
    def of_targets(self, labels: Numbers, predicted: Numbers) -> FloatArray:
        """Return the metric of each target, (R, K)."""

    def compute(self, logits: FloatArray, labels: Numbers, predicted: Numbers) -> FloatArray:  # noqa: ARG002
        """Return the metric of each target, (R, K); NaN if a row's numbers overflow."""
        with np.errstate(all="ignore"):
            values = self.of_targets(labels, predicted)
        lost = ~np.isfinite(predicted).all(axis=-2)
        return np.where(lost, np.nan, values)

    def tally(self, replicas: int, rows: int) -> Tally:  # noqa: ARG002 (what others need)
        """Return a tally that keeps the numbers."""
        return _Numbers(self)


class _Numbers(Tally):
    def __init__(self, metric: MetricOfNumbers) -> None:
        self._metric = metric
        self._labels: list[Numbers] = []
        self._predicted: list[Numbers] = []

    def add(self, outputs: Outputs) -> None:
        self._labels.append(np.asarray(outputs.labels))
        self._predicted.append(np.asarray(outputs.predicted))

    def value(self) -> FloatArray:
        predicted = np.concatenate(self._predicted, axis=-2)
        return self._metric.compute(predicted, np.concatenate(self._labels, axis=-2), predicted)
