"""The rectifier."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class ReLU(Activation):
    """``max(x, 0)``; the derivative at 0 is 0, PyTorch's choice."""

    name: Literal["relu"] = "relu"
    saturation: ClassVar[Literal["units"]] = "units"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return max(x, 0)."""
        return np.maximum(x, 0.0, out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return 1 where output > 0, else 0, equation (A2)."""
        return np.sign(output, out=out)

    def saturated(self, output: FloatArray) -> NDArray[np.bool_]:
        """Return where the output is 0; a unit for which it is that for every row is dead."""
        dead: NDArray[np.bool_] = np.equal(output, 0)
        return dead

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add ``Relu``."""
        return graph.node("Relu", x)
