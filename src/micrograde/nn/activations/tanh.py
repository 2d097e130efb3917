"""The hyperbolic tangent."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph

SATURATED = 0.97
"""A tanh beyond this lets less than 6 % of its gradient through."""


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class Tanh(Activation):
    """``tanh(x)``, from -1 to 1; the notebook's."""

    name: Literal["tanh"] = "tanh"
    saturation: ClassVar[Literal["values"]] = "values"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return tanh(x)."""
        return np.tanh(x, out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return 1 - output**2, equation (A1)."""
        return np.subtract(1.0, out := np.multiply(output, output, out=out), out=out)

    def backward(
        self,
        grad_output: FloatArray,
        x: FloatArray,  # noqa: ARG002
        output: FloatArray,
        out: FloatArray | None = None,
    ) -> FloatArray:
        """Return the gradient (A1) as g - g output**2, which needs no pass with a scalar."""
        out = np.multiply(grad_output, output, out=out)
        np.multiply(out, output, out=out)
        return np.subtract(grad_output, out, out=out)

    def saturated(self, output: FloatArray) -> NDArray[np.bool_]:
        """Return where the output is beyond 0.97 in magnitude, so that the slope is below 0.06."""
        return np.abs(output) > SATURATED

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add ``Tanh``."""
        return graph.node("Tanh", x)
