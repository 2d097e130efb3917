"""The layer that applies an activation, with the memory that it reuses; the notebook's names of three."""

from dataclasses import dataclass

import numpy as np

from micrograde.nn.activations import Activation
from micrograde.nn.activations.relu import ReLU
from micrograde.nn.activations.sigmoid import Sigmoid
from micrograde.nn.activations.tanh import Tanh
from micrograde.nn.arrays import FloatArray, Shape, Workspaces
from micrograde.nn.layer import Layer
from micrograde.nn.onnx_graph import OnnxGraph


@dataclass(slots=True)
class _Workspace:
    output: FloatArray
    grad_input: FloatArray


class ActivationLayer(Layer):
    """``output = function(input)``, for arrays of any shape.

    Attributes
    ----------
    function
        The activation.
    input, output
        Of the last ``forward``.
    """

    def __init__(self, function: Activation) -> None:
        super().__init__()
        self.function, self.kind = function, function.name
        self._dtype: np.dtype[np.floating] = np.dtype(np.float64)
        self._workspaces = Workspaces(self._allocate)

    def _allocate(self, shape: Shape) -> _Workspace:
        return _Workspace(np.empty(shape, self._dtype), np.empty(shape, self._dtype))

    def forward(self, input: FloatArray) -> FloatArray:
        """Return the function of the input, in its shape."""
        if input.dtype != self._dtype:
            self._dtype = input.dtype
            self._workspaces.clear()
        self.input = input
        self._workspace = work = self._workspaces[input.shape]
        self.output = self.function.value(input, work.output)
        return self.output

    def evaluate(self, input: FloatArray) -> FloatArray:
        """Return the function of the input as a new array, without changing the layer's state."""
        return self.function.value(input, np.empty_like(input))

    def backward(self, grad_output: FloatArray) -> FloatArray:
        """Return the gradient of the input from the gradient of the output, in the same shape."""
        work = self._workspace
        return self.function.backward(grad_output, self.input, work.output, work.grad_input)

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add the function by its own rule."""
        return self.function.onnx(graph, x)


class TanhActivation(ActivationLayer):
    """``output = tanh(input)``, by the notebook's name."""

    def __init__(self) -> None:
        super().__init__(Tanh())


class ReLUActivation(ActivationLayer):
    """``output = max(input, 0)``."""

    def __init__(self) -> None:
        super().__init__(ReLU())


class SigmoidActivation(ActivationLayer):
    """``output = 1 / (1 + exp(-input))``."""

    def __init__(self) -> None:
        super().__init__(Sigmoid())
