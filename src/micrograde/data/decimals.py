"""Numbers of short floating-point types as the decimals that write them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_DIGITS = (6, 7, 8, 9)
"""Significant digits: 6 survive a float32, and 9 tell any two apart."""

_EXACT = 10.0 ** np.arange(23)  # float64 represents these powers of ten exactly, but no higher ones


def shortest_decimals(numbers: NDArray[Any]) -> NDArray[np.float64]:
    """Return float16 and float32 as the float64 of their shortest decimals; others as float64.

    The float32 nearest to 0.1 becomes 0.1, as it is written in a CSV file, and not 0.10000000149011612.
    """
    if numbers.dtype.kind != "f" or numbers.dtype.itemsize > 4:
        return numbers.astype(np.float64, copy=False)
    if numbers.dtype.itemsize == 2:  # there are few different ones
        return _by_text(numbers)
    return _of_float32(np.ascontiguousarray(numbers, np.float32).ravel()).reshape(numbers.shape)


def _of_float32(numbers: NDArray[np.float32]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a signalling NaN
        found = numbers.astype(np.float64)
    sizes = np.abs(found)
    # Within these bounds only exact powers of ten are needed, so that a decimal is rounded once.
    left = np.flatnonzero((sizes > 1e-13) & (sizes < 1e13))
    odd = np.flatnonzero(((sizes <= 1e-13) | (sizes >= 1e13)) & (sizes > 0) & np.isfinite(sizes))
    for digits in _DIGITS:
        values = found[left]
        places = digits - 1 - np.floor(np.log10(np.abs(values))).astype(np.int64)
        scale = _EXACT[np.abs(places)]
        decimals = np.where(places >= 0, np.rint(values * scale) / scale, np.rint(values / scale) * scale)
        same = decimals.astype(np.float32) == numbers[left]
        found[left[same]] = decimals[same]
        left = left[~same]
    rest = np.concatenate([left, odd])
    if len(rest):
        found[rest] = _by_text(numbers[rest])
    return found


def _by_text(numbers: NDArray[Any]) -> NDArray[np.float64]:
    values, places = np.unique(numbers, return_inverse=True)
    return np.array([float(str(each)) for each in values], np.float64)[places].reshape(numbers.shape)
