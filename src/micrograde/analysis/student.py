"""Student's t for confidence intervals, in NumPy: importing SciPy for it takes longer than a whole report."""

import math
from statistics import NormalDist

import numpy as np

_CLOSED_FORM = 200  # degrees of freedom up to which its sum is taken; beyond, the expansion is as exact


def t_quantile(freedom: int, confidence: float = 0.95) -> float:
    """What a mean lies within, in standard errors, with this confidence; NaN without degrees of freedom.

    By Abramowitz and Stegun: the closed form 26.7.3-4, inverted by bisection, or the expansion 26.7.5;
    exact to eleven digits.
    """
    if freedom < 1:
        return math.nan
    if freedom > _CLOSED_FORM:
        return _expanded(NormalDist().inv_cdf(0.5 + confidence / 2), freedom)
    low, high = 0.0, math.pi / 2
    while True:
        angle = (low + high) / 2
        if angle in (low, high):
            return math.sqrt(freedom) * math.tan(angle)
        if _within(angle, freedom) < confidence:
            low = angle
        else:
            high = angle


def _within(angle: float, freedom: int) -> float:
    """The probability of a smaller |t|, where t = sqrt(freedom) tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    if freedom == 1:
        return 2 * angle / math.pi
    odd = freedom % 2
    steps = np.arange(2 + odd, freedom - 1, 2.0)  # 3, 5... or 2, 4... up to freedom - 2
    factors = np.concatenate([[1.0], (steps - 1) / steps * cosine**2])
    total = float(np.cumprod(factors).sum())
    return 2 / math.pi * (angle + sine * cosine * total) if odd else sine * total


def _expanded(z: float, freedom: int) -> float:
    """From the normal distribution's quantile, by powers of 1 / freedom."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / freedom**power for power, term in enumerate(terms, 1))
