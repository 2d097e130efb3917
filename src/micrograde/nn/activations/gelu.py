"""The Gaussian error linear unit, exact and by its usual approximation.

The textbook forms 1 + erf and 1 + tanh cancel for negative x and leave nothing of the tail; here they are
written with erfc and the logistic function, which keep it.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np

from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.logistic import logistic
from micrograde.nn.onnx_graph import OnnxGraph

_CUBIC, _SLOPE = 0.044715, math.sqrt(2.0 / math.pi)
_FAR = 40.0  # beyond this the function is x or 0 in float64; powers of it cannot overflow


@cache
def _erfc() -> Any:
    from scipy.special import erfc

    return erfc


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class GELU(Activation):
    """``x * Phi(x)``, with the normal distribution's Phi (Hendrycks & Gimpel 2016).

    As of SiLU there is no measure of saturation.
    """

    name: Literal["gelu"] = "gelu"
    saturation: ClassVar[Literal["none"]] = "none"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return x * Phi(x)."""
        with np.errstate(under="ignore"):
            return np.multiply(x, _normal_cdf(x), out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return Phi(x) + x * phi(x), with the normal density phi, equation (A7)."""
        with np.errstate(under="ignore"):
            near = np.clip(x, -_FAR, _FAR)
            out = np.multiply(near, near, out=out)
            np.multiply(out, -0.5, out=out)
            np.exp(out, out=out)
            np.multiply(out, 1.0 / math.sqrt(2.0 * math.pi), out=out)
            np.multiply(out, near, out=out)
            return np.add(out, _normal_cdf(x), out=out)

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add 0.5 x (1 + Erf(x / sqrt(2))): ``Gelu`` itself comes with opset 20.

        ``Erf`` is computed in float32, as ONNX Runtime has no other; that of a float64 network is then right
        to about 1e-7.
        """
        scaled = graph.node("Mul", x, graph.number(math.sqrt(0.5)))
        single = graph.node("CastLike", scaled, graph.constant("single", np.float32(0)))
        share = graph.node("CastLike", graph.node("Erf", single), x)
        share = graph.node("Mul", graph.node("Add", share, graph.number(1.0)), graph.number(0.5))
        return graph.node("Mul", x, share)


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class TanhGELU(Activation):
    """``0.5 * x * (1 + tanh(u))``, u = sqrt(2 / pi) * (x + 0.044715 x**3): GELU's usual approximation.

    As of SiLU there is no measure of saturation.
    """

    name: Literal["gelu_tanh"] = "gelu_tanh"
    saturation: ClassVar[Literal["none"]] = "none"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return x * sigmoid(2 u), which is the same and keeps its digits."""
        with np.errstate(under="ignore"):
            return np.multiply(x, logistic(_twice_u(np.clip(x, -_FAR, _FAR))), out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return s + x s (1 - s) du, s = sigmoid(2 u), du the derivative of 2 u, equation (A8)."""
        with np.errstate(under="ignore"):
            near = np.clip(x, -_FAR, _FAR)
            twice = _twice_u(near)
            share, rest = logistic(twice), logistic(-twice)
            out = np.multiply(near, near, out=out)
            np.multiply(out, 3.0 * _CUBIC, out=out)
            np.add(out, 1.0, out=out)
            np.multiply(out, 2.0 * _SLOPE, out=out)
            np.multiply(out, near, out=out)
            np.multiply(out, rest, out=out)
            np.add(out, 1.0, out=out)
            return np.multiply(out, share, out=out)

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add x * Sigmoid(2 u)."""
        square = graph.node("Mul", x, x)
        factor = graph.node("Add", graph.node("Mul", square, graph.number(_CUBIC)), graph.number(1.0))
        twice = graph.node("Mul", graph.node("Mul", x, factor), graph.number(2.0 * _SLOPE))
        return graph.node("Mul", x, graph.node("Sigmoid", twice))


def _normal_cdf(x: FloatArray) -> FloatArray:
    share: FloatArray = _erfc()(np.multiply(x, -math.sqrt(0.5)))
    return np.multiply(share, 0.5, out=share)


def _twice_u(x: FloatArray) -> FloatArray:
    """Return 2 sqrt(2 / pi) * (x + 0.044715 x**3)."""
    twice = np.multiply(x, x)
    np.multiply(twice, _CUBIC, out=twice)
    np.add(twice, 1.0, out=twice)
    np.multiply(twice, x, out=twice)
    return np.multiply(twice, 2.0 * _SLOPE, out=twice)
