"""Correction of p-values for many comparisons: each of K settings with each other one."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_MOST_SETTINGS = 300  # of which the partitions are counted; more take seconds


def step_down(p: NDArray[np.float64], settings: int) -> NDArray[np.float64]:
    """Return what each p-value is to be multiplied by, so that the chance of any false one is kept.

    The method is Holm's, step by step from the smallest p-value on, with Shaffer's numbers: once a pair has
    been told apart, fewer of the others can all be equal. Of four settings there are 6 pairs; if two settings
    differ, at most 3 of the other pairs do not.

    Parameters
    ----------
    p
        (T,) p-values of pairs of settings that can be compared; they may be fewer than all pairs.
    settings
        K, the number of settings.

    Returns
    -------
    factors
        (T,), at least 1: ``min(1, p * factors)`` are the corrected p-values. They are those of a test at the
        level ``alpha / factors``, which a confidence interval is to be taken at for the two to agree.

    Notes
    -----
    J. P. Shaffer, "Modified sequentially rejective multiple test procedures", Journal of the American
    Statistical Association 81 (1986), 826-831, procedure S1.
    """
    if not len(p):
        return np.ones(0)
    most = np.minimum(_most_equal(settings)[: len(p)], np.arange(len(p), 0, -1))
    order = np.argsort(p, kind="stable")
    corrected = np.maximum.accumulate(p[order] * most)
    factors = np.empty(len(p))
    with np.errstate(invalid="ignore", divide="ignore"):
        factors[order] = np.where(p[order] > 0, corrected / p[order], most)
    return factors


@lru_cache(maxsize=8)
def _most_equal(settings: int) -> NDArray[np.float64]:
    """Return, for i = 0, 1, ..., how many pairs of K settings can be equal if i pairs are not, (K(K-1)/2,).

    Pairs that are equal are those within the parts of a partition of the settings. The numbers of pairs that
    partitions of k settings have are the bits of an integer.
    """
    pairs = settings * (settings - 1) // 2
    if settings > _MOST_SETTINGS:
        return np.arange(pairs, 0, -1, dtype=float)
    there_are = [1]
    for count in range(1, settings + 1):
        bits = 0
        for part in range(1, count + 1):
            bits |= there_are[count - part] << (part * (part - 1) // 2)
        there_are.append(bits)
    text = np.frombuffer(bin(there_are[settings])[2:].encode(), np.uint8)[::-1] == ord("1")
    numbers = np.flatnonzero(text)
    allowed = pairs - np.arange(pairs)
    return numbers[np.searchsorted(numbers, allowed, side="right") - 1].astype(float)
