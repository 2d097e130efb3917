"""The linear layer; its backward pass is derived in docs/backward/linear.md."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.arrays import FloatArray, Shape, Workspaces, batch_shape, check_size
from micrograde.nn.initializers import Generators, replica_axis, stacked_weights


@dataclass(slots=True)
class _Workspace:
    output: FloatArray  # (..., N, H)
    grad_input: FloatArray  # (..., N, D)
    ones: FloatArray  # (1, N): a sum over the rows as a matrix product


class LinearLayer:
    """``output = input @ weights + biases`` (L1).

    Parameters
    ----------
    input_size, output_size
        D and H.
    initializer, generators
        See ``micrograde.nn.initializers``; a sequence of R generators makes a stack of R layers.
    dtype
        float64, as in the notebook, or float32.

    Attributes
    ----------
    weights, grad_weights : (D, H), in a stack (R, D, H)
    biases, grad_biases : (H,), in a stack (R, H)
    output : what the last ``forward`` returned

    Raises
    ------
    ValueError
        If a size is below 1, or a batch does not have D features; the shapes are in the message.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        initializer: str = "normal",
        generators: Generators = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        check_size("LinearLayer", input_size=input_size, output_size=output_size)
        self.input_size, self.output_size = input_size, output_size
        replicas = replica_axis(generators)
        weights = stacked_weights(initializer, input_size, output_size, generators).astype(dtype)
        biases = np.zeros((*replicas, output_size), dtype)
        self.bind(
            {"weights": weights, "biases": biases},
            {"weights": np.zeros_like(weights), "biases": np.zeros_like(biases)},
        )

    def parameters(self) -> dict[str, FloatArray]:
        """The learned arrays by name."""
        return {"weights": self.weights, "biases": self.biases}

    def bind(self, parameters: dict[str, FloatArray], gradients: dict[str, FloatArray]) -> None:
        """Use these arrays from now on; a network hands out views into its one buffer.

        Their leading axis says how many replicas there are.
        """
        self.weights, self.biases = parameters["weights"], parameters["biases"]
        self.grad_weights, self.grad_biases = gradients["weights"], gradients["biases"]
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
        )

    def forward(self, input: FloatArray) -> FloatArray:
        """(..., N, D) to (..., N, H), equation (L1)."""
        self.input = input
        self._workspace = work = self._workspaces[input.shape]
        np.matmul(input, self.weights, out=work.output)
        np.add(work.output, self._bias_row, out=work.output)
        self.output = work.output
        return work.output

    def evaluate(self, input: FloatArray) -> FloatArray:
        """The same in a new array; changes nothing."""
        batch_shape("LinearLayer", input.shape, self.input_size, self._replicas)
        return input @ self.weights + self._bias_row

    def backward(self, grad_output: FloatArray) -> FloatArray:
        """(..., N, H) to the gradient of the input (..., N, D); fills the parameters' gradients."""
        work = self._workspace
        self.backward_parameters(grad_output)
        np.matmul(grad_output, self._weights_transposed, out=work.grad_input)  # (L4)
        return work.grad_input

    def backward_parameters(self, grad_output: FloatArray) -> None:
        """The parameters' gradients alone: all that the first layer of a network needs in training."""
        np.matmul(self.input.swapaxes(-1, -2), grad_output, out=self.grad_weights)  # (L2)
        np.matmul(self._workspace.ones, grad_output, out=self._grad_bias_row)  # (L3)
