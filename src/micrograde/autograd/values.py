"""The values that a variable may hold, a Python float or a NumPy array; undoing their broadcasting."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Value = float | FloatArray
Shape = tuple[int, ...]


def as_value(data: Any) -> Value:
    """Return ``data`` as a Python float or an array of floats.

    Numbers and arrays without axes become floats, arrays of integers or booleans float64 arrays. An array
    of floats is returned as it is, not copied.

    Raises
    ------
    TypeError
        If it holds anything but real numbers.
    """
    if data.__class__ is float:
        return float(data)
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        held = "complex numbers" if array.dtype.kind == "c" else type(data).__name__
        raise TypeError(f"a Variable holds a number or an array of real numbers, got {held}")
    if array.ndim == 0:
        return float(array)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def unbroadcast(gradient: FloatArray, shape: Shape) -> FloatArray:
    """Return the gradient of an operand of ``shape`` from the gradient of its broadcast value.

    Broadcasting copies an entry along new leading axes and along axes of size 1. The entry's gradient
    is the sum over its copies.
    """
    if gradient.shape == shape:
        return gradient
    leading = gradient.ndim - len(shape)
    if leading > 0:
        gradient = np.add.reduce(gradient, axis=tuple(range(leading)))
    copied = tuple(axis for axis, size in enumerate(shape) if size == 1 != gradient.shape[axis])
    return np.add.reduce(gradient, axis=copied, keepdims=True) if copied else gradient


def describe(value: Value) -> str:
    """Return a value as one short line for messages: small ones in full, large ones by shape and range."""
    if isinstance(value, float):
        return repr(value)
    if value.size <= 6:
        return f"array({np.array2string(value, precision=6, separator=', ')})".replace("\n", "")
    finite = value[np.isfinite(value)]
    span = f"from {finite.min():.6g} to {finite.max():.6g}" if finite.size else "nothing finite"
    odd = value.size - finite.size
    return f"array of shape {value.shape}, {span}" + (f", {odd} entries not finite" if odd else "")
