"""The sigmoid linear unit, also called swish."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.logistic import logistic
from micrograde.nn.onnx_graph import OnnxGraph


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class SiLU(Activation):
    """``x * sigmoid(x)`` (Elfwing et al. 2018), also known as swish.

    A unit is flat for inputs far below 0 alone, and its outputs there are near 0 as they are elsewhere: an
    output does not tell, so there is no measure of saturation.
    """

    name: Literal["silu"] = "silu"
    saturation: ClassVar[Literal["none"]] = "none"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return x * sigmoid(x)."""
        with np.errstate(under="ignore"):
            return np.multiply(x, logistic(x), out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return s * (1 + x * (1 - s)) with s = sigmoid(x), equation (A6)."""
        with np.errstate(under="ignore"):
            share, rest = logistic(x), logistic(-x)
            out = np.multiply(x, rest, out=out)
            np.add(out, 1.0, out=out)
            return np.multiply(out, share, out=out)

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add x / (1 + exp(-x)); of x times ``Sigmoid`` ONNX Runtime makes what it lacks for float64."""
        below = graph.node("Add", graph.number(1.0), graph.node("Exp", graph.node("Neg", x)))
        return graph.node("Div", x, below)
