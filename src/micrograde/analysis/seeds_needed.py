"""How many seeds a comparison would need."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

POWER = 0.8
MOST = 1000
"""Numbers of seeds beyond this are not told apart."""


def seeds_needed(difference: FloatArray, std: FloatArray, level: FloatArray, overlap: float) -> FloatArray:
    """Return how many observations find differences like these in four of five cases, by a paired t-test.

    Parameters
    ----------
    difference, std
        (S,) mean and standard deviation of the paired differences.
    level
        (S,) what the p-value of each is to be below.
    overlap
        See ``Blocks``; where it is not 0, no number may be enough.

    Returns
    -------
    needed
        (S,) from 2 to ``MOST``, infinite if more are needed; NaN where ``std`` is NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(difference == 0, 0.0, np.abs(difference) / std)
    few, many = np.full(len(effect), 1), np.full(len(effect), MOST)
    found = _power(many, effect, level, overlap) >= POWER
    while (many - few > 1).any():
        middle = (few + many) // 2
        enough = _power(middle, effect, level, overlap) >= POWER
        many, few = np.where(enough, middle, many), np.where(enough, few, middle)
    return np.where(np.isfinite(std), np.where(found, np.maximum(many, 2), np.inf), np.nan)


def _power(count: NDArray[np.integer], effect: FloatArray, level: FloatArray, overlap: float) -> FloatArray:
    """Return the chance (S,) that a t-test of so many observations finds effects of this size (S,)."""
    from scipy.special import nctdtr, stdtrit

    freedom = np.maximum(count - 1, 1).astype(float)
    shift = np.minimum(effect, 1e3) / np.sqrt(1 / np.maximum(count, 1) + overlap)
    beyond = stdtrit(freedom, 1 - level / 2)
    missed = nctdtr(freedom, shift, beyond)
    # SciPy returns NaN for some shifts near 38.6, where the chance to miss is too small for a float.
    missed = np.where(np.isnan(missed) & ~np.isnan(shift), 0.0, missed)
    return np.where(count > 1, 1 - missed, 0.0)
