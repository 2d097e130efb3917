"""Activation functions: one file for each, found by itself; derived in docs/backward/activations.md.

An activation owes an equation, too, in ``gradcheck/equations/activations/``, which checks its gradient.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.registry import Registry
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph

ACTIVATIONS: "Registry[type[Activation]]" = Registry("activation", __name__)


@dataclass(frozen=True, kw_only=True)
class Activation(ABC):
    """An elementwise function of arrays of any shape, float32 or float64; its fields are hyperparameters.

    ``value`` and ``gradient`` write into ``out`` and return it; without it they return a new array.

    Attributes
    ----------
    saturation
        What ``activation/<layer>.saturated`` measures: the share of saturated ``values``, or of ``units``
        that are saturated for every row of a batch; ``none``, by intent, for a function without a flat part.
    """

    name: str = ""  # each entry has its own
    saturation: ClassVar[Literal["none", "values", "units"]]

    @abstractmethod
    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the function of x, in the shape and dtype of x."""

    @abstractmethod
    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return the derivative at x; ``output`` is ``value(x)``, from which it is often computed faster."""

    def backward(
        self, grad_output: FloatArray, x: FloatArray, output: FloatArray, out: FloatArray | None = None
    ) -> FloatArray:
        """Return the gradient of x from that of the output; override it where one pass can be saved."""
        return np.multiply(grad_output, out := self.gradient(x, output, out), out=out)

    def saturated(self, output: FloatArray) -> NDArray[np.bool_]:
        """Return where an output lets next to nothing of its gradient through, in the shape of ``output``."""
        raise NotImplementedError(f"{self.name}: saturation is {self.saturation}, but saturated is missing")

    def onnx(self, graph: OnnxGraph, x: str) -> str:  # noqa: ARG002 (every rule's form)
        """Add the function of the array ``x`` to a graph; return the name of the result.

        Raises
        ------
        InputError
            If the function has no rule, which is so unless an entry says otherwise.
        """
        raise InputError(f"model.activation={self.name}: cannot be exported, as it has no rule for ONNX")


def make_activation(name: str) -> Activation:
    """Return an activation by its name, with the default hyperparameters.

    Raises
    ------
    InputError
        If there is no such activation.
    """
    return ACTIVATIONS[name]()
