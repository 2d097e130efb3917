"""Batch normalization; forward and backward pass are derived in docs/backward/batch_normalization.md."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from micrograde.core.hyperparameters import PROGRAM, PositiveFloat, ShareOrAll
from micrograde.nn.arrays import FloatArray, Shape, Workspaces, batch_shape, check_size
from micrograde.nn.layer import LayerArray
from micrograde.nn.normalizations import NORMALIZATIONS, Normalization, NormalizationLayer
from micrograde.nn.onnx_graph import OnnxGraph


@dataclass(slots=True)
class _Workspace:
    centered: FloatArray  # (..., N, H): input - mean
    output: FloatArray  # (..., N, H)
    scratch: FloatArray  # (..., N, H)
    grad_input: FloatArray  # (..., N, H)
    moments: FloatArray  # (..., 1, 2 H): mean and variance, side by side as in the running statistics
    shares: FloatArray  # (..., 1, 2 H): the weight of each moment in the running statistics
    moved: FloatArray  # (..., 1, 2 H): moments * shares
    mean: FloatArray  # (..., 1, H), a view into moments, as is variance
    variance: FloatArray
    std: FloatArray  # (..., 1, H): sqrt(variance + epsilon)
    factor: FloatArray  # (..., 1, H): gamma / std
    mean_grads: FloatArray  # (..., 1, 2 H): grad_gamma / N and grad_beta / N
    mean_grad_gamma: FloatArray  # (..., 1, H), a view into mean_grads, as is
    mean_grad_beta: FloatArray
    ones: FloatArray  # (1, N)
    average: FloatArray  # (1, N) of 1 / N: a mean over the rows as a matrix product
    # Scalars as arrays of the layer's dtype: NumPy would convert a Python number at every call.
    rows: FloatArray
    epsilon: FloatArray
    kept: FloatArray  # 1 - momentum


class BatchNormalization(NormalizationLayer):
    """Normalizes each feature over the batch, then scales and shifts it (Ioffe & Szegedy 2015).

    In training it uses the batch's own mean and biased variance (B1)-(B4)::

        output = gamma * (input - mean) / sqrt(var + epsilon) + beta

    and moves the running statistics by ``momentum`` towards the batch's mean and unbiased variance
    (B5). In evaluation it uses the running statistics instead of the batch's (B6). These are PyTorch's
    conventions, so results can be compared with PyTorch's number for number.

    Parameters
    ----------
    dim
        H, the number of features.
    epsilon
        Added to the variance.
    momentum
        The weight of the batch in the running statistics, 0 to 1.
    replicas
        ``(R,)`` for a stack of R layers, ``()`` for a single layer.

    Attributes
    ----------
    gamma, beta, grad_gamma, grad_beta, running_mean, running_var : (H,), in a stack (R, H)
    mean, var : (H,), in a stack (R, H), of the last training batch

    Raises
    ------
    ValueError
        If a batch does not have H features, or has one row only in training: its variance is zero.
    """

    kind = "batch norm"
    gamma: FloatArray
    beta: FloatArray
    grad_gamma: FloatArray
    grad_beta: FloatArray
    running_mean: FloatArray
    running_var: FloatArray

    def __init__(
        self,
        dim: int,
        epsilon: float = 1e-5,
        *,
        momentum: float = 0.1,
        replicas: tuple[int, ...] = (),
        dtype: DTypeLike = np.float64,
    ) -> None:
        check_size("BatchNormalization", dim=dim)
        self.dim, self.epsilon, self.momentum = dim, epsilon, momentum
        self.arrays = (
            LayerArray("gamma", (dim,)),
            LayerArray("beta", (dim,)),
            LayerArray("running_mean", (dim,), "statistic"),
            LayerArray("running_var", (dim,), "statistic"),
        )
        self._input_bias_row: FloatArray | None = None
        self.allocate(replicas, dtype, {"gamma": 1, "running_var": 1})

    def bind(self, parameters: FloatArray, gradients: FloatArray, statistics: FloatArray) -> None:
        """Bind as every layer does; a gradient's and a statistic's two arrays are also used as one row."""
        self._grad_rows, self._running_rows = gradients[..., None, :], statistics[..., None, :]
        super().bind(parameters, gradients, statistics)

    def bound(self) -> None:
        """Make the views that a step needs."""
        self._gamma_row, self._beta_row = self.gamma[..., None, :], self.beta[..., None, :]
        self._grad_gamma_row = self.grad_gamma[..., None, :]
        self._grad_beta_row = self.grad_beta[..., None, :]
        self._replicas = self.gamma.shape[:-1]
        self._workspaces = Workspaces(self._allocate)

    def follow(self, biases: FloatArray) -> None:
        """Add these biases, which a linear layer has left out because they cancel, to the running mean."""
        self._input_bias_row = biases[..., None, :]

    @property
    def mean(self) -> FloatArray:
        """The mean of the last training batch, (H,) or (R, H)."""
        return self._workspace.mean[..., 0, :]

    @property
    def var(self) -> FloatArray:
        """The biased variance of the last training batch, (H,) or (R, H)."""
        return self._workspace.variance[..., 0, :]

    def _allocate(self, shape: Shape) -> _Workspace:
        rows = batch_shape("BatchNormalization", shape, self.dim, self._replicas)
        dtype: np.dtype[Any] = self.gamma.dtype
        full, row, n = (*rows, self.dim), (*rows[:-1], 1, self.dim), rows[-1]
        if n == 1:
            raise ValueError(
                "BatchNormalization: training needs a batch of at least 2 rows, "
                f"got shape {shape}: one row has no variance"
            )
        moments, mean_grads = (np.empty((*rows[:-1], 1, 2 * self.dim), dtype) for _ in range(2))
        shares = np.repeat([self.momentum, self.momentum * n / (n - 1)], self.dim)
        return _Workspace(
            centered=np.empty(full, dtype),
            output=np.empty(full, dtype),
            scratch=np.empty(full, dtype),
            grad_input=np.empty(full, dtype),
            moments=moments,
            shares=np.broadcast_to(shares, moments.shape).astype(dtype),
            moved=np.empty_like(moments),
            mean=moments[..., : self.dim],
            variance=moments[..., self.dim :],
            std=np.empty(row, dtype),
            factor=np.empty(row, dtype),
            mean_grads=mean_grads,
            mean_grad_gamma=mean_grads[..., : self.dim],
            mean_grad_beta=mean_grads[..., self.dim :],
            ones=np.ones((1, n), dtype),
            average=np.full((1, n), 1.0 / n, dtype),
            rows=np.array(n, dtype),
            epsilon=np.array(self.epsilon, dtype),
            kept=np.array(1 - self.momentum, dtype),
        )

    def forward(self, input: FloatArray) -> FloatArray:
        """Normalize a training batch (..., N, H) by its own statistics (B1)-(B5); return (..., N, H)."""
        self._workspace = work = self._workspaces[input.shape]
        np.matmul(work.average, input, out=work.mean)  # (B1)
        np.subtract(input, work.mean, out=work.centered)
        np.multiply(work.centered, work.centered, out=work.scratch)
        np.matmul(work.average, work.scratch, out=work.variance)  # (B2)
        if self._input_bias_row is not None:
            np.add(work.mean, self._input_bias_row, out=work.mean)
        np.multiply(self._running_rows, work.kept, out=self._running_rows)  # (B5)
        np.multiply(work.moments, work.shares, out=work.moved)
        np.add(self._running_rows, work.moved, out=self._running_rows)
        # gamma and 1 / std are one factor: one pass over the batch instead of two (B3, B4).
        np.add(work.variance, work.epsilon, out=work.std)
        np.sqrt(work.std, out=work.std)
        np.divide(self._gamma_row, work.std, out=work.factor)
        np.multiply(work.centered, work.factor, out=work.output)
        np.add(work.output, self._beta_row, out=work.output)
        return work.output

    def evaluate(self, input: FloatArray) -> FloatArray:
        """Return (..., N, H) normalized by the running statistics (B6), as a new array; no state changes."""
        running_mean, running_var = np.split(self._running_rows, 2, axis=-1)
        factor = self._gamma_row / np.sqrt(running_var + self.epsilon)
        output: FloatArray = (input - running_mean) * factor + self._beta_row
        return output

    def backward(self, grad_output: FloatArray) -> FloatArray:
        """Return the gradient of the input (..., N, H); set ``grad_gamma`` and ``grad_beta``."""
        work = self._workspace
        np.matmul(work.ones, grad_output, out=self._grad_beta_row)  # (B7)
        np.multiply(grad_output, work.centered, out=work.scratch)
        np.matmul(work.ones, work.scratch, out=self._grad_gamma_row)
        np.divide(self._grad_gamma_row, work.std, out=self._grad_gamma_row)  # (B8)
        # (B9): factor * (grad_output - grad_beta / N - normalized * grad_gamma / N)
        np.divide(self._grad_rows, work.rows, out=work.mean_grads)
        np.divide(work.mean_grad_gamma, work.std, out=work.mean_grad_gamma)
        np.multiply(work.centered, work.mean_grad_gamma, out=work.scratch)
        np.subtract(grad_output, work.scratch, out=work.grad_input)
        np.subtract(work.grad_input, work.mean_grad_beta, out=work.grad_input)
        np.multiply(work.grad_input, work.factor, out=work.grad_input)
        return work.grad_input

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add (B6), not folded into the weights before it.

        That would round differently, and a feature that hardly varies amplifies the difference.
        """
        factor = self.gamma / np.sqrt(self.running_var + self.epsilon)
        out = graph.node("Sub", x, graph.constant("running_mean", self.running_mean))
        out = graph.node("Mul", out, graph.constant("factor", factor))
        return graph.node("Add", out, graph.constant("beta", self.beta))


@NORMALIZATIONS.register
@dataclass(frozen=True, kw_only=True)
class BatchNorm(Normalization):
    """Each feature's mean and variance over the batch become beta and gamma**2 (Ioffe & Szegedy 2015).

    Parameters
    ----------
    epsilon
        Added to the variance.
    momentum
        The weight of a batch in the running statistics.
    """

    name: Literal["batch_norm"] = "batch_norm"
    epsilon: Annotated[PositiveFloat, PROGRAM] = 1e-5
    momentum: Annotated[ShareOrAll, PROGRAM] = 0.1
    label: ClassVar[str] = "batch norm"
    layer_name: ClassVar[str] = "batchnorm"
    cancels_biases: ClassVar[bool] = True
    least_rows: ClassVar[int] = 2

    def layer(self, features: int, *, replicas: Shape, dtype: DTypeLike) -> BatchNormalization:
        """Return a new layer for H features."""
        return BatchNormalization(
            features, self.epsilon, momentum=self.momentum, replicas=replicas, dtype=dtype
        )
