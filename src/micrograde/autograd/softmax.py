"""Softmax and its logarithm; derived in docs/autograd/softmax.md.

``g`` is the gradient of the output ``out``; ``a`` holds the logits. Both subtract the largest logit
first, so that no exponential overflows, and never take the logarithm of a rounded 0: results are exact
for logits that differ by 1e4.
"""

from functools import cache

import numpy as np

from micrograde.autograd.operation import Operation
from micrograde.autograd.values import FloatArray


@cache
def softmax_along(axis: int) -> Operation:
    """Return ``exp(a) / sum(exp(a))`` along ``axis``; gradient ``out * (g - sum(g * out))`` (M1, M2)."""

    def forward(a: FloatArray) -> FloatArray:
        exponentials = np.exp(_shifted(a, axis))
        return exponentials / np.add.reduce(exponentials, axis=axis, keepdims=True)

    def gradient(g: FloatArray, out: FloatArray, a: FloatArray) -> FloatArray:
        return out * (g - np.add.reduce(g * out, axis=axis, keepdims=True))

    return Operation("softmax", forward, gradient, reads=("",))


@cache
def log_softmax_along(axis: int) -> Operation:
    """Return ``a - log(sum(exp(a)))`` along ``axis``; gradient ``g - softmax(a) * sum(g)`` (M3, M4)."""

    def forward(a: FloatArray) -> FloatArray:
        shifted = _shifted(a, axis)
        return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))

    def gradient(g: FloatArray, out: FloatArray, a: FloatArray) -> FloatArray:
        slope: FloatArray = g - np.exp(out) * np.add.reduce(g, axis=axis, keepdims=True)
        return slope

    return Operation("log_softmax", forward, gradient, reads=("",))


def _shifted(a: FloatArray, axis: int) -> FloatArray:
    return a - np.maximum.reduce(a, axis=axis, keepdims=True)
