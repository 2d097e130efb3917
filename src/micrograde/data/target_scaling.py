"""Numbers to be predicted, shifted and scaled to mean 0 and standard deviation 1 on the training part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TargetScaling:
    """How K numbers become the targets of a network: ``(number - mean) / scale``.

    Parameters
    ----------
    means, scales
        Shape (K,).
    """

    means: FloatArray
    scales: FloatArray

    @classmethod
    def fit(cls, numbers: FloatArray, weights: FloatArray | None = None) -> "TargetScaling":
        """Fit to numbers (n, K) of the training part; deviations divide by n, a constant has scale 1.

        Rows may have weights (n,): a weight of 2 is the row twice.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(numbers).max(axis=0)
            size = np.where((size > 0) & np.isfinite(size), size, 1.0)
            shares = numbers / size
            if weights is None:
                means, scales = shares.mean(axis=0) * size, shares.std(axis=0) * size
            else:
                centre = np.average(shares, axis=0, weights=weights)
                variances = np.average(np.square(shares - centre), axis=0, weights=weights)
                means, scales = centre * size, np.sqrt(variances) * size
        constant = (numbers == numbers[:1]).all(axis=0)
        means = np.where(constant, numbers[0], means)
        return cls(means, np.where(constant | ~(scales > 0), 1.0, scales))

    def scaled(self, numbers: FloatArray, dtype: DTypeLike) -> NDArray[Any]:
        """Return targets (..., K) for a network, in its dtype."""
        targets: NDArray[Any] = ((numbers - self.means) / self.scales).astype(dtype)
        return targets

    def in_own_units(self, targets: NDArray[Any]) -> FloatArray:
        """Return the numbers (..., K) that targets, or what a network says, stand for."""
        numbers: FloatArray = np.asarray(targets, np.float64) * self.scales + self.means
        return numbers
