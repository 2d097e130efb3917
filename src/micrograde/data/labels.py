"""Conversion of class labels, as read from a file, to indices 0..C-1 and class names."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.messages import shortened

_LARGEST_WHOLE = 2.0**53  # beyond this, float64 cannot represent every whole number


def are_numbers(values: NDArray[Any]) -> bool:
    """Return whether labels (N,) or (N, K) can be no classes: there are several a row, or fractions."""
    if values.ndim > 1 or values.dtype.kind != "f":
        return values.ndim > 1 and values.dtype.kind in "biuf"
    there = values[~np.isnan(values)]
    return bool((there != np.floor(there)).any())


def encode_labels(values: NDArray[Any], source: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the index of each row's class, and the names of the classes, sorted by value.

    Parameters
    ----------
    values
        Shape (N,), without missing values: integers, booleans, strings, or floats that are whole numbers.
    source
        The config key and its value, with which error messages start.

    Raises
    ------
    InputError
        If the values are continuous, or of a type that cannot be classes.
    """
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # of a NaN that signals, as a damaged file may have
            whole = (np.abs(values) <= _LARGEST_WHOLE) & (values == np.floor(values))
        if not whole.all():
            example = float(values[~whole][0])
            raise InputError(
                f"{source}: holds continuous values such as {example}; classification needs classes, "
                "as integers or strings"
            )
    elif values.dtype.kind not in "iubUT":
        raise InputError(
            f"{source}: holds values such as {shortened(repr(values[0]))}; "
            "classes must be integers or strings"
        )
    elif values.dtype.kind == "U" and not _is_unicode(values):
        raise InputError(f"{source}: holds strings with characters that do not exist in Unicode")
    classes, labels = np.unique(values, return_inverse=True)
    as_text = str if classes.dtype.kind in "bUT" else lambda value: str(int(value))
    return labels.astype(np.int64), tuple(as_text(value) for value in classes)


def _is_unicode(values: NDArray[np.str_]) -> bool:
    """Return whether all characters are valid: NumPy reads any 32 bits from a file, on which Python fails."""
    points = np.ascontiguousarray(values, values.dtype.newbyteorder("=")).view(np.uint32)
    surrogates = (points >= 0xD800) & (points <= 0xDFFF)
    return not bool((surrogates | (points > 0x10FFFF)).any())
