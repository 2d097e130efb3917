"""Sum, mean, largest entry and variance over axes; derived in docs/autograd/reductions.md.

Each function takes the axes as NumPy does (``None`` for all, a number, or several) and returns the
operation over them. ``g`` is the gradient of the output ``out``; ``a`` is the operand's value.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from micrograde.autograd.arithmetic import divide
from micrograde.autograd.operation import Operation
from micrograde.autograd.values import FloatArray, Shape, Value

Axis = int | tuple[int, ...] | None

_add: Any = np.add.reduce  # on small arrays several times faster than numpy.sum, which calls it
_largest: Any = np.maximum.reduce


@cache
def sum_over(axis: Axis, keepdims: bool) -> Operation:
    """Return the sum over ``axis``; the gradient of every entry is ``g`` (R1)."""
    return Operation(
        "sum",
        lambda a: _add(a, axis=axis, keepdims=keepdims),
        lambda g, out, a: _spread(_with_axes(g, axis, keepdims), np.shape(a)),
        reads=("",),
    )


@cache
def mean_over(axis: Axis, keepdims: bool) -> Operation:
    """Return the mean over ``axis`` of n entries each; the gradient of every entry is ``g / n`` (R2)."""
    return Operation(
        "mean",
        lambda a: divide(_add(a, axis=axis, keepdims=keepdims), _count(a, axis)),
        lambda g, out, a: _spread(divide(_with_axes(g, axis, keepdims), _count(a, axis)), np.shape(a)),
        reads=("",),
    )


@cache
def max_over(axis: Axis, keepdims: bool) -> Operation:
    """Return the maximum over ``axis``; the largest entry gets ``g``, equal ones share it equally (R3)."""

    def gradient(g: Value, out: Value, a: Value) -> Value:
        largest = a == _with_axes(out, axis, keepdims)
        share = _with_axes(g, axis, keepdims) / _add(largest, axis=axis, keepdims=True)
        return np.where(largest, share, 0.0)

    return Operation("max", lambda a: _largest(a, axis=axis, keepdims=keepdims), gradient)


@cache
def variance_over(axis: Axis, keepdims: bool) -> Operation:
    """Return ``mean((a - mean(a))**2)``, as ``numpy.var``; its derivative is ``2 (a - mean(a)) / n`` (R4)."""

    def deviation(a: Value) -> FloatArray:
        mean = divide(_add(a, axis=axis, keepdims=True), _count(a, axis))
        return np.asarray(a - mean)

    def forward(a: Value) -> Value:
        squares = np.square(deviation(a))
        return divide(_add(squares, axis=axis, keepdims=keepdims), _count(a, axis))

    def gradient(g: Value, out: Value, a: Value) -> Value:
        slope: Value = _with_axes(g, axis, keepdims) * divide(2.0, _count(a, axis)) * deviation(a)
        return slope

    return Operation("var", forward, gradient)


def _with_axes(reduced: Value, axis: Axis, keepdims: bool) -> Value:
    """Return a reduction's result with the reduced axes restored at size 1, so that it broadcasts."""
    return reduced if keepdims or axis is None else np.expand_dims(reduced, axis)


def _spread(g: Value, shape: Shape) -> FloatArray:
    """Return ``g``, whose reduced axes have size 1, broadcast to the operand's shape, as a new array."""
    spread = np.empty(shape, np.asarray(g).dtype)
    spread[...] = g
    return spread


def _count(a: Value, axis: Axis) -> int:
    """Return how many entries of ``a`` are reduced to each result."""
    shape = np.shape(a)
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[each] for each in ((axis,) if isinstance(axis, int) else axis))
