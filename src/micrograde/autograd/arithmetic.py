"""Sum, difference, product, quotient, power, matrix product; derived in docs/autograd/arithmetic.md.

``g`` is the gradient of the output ``out``; ``a`` and ``b`` are the operands' values.
"""

import math
import operator

import numpy as np

from micrograde.autograd.operation import UNCHANGED, Operation
from micrograde.autograd.values import FloatArray, Value


def divide(a: Value, b: Value) -> Value:
    """Return ``a / b``; a division by zero gives NumPy's result (inf or NaN)."""
    try:
        return a / b
    except ZeroDivisionError:
        return float(np.divide(a, b))


def power(a: Value, b: Value) -> Value:
    """Return ``a ** b``; overflow, 0 ** -1 and (-8) ** (1 / 3) give NumPy's results (inf or NaN)."""
    if isinstance(a, float) and isinstance(b, float):
        try:
            return math.pow(a, b)
        except (ValueError, OverflowError):
            return float(np.power(a, b))
    return np.power(a, b)


def _power_base(g: Value, _: Value, a: Value, b: Value) -> Value:
    """Return ``g b a^(b-1)``, and 0 for b = 0, where the power is 1 for every base (A5)."""
    if isinstance(b, float):
        return g * 0.0 if b == 0 else g * (b * power(a, b - 1))
    return np.where(b == 0, 0.0, g * (b * power(a, np.where(b == 0, 1.0, b - 1))))


def _power_exponent(g: Value, out: Value, a: Value, b: Value) -> Value:
    """Return ``g a^b log(a)``, and its limit 0 for a = 0 and b >= 0 (A6)."""
    settled = (a == 0) & (np.asarray(b) >= 0)
    return np.where(settled, 0.0, g * (out * np.log(np.where(settled, 1.0, a))))


def _matmul_left(g: Value, _: Value, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``g @ b.T`` over the last two axes; a vector on the right is a column (A7)."""
    columns = b if b.ndim > 1 else b[:, None]
    rows = _as_matrices(g, a, b)
    product: FloatArray = rows @ columns.swapaxes(-1, -2)
    return product


def _matmul_right(g: Value, _: Value, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return ``a.T @ g`` over the last two axes; a vector on the left is a row (A8)."""
    rows = a if a.ndim > 1 else a[None, :]
    product: FloatArray = rows.swapaxes(-1, -2) @ _as_matrices(g, a, b)
    return product if b.ndim > 1 else product[..., 0]


def _as_matrices(g: Value, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the output's gradient with the axes restored that ``@`` drops if an operand is a vector."""
    matrices: FloatArray = np.asarray(g)
    if b.ndim == 1:
        matrices = matrices[..., None]
    return matrices if a.ndim > 1 else matrices[..., None, :]


ADD = Operation(
    "+",
    operator.add,
    UNCHANGED,  # (A1): each operand's share is g
    UNCHANGED,
    reads=("", ""),
)
SUBTRACT = Operation(
    "-",
    operator.sub,
    UNCHANGED,  # (A2)
    lambda g, out, a, b: -g,
    reads=("", ""),
)
MULTIPLY = Operation(
    "*",
    operator.mul,
    lambda g, out, a, b: g * b,  # (A3)
    lambda g, out, a, b: g * a,
    reads=("b", "a"),
)
DIVIDE = Operation(
    "/",
    divide,
    lambda g, out, a, b: divide(g, b),  # (A4)
    lambda g, out, a, b: -g * divide(out, b),
    reads=("b", "b"),
)
NEGATE = Operation("neg", operator.neg, lambda g, out, a: -g, reads=("",))  # (A2) with 0 in place of a
POWER = Operation("**", power, _power_base, _power_exponent)
MATMUL = Operation("@", operator.matmul, _matmul_left, _matmul_right, reads=("b", "a"))
