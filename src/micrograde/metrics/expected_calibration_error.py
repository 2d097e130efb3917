"""The expected calibration error."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import METRICS, FloatArray, Labels, Metric
from micrograde.metrics.probabilities import probabilities

BINS = 15


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class ExpectedCalibrationError(Metric):
    """How far the confidence in the likeliest class is from its accuracy, in 15 bins (Guo et al. 2017).

    The confidence is the probability of the most probable class, for two classes, too, whatever threshold
    there is. A bin holds its upper edge and not its lower one, and the first also 0. It weighs by its rows,
    so that an empty one weighs nothing.
    """

    name: Literal["expected_calibration_error"] = "expected_calibration_error"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:  # noqa: ARG002
        """Return the mean distance, (R,); NaN if a row has no class."""
        confidence = probabilities(logits).max(axis=-1)
        return bin_by_confidence(confidence, logits.argmax(axis=-1) == labels).error


class ConfidenceBins(NamedTuple):
    """Rows by their confidence, in bins of equal width.

    Attributes
    ----------
    rows, correct
        The number of rows in each bin, and of those that are predicted right, (R, B).
    confidence
        The sum of the rows' confidence, (R, B).
    """

    rows: NDArray[np.int64]
    correct: NDArray[np.int64]
    confidence: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """The expected calibration error, (R,)."""
        distances: NDArray[np.float64] = np.abs(self.correct - self.confidence).sum(axis=-1)
        distances /= self.rows.sum(axis=-1)
        return distances


def bin_by_confidence(confidence: FloatArray, correct: NDArray[np.bool_], bins: int = BINS) -> ConfidenceBins:
    """Sort rows into bins (low, high] of equal width by their confidence, the first with 0.

    Parameters
    ----------
    confidence
        The probability of the most probable class, from 0 to 1, (R, N).
    correct
        Whether it is right, (R, N).
    """
    shape = len(confidence), bins
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    within = np.searchsorted(edges, confidence, side="left")
    cells = (np.arange(len(confidence))[:, np.newaxis] * bins + within).ravel()
    size = shape[0] * bins
    confidences: NDArray[np.float64] = np.bincount(cells, confidence.ravel(), size).astype(np.float64)
    return ConfidenceBins(
        np.bincount(cells, minlength=size).reshape(shape),
        np.bincount(cells[correct.ravel()], minlength=size).reshape(shape),
        confidences.reshape(shape),
    )
