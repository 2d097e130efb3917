"""The logistic function."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph

SATURATED = 0.97
"""The limit for 2 sigmoid(x) - 1, which is tanh(x / 2); see ``tanh.py``."""


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``, from 0 to 1, computed as (1 + tanh(x / 2)) / 2, which cannot overflow."""

    name: Literal["sigmoid"] = "sigmoid"
    saturation: ClassVar[Literal["values"]] = "values"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return 1 / (1 + exp(-x))."""
        out = np.multiply(x, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        return np.add(out, 0.5, out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return output * (1 - output), equation (A3)."""
        out = np.subtract(1.0, output, out=out)
        return np.multiply(output, out, out=out)

    def saturated(self, output: FloatArray) -> NDArray[np.bool_]:
        """Return where 2 output - 1 is beyond 0.97 in magnitude."""
        return np.abs(2 * output - 1) > SATURATED

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add ``Sigmoid``."""
        return graph.node("Sigmoid", x)
