"""The rectifier that leaks."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, Fraction
from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class LeakyReLU(Activation):
    """``x`` where x > 0, else ``negative_slope * x`` (Maas et al. 2013); at 0 the slope is the negative one.

    It has no flat part unless the slope is 0, so there is no measure of saturation.

    Parameters
    ----------
    negative_slope
        The slope where x <= 0.
    """

    name: Literal["leaky_relu"] = "leaky_relu"
    negative_slope: Annotated[Fraction, PROGRAM] = 0.01
    saturation: ClassVar[Literal["none"]] = "none"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the larger of x and negative_slope * x, which is less than 1."""
        return np.maximum(x, out := np.multiply(x, self.negative_slope, out=out), out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return 1 where x > 0, else negative_slope, equation (A4)."""
        out = np.empty_like(x) if out is None else out
        np.copyto(out, self.negative_slope)
        np.copyto(out, 1.0, where=x > 0)
        return out

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add the larger of x and its product with the slope: ``LeakyRelu`` has a slope in float32."""
        return graph.node("Max", x, graph.node("Mul", x, graph.number(self.negative_slope)))
