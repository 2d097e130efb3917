"""Whether predicted numbers are better than always saying the training part's mean, or its median."""

import numpy as np
from numpy.typing import NDArray

from micrograde.diagnostics.kept_model import PredictedNumbers

_HARDLY, _LITTLE = 0.02, 0.06  # shares of the baseline's errors; what is above the second is no chance
_SURE = 2.0  # standard errors


def is_no_better(found: PredictedNumbers, training: PredictedNumbers, target: int) -> bool:
    """Return whether a predicted number is hardly better than the training part's mean and median."""
    true, residuals = found.targets[:, target], found.residuals[:, target]
    if (true == true[0]).all():
        return False
    if not np.isfinite(root_mean_square(residuals)):
        return False  # other findings say so
    median = np.median(training.targets[:, target])
    squares, distances = true**2 - residuals**2, np.abs(true - median) - np.abs(residuals)
    return not (_is_much(squares, true**2) or _is_much(distances, np.abs(true - median)))


def _is_much(gains: NDArray[np.float64], of: NDArray[np.float64]) -> bool:
    """Return whether the mean of gains (n,) is a fair share of the mean of (n,), and no matter of chance.

    Steps that are far too small go in the right direction, too: what they gain is no chance, and very little.
    """
    share, chance = gains.mean() / of.mean(), gains.std() / np.sqrt(len(gains)) / of.mean()
    return bool(share > _HARDLY and (share > _LITTLE or share > _SURE * chance))


def root_mean_square(errors: NDArray[np.float64]) -> float:
    """Return the root of the mean of the squares of errors (n,)."""
    return float(np.sqrt(np.mean(errors**2)))
