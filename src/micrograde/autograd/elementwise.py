"""Functions applied to each entry separately; derived in docs/autograd/elementwise.md.

``g`` is the gradient of the output ``out``; ``a`` and ``b`` are the operands' values. A scalar uses
the function of ``math``, which is many times faster on a float than NumPy's. Where ``math`` raises, NumPy's
is used instead, so that log(-1) is NaN and exp(1000) infinite, with NumPy's warnings.
"""

import math
from collections.abc import Callable

import numpy as np

from micrograde.autograd.arithmetic import divide
from micrograde.autograd.operation import Operation
from micrograde.autograd.values import FloatArray, Value

_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def _either(
    of_float: Callable[[float], float], of_array: Callable[[FloatArray], FloatArray]
) -> Callable[[Value], Value]:
    """Return a forward function that calls ``of_float`` for a float and ``of_array`` for an array."""

    def forward(a: Value) -> Value:
        if isinstance(a, float):
            try:
                return of_float(a)
            except (ValueError, OverflowError):
                return float(of_array(np.asarray(a)))
        return of_array(a)

    return forward


def _sigmoid(a: float) -> float:
    # exp of a number <= 0 cannot overflow, and small results keep all their digits.
    e = math.exp(-abs(a))
    return (1.0 if a >= 0 else e) / (1.0 + e)


def _sigmoid_of_array(a: FloatArray) -> FloatArray:
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1.0 + e)


def _erf_of_array(a: FloatArray) -> FloatArray:
    from scipy.special import erf  # NumPy has none

    share: FloatArray = erf(a)
    return share


def _relu(a: Value) -> Value:
    """Return the larger of a and 0; NaN stays NaN."""
    if a.__class__ is float:
        return 0.0 if a <= 0 else a
    return np.maximum(a, 0.0)


def _relu_gradient(g: Value, _: Value, a: Value) -> Value:
    """Return ``g`` where a > 0, else 0, also at a = 0 (E4)."""
    if a.__class__ is float:
        return 0.0 if a <= 0 else g
    return np.where(a <= 0, 0.0, g)


def _larger_gradient(g: Value, this: Value, other: Value) -> Value:
    """Return ``g`` where this operand is the larger, half of it where both are equal (E8)."""
    if isinstance(g, float):
        return g if this > other else g * 0.5 if this == other else 0.0
    return np.where(this > other, g, np.where(this == other, 0.5 * g, 0.0))


TANH = Operation(
    "tanh", _either(math.tanh, np.tanh), lambda g, out, a: g * (1.0 - out * out), reads=("",)
)  # (E1)
EXP = Operation("exp", _either(math.exp, np.exp), lambda g, out, a: g * out, reads=("",))  # (E2)
LOG = Operation("log", _either(math.log, np.log), lambda g, out, a: divide(g, a))  # (E3)
RELU = Operation("relu", _relu, _relu_gradient)
SIGMOID = Operation(
    "sigmoid",
    _either(_sigmoid, _sigmoid_of_array),
    lambda g, out, a: g * (out * (1.0 - out)),  # (E5)
    reads=("",),
)
SQRT = Operation(
    "sqrt", _either(math.sqrt, np.sqrt), lambda g, out, a: divide(g, 2.0 * out), reads=("",)
)  # (E6)
ABS = Operation("abs", abs, lambda g, out, a: g * np.sign(a))  # (E7)
ERF = Operation(
    "erf",
    _either(math.erf, _erf_of_array),
    lambda g, out, a: g * (_TWO_OVER_ROOT_PI * EXP.forward(-a * a)),  # (E9)
)
MAXIMUM = Operation(
    "maximum",
    lambda a, b: np.maximum(a, b),
    lambda g, out, a, b: _larger_gradient(g, a, b),
    lambda g, out, a, b: _larger_gradient(g, b, a),
)
