"""Activation functions, each with its derivative; derived in docs/backward/activations.md."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from micrograde.nn.arrays import FloatArray, Shape, Workspaces


@dataclass(slots=True)
class _Workspace:
    output: FloatArray
    grad_input: FloatArray


class Activation(ABC):
    """An elementwise function of arrays of any shape; its derivative is computed from its output."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self._dtype: np.dtype[np.floating] = np.dtype(np.float64)
        self._workspaces = Workspaces(self._allocate)

    def _allocate(self, shape: Shape) -> _Workspace:
        return _Workspace(np.empty(shape, self._dtype), np.empty(shape, self._dtype))

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the function of x, in the shape of x."""
        if x.dtype != self._dtype:
            self._dtype = x.dtype
            self._workspaces.clear()
        self._workspace = work = self._workspaces[x.shape]
        self.output = self._value(x, work.output)
        return self.output

    def evaluate(self, x: FloatArray) -> FloatArray:
        """Return the function of x as a new array, without changing the layer's state."""
        return self._value(x, np.empty_like(x))

    def backward(self, grad_output: FloatArray) -> FloatArray:
        """Return the gradient of x from the gradient of the output, in the same shape."""
        work = self._workspace
        return self._gradient(grad_output, work.output, work.grad_input)

    @staticmethod
    @abstractmethod
    def _value(x: FloatArray, out: FloatArray) -> FloatArray: ...

    @staticmethod
    @abstractmethod
    def _gradient(grad_output: FloatArray, output: FloatArray, out: FloatArray) -> FloatArray: ...


class TanhActivation(Activation):
    """``output = tanh(x)``."""

    name = "tanh"

    @staticmethod
    def _value(x: FloatArray, out: FloatArray) -> FloatArray:
        return np.tanh(x, out=out)

    @staticmethod
    def _gradient(grad_output: FloatArray, output: FloatArray, out: FloatArray) -> FloatArray:
        """Multiply by 1 - output**2, equation (A1), as g - g output**2, which needs no pass with a scalar."""
        np.multiply(grad_output, output, out=out)
        np.multiply(out, output, out=out)
        return np.subtract(grad_output, out, out=out)


class ReLUActivation(Activation):
    """``output = max(x, 0)``; the derivative at 0 is 0, PyTorch's choice."""

    name = "relu"

    @staticmethod
    def _value(x: FloatArray, out: FloatArray) -> FloatArray:
        return np.maximum(x, 0.0, out=out)

    @staticmethod
    def _gradient(grad_output: FloatArray, output: FloatArray, out: FloatArray) -> FloatArray:
        """Keep the gradient where output > 0, equation (A2)."""
        np.sign(output, out=out)
        return np.multiply(grad_output, out, out=out)


class SigmoidActivation(Activation):
    """``output = 1 / (1 + exp(-x))``, computed as (1 + tanh(x / 2)) / 2, which cannot overflow."""

    name = "sigmoid"

    @staticmethod
    def _value(x: FloatArray, out: FloatArray) -> FloatArray:
        np.multiply(x, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        return np.add(out, 0.5, out=out)

    @staticmethod
    def _gradient(grad_output: FloatArray, output: FloatArray, out: FloatArray) -> FloatArray:
        """Multiply by output * (1 - output), equation (A3)."""
        np.subtract(1.0, output, out=out)
        np.multiply(output, out, out=out)
        return np.multiply(grad_output, out, out=out)


ACTIVATIONS: dict[str, type[Activation]] = {
    kind.name: kind for kind in (TanhActivation, ReLUActivation, SigmoidActivation)
}


def make_activation(name: str) -> Activation:
    """Return a new activation by its name: tanh, relu or sigmoid."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]()
