"""The linear layer; its backward pass is derived in docs/backward/linear.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.arrays import FloatArray, Shape, Workspaces, batch_shape, check_size, matrix_product
from micrograde.nn.initializers import Generators, Initializer, replica_axis, stacked_weights
from micrograde.nn.layer import Layer, LayerArray
from micrograde.nn.onnx_graph import OnnxGraph


@dataclass(slots=True)
class _Workspace:
    output: FloatArray  # (..., N, H)
    grad_input: FloatArray  # (..., N, D)
    ones: FloatArray  # (1, N): a sum over the rows as a matrix product
    product: Callable[..., FloatArray]


class LinearLayer(Layer):
    """``output = input @ weights + biases`` (L1).

    Parameters
    ----------
    input_size, output_size
        D and H.
    initializer, generators
        See ``micrograde.nn.initializers``; a sequence of R generators makes a stack of R layers.
    biases_cancel
        Set this if a batch norm follows, which subtracts the batch's mean and with it the biases
        (docs/backward/batch_normalization.md). ``forward`` then leaves the biases out of the output, and
        their gradient is exactly zero instead of zero up to rounding.
    dtype
        float64, as in the notebook, or float32.

    Attributes
    ----------
    weights, grad_weights : (D, H), in a stack (R, D, H)
    biases, grad_biases : (H,), in a stack (R, H)
    output : (..., N, H), the result of the last ``forward``

    Raises
    ------
    ValueError
        If a size is below 1, or a batch does not have D features.
    """

    kind = "linear"
    weights: FloatArray
    biases: FloatArray
    grad_weights: FloatArray
    grad_biases: FloatArray

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        initializer: str | Initializer = "normal",
        generators: Generators = None,
        dtype: DTypeLike = np.float64,
        biases_cancel: bool = False,
    ) -> None:
        check_size("LinearLayer", input_size=input_size, output_size=output_size)
        self.input_size, self.output_size = input_size, output_size
        self.biases_cancel = biases_cancel
        self.arrays = (
            LayerArray("weights", (input_size, output_size)),
            LayerArray("biases", (output_size,)),
        )
        self.allocate(replica_axis(generators), dtype)
        self.weights[...] = stacked_weights(initializer, input_size, output_size, generators)

    def bound(self) -> None:
        """Make the views that a step needs."""
        self._bias_row = self.biases[..., None, :]
        self._grad_bias_row = self.grad_biases[..., None, :]
        self._weights_transposed = self.weights.swapaxes(-1, -2)
        self._replicas = self.weights.shape[:-2]
        self._workspaces = Workspaces(self._allocate)

    def _allocate(self, shape: Shape) -> _Workspace:
        rows = batch_shape("LinearLayer", shape, self.input_size, self._replicas)
        dtype: np.dtype[Any] = self.weights.dtype
        return _Workspace(
            output=np.empty((*rows, self.output_size), dtype),
            grad_input=np.empty((*rows, self.input_size), dtype),
            ones=np.ones((1, rows[-1]), dtype),
            product=matrix_product(dtype, rows[-1], self.input_size, self.output_size),
        )

    def forward(self, input: FloatArray) -> FloatArray:
        """Return the output (..., N, H) for (..., N, D), equation (L1); without the biases if they cancel."""
        self.input = input
        self._workspace = work = self._workspaces[input.shape]
        work.product(input, self.weights, out=work.output)
        if not self.biases_cancel:
            np.add(work.output, self._bias_row, out=work.output)
        self.output = work.output
        return work.output

    def evaluate(self, input: FloatArray) -> FloatArray:
        """The same in a new array; changes nothing."""
        *_, rows = batch_shape("LinearLayer", input.shape, self.input_size, self._replicas)
        product = matrix_product(self.weights.dtype, rows, self.input_size, self.output_size)
        return product(input, self.weights) + self._bias_row

    def backward(self, grad_output: FloatArray) -> FloatArray:
        """Return the gradient of the input (..., N, D); set ``grad_weights`` and ``grad_biases``."""
        work = self._workspace
        self.backward_parameters(grad_output)
        work.product(grad_output, self._weights_transposed, out=work.grad_input)  # (L4)
        return work.grad_input

    def backward_parameters(self, grad_output: FloatArray) -> None:
        """Set ``grad_weights`` and ``grad_biases`` only: in training a first layer needs no more."""
        self._workspace.product(self.input.swapaxes(-1, -2), grad_output, out=self.grad_weights)  # (L2)
        if not self.biases_cancel:
            np.matmul(self._workspace.ones, grad_output, out=self._grad_bias_row)  # (L3)

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add ``Gemm``, the biases included."""
        weights, biases = graph.constant("weights", self.weights), graph.constant("biases", self.biases)
        return graph.node("Gemm", x, weights, biases)
