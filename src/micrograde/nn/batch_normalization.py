"""Batch normalization; both passes are derived in docs/backward/batch_normalization.md."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.arrays import FloatArray, Shape, Workspaces, batch_shape, check_size


@dataclass(slots=True)
class _Workspace:
    centered: FloatArray  # (..., N, H): input - mean
    output: FloatArray  # (..., N, H)
    scratch: FloatArray  # (..., N, H)
    grad_input: FloatArray  # (..., N, H)
    mean: FloatArray  # (..., 1, H), as are the following
    variance: FloatArray
    inverse_std: FloatArray  # 1 / sqrt(variance + epsilon)
    factor: FloatArray  # gamma / sqrt(variance + epsilon)
    row: FloatArray
    ones: FloatArray  # (1, N)
    average: FloatArray  # (1, N) of 1 / N: a mean over the rows as a matrix product
    unbiased: float  # N / (N - 1)


class BatchNormalization:
    """Normalizes each feature over the batch, then scales and shifts it (Ioffe & Szegedy 2015).

    In training, with the batch's own mean and biased variance (B1)-(B4)::

        output = gamma * (input - mean) / sqrt(var + epsilon) + beta

    and the running statistics move by ``momentum`` towards the batch's mean and unbiased variance
    (B5). In evaluation the running statistics take the place of the batch's (B6). These are PyTorch's
    conventions, so the two can be compared number for number.

    Parameters
    ----------
    dim
        H, the number of features.
    epsilon
        Added to the variance.
    momentum
        Share of the batch in the running statistics.
    replicas
        ``(R,)`` for a stack, ``()`` alone.

    Attributes
    ----------
    gamma, beta, grad_gamma, grad_beta, running_mean, running_var : (H,), in a stack (R, H)
    mean, var : (H,), in a stack (R, H), of the last training batch

    Raises
    ------
    ValueError
        If a batch does not have H features, or has one row only in training: its variance is zero.
    """

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
        shape = (*replicas, dim)
        self.bind(
            {"gamma": np.ones(shape, dtype), "beta": np.zeros(shape, dtype)},
            {"gamma": np.zeros(shape, dtype), "beta": np.zeros(shape, dtype)},
        )
        self.bind_statistics(
            {"running_mean": np.zeros(shape, dtype), "running_var": np.ones(shape, dtype)},
        )

    def parameters(self) -> dict[str, FloatArray]:
        """The learned arrays by name."""
        return {"gamma": self.gamma, "beta": self.beta}

    def statistics(self) -> dict[str, FloatArray]:
        """What is not learned but kept for evaluation, by name."""
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def bind(self, parameters: dict[str, FloatArray], gradients: dict[str, FloatArray]) -> None:
        """Use these arrays from now on; a network hands out views into its one buffer.

        Their leading axis says how many replicas there are.
        """
        self.gamma, self.beta = parameters["gamma"], parameters["beta"]
        self.grad_gamma, self.grad_beta = gradients["gamma"], gradients["beta"]
        self._gamma_row, self._beta_row = self.gamma[..., None, :], self.beta[..., None, :]
        self._grad_gamma_row = self.grad_gamma[..., None, :]
        self._grad_beta_row = self.grad_beta[..., None, :]
        self._replicas = self.gamma.shape[:-1]
        self._workspaces = Workspaces(self._allocate)

    def bind_statistics(self, statistics: dict[str, FloatArray]) -> None:
        """Use these arrays for the running statistics from now on."""
        self.running_mean, self.running_var = statistics["running_mean"], statistics["running_var"]
        self._running_mean_row = self.running_mean[..., None, :]
        self._running_var_row = self.running_var[..., None, :]

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
        return _Workspace(
            centered=np.empty(full, dtype),
            output=np.empty(full, dtype),
            scratch=np.empty(full, dtype),
            grad_input=np.empty(full, dtype),
            mean=np.empty(row, dtype),
            variance=np.empty(row, dtype),
            inverse_std=np.empty(row, dtype),
            factor=np.empty(row, dtype),
            row=np.empty(row, dtype),
            ones=np.ones((1, n), dtype),
            average=np.full((1, n), 1.0 / n, dtype),
            unbiased=n / (n - 1),
        )

    def forward(self, input: FloatArray) -> FloatArray:
        """(..., N, H) to (..., N, H) by the batch's statistics (B1)-(B5): training."""
        self._workspace = work = self._workspaces[input.shape]
        np.matmul(work.average, input, out=work.mean)  # (B1)
        np.subtract(input, work.mean, out=work.centered)
        np.multiply(work.centered, work.centered, out=work.scratch)
        np.matmul(work.average, work.scratch, out=work.variance)  # (B2)
        self._move_running_statistics(work)
        # gamma and 1 / std are one factor: one pass over the batch instead of two (B3, B4).
        np.add(work.variance, self.epsilon, out=work.inverse_std)
        np.sqrt(work.inverse_std, out=work.inverse_std)
        np.reciprocal(work.inverse_std, out=work.inverse_std)
        np.multiply(work.inverse_std, self._gamma_row, out=work.factor)
        np.multiply(work.centered, work.factor, out=work.output)
        np.add(work.output, self._beta_row, out=work.output)
        return work.output

    def evaluate(self, input: FloatArray) -> FloatArray:
        """(..., N, H) to a new array (..., N, H) by the running statistics (B6); changes nothing."""
        factor = self._gamma_row / np.sqrt(self._running_var_row + self.epsilon)
        output: FloatArray = (input - self._running_mean_row) * factor + self._beta_row
        return output

    def backward(self, grad_output: FloatArray) -> FloatArray:
        """(..., N, H) to the gradient of the input (..., N, H); fills those of gamma and beta."""
        work = self._workspace
        n = grad_output.shape[-2]
        np.matmul(work.ones, grad_output, out=self._grad_beta_row)  # (B7)
        np.multiply(grad_output, work.centered, out=work.scratch)
        np.matmul(work.ones, work.scratch, out=self._grad_gamma_row)
        np.multiply(self._grad_gamma_row, work.inverse_std, out=self._grad_gamma_row)  # (B8)
        # (B9): factor * (grad_output - grad_beta / N - normalized * grad_gamma / N)
        np.multiply(self._grad_gamma_row, work.inverse_std, out=work.row)
        np.divide(work.row, n, out=work.row)
        np.multiply(work.centered, work.row, out=work.scratch)
        np.subtract(grad_output, work.scratch, out=work.grad_input)
        np.divide(self._grad_beta_row, n, out=work.row)
        np.subtract(work.grad_input, work.row, out=work.grad_input)
        np.multiply(work.grad_input, work.factor, out=work.grad_input)
        return work.grad_input

    def _move_running_statistics(self, work: _Workspace) -> None:
        """Equation (B5): running += momentum * (batch - running), the variance unbiased."""
        np.subtract(work.mean, self._running_mean_row, out=work.row)
        np.multiply(work.row, self.momentum, out=work.row)
        np.add(self._running_mean_row, work.row, out=self._running_mean_row)
        np.multiply(work.variance, work.unbiased, out=work.row)
        np.subtract(work.row, self._running_var_row, out=work.row)
        np.multiply(work.row, self.momentum, out=work.row)
        np.add(self._running_var_row, work.row, out=self._running_var_row)
