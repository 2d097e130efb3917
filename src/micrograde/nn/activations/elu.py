"""The exponential linear unit."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.core.hyperparameters import PROGRAM, PositiveFloat
from micrograde.nn.activations import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph

SATURATED = 0.97
"""The share of -alpha beyond which an output lets less than 3 % of alpha of its gradient through."""


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class ELU(Activation):
    """``x`` where x > 0, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2016).

    Parameters
    ----------
    alpha
        What the function approaches, negated, for large negative x.
    """

    name: Literal["elu"] = "elu"
    alpha: Annotated[PositiveFloat, PROGRAM] = 1.0
    saturation: ClassVar[Literal["values"]] = "values"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return x where x > 0, else alpha * expm1(x), which keeps its digits near 0."""
        with np.errstate(under="ignore"):
            negative = self.alpha * np.expm1(np.minimum(x, 0.0))
        out = np.maximum(x, 0.0, out=out)
        return np.add(out, negative, out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:  # noqa: ARG002
        """Return 1 where x > 0, else alpha * exp(x), equation (A5).

        Not output + alpha, which has no digits left where the function is flat.
        """
        with np.errstate(under="ignore"):
            out = np.exp(np.minimum(x, 0.0), out=out)
            np.multiply(out, self.alpha, out=out)
        np.copyto(out, 1.0, where=x > 0)
        return out

    def saturated(self, output: FloatArray) -> NDArray[np.bool_]:
        """Return where the output is below -0.97 alpha."""
        return output < -SATURATED * self.alpha

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add the parts by themselves: ``Elu`` takes float32 alone."""
        zero = graph.number(0.0)
        power = graph.node("Exp", graph.node("Min", x, zero))
        negative = graph.node("Mul", graph.node("Sub", power, graph.number(1.0)), graph.number(self.alpha))
        return graph.node("Add", graph.node("Max", x, zero), negative)
