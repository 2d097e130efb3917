"""Operations that move entries without changing their values; derived in docs/autograd/shapes.md.

``g`` is the gradient of the output ``out``; ``a`` is the operand's value. The gradient rule of a move is
the inverse move.
"""

from types import EllipsisType
from typing import Any

import numpy as np

from micrograde.autograd.operation import Operation
from micrograde.autograd.values import FloatArray, Shape, Value


def reshape_to(shape: Shape) -> Operation:
    """Return the operation that gives the same entries, in the same order, another shape (S1)."""
    return Operation(
        "reshape",
        lambda a: np.reshape(a, shape),
        lambda g, out, a: np.reshape(g, np.shape(a)),
    )


def transpose_by(axes: Shape | None) -> Operation:
    """Return the operation that puts the axes in another order; ``None`` reverses them (S2)."""
    back = (
        None if axes is None else tuple(int(axis) for axis in np.argsort([axis % len(axes) for axis in axes]))
    )
    return Operation(
        "transpose",
        lambda a: np.transpose(a, axes),
        lambda g, out, a: np.transpose(g, back),
    )


def index_by(index: Any) -> Operation:
    """Return ``a[index]``; entries not taken get gradient 0, those taken repeatedly the sum (S3)."""

    def gradient(g: Value, out: Value, a: FloatArray) -> Value:
        full = np.zeros_like(a)
        if _takes_each_once(index):
            full[index] = g
        else:
            np.add.at(full, index, g)
        return full

    return Operation("index", lambda a: a[index], gradient)


def concatenate_along(axis: int, size: int) -> Operation:
    """Return the operation that joins two arrays along ``axis``, the first of length ``size`` (S4)."""

    def piece(g: FloatArray, where: slice) -> FloatArray:
        taken: FloatArray = np.moveaxis(np.moveaxis(g, axis, 0)[where], 0, axis)
        return taken

    return Operation(
        "concatenate",
        lambda a, b: np.concatenate((a, b), axis=axis),
        lambda g, out, a, b: piece(g, slice(size)),
        lambda g, out, a, b: piece(g, slice(size, None)),
        reads=("", ""),
    )


def _takes_each_once(index: Any) -> bool:
    """Return whether an index has only numbers, slices and new axes, which never repeat an entry."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or isinstance(part, int | np.integer | slice | EllipsisType) for part in parts)
