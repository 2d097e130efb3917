"""Softmax and cross-entropy as one function of the logits; derived in docs/backward/cross_entropy.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat
from micrograde.nn.arrays import FloatArray, Shape, Workspaces, matrix_product
from micrograde.nn.classes import predicted_classes, softmax
from micrograde.nn.losses import LOSSES, Loss, LossLayer


@dataclass(slots=True)
class _Workspace:
    by_class: FloatArray  # (C, ..., N): the logits again, classes first
    by_row: FloatArray  # (..., N, C): the same memory
    shifted: FloatArray  # (..., N, C): logits minus the row's largest
    probabilities: FloatArray  # (..., N, C)
    grad_logits: FloatArray  # (..., N, C)
    largest: FloatArray  # (..., N): the largest logit of each row
    sums: FloatArray  # (..., N): each row's sum of exponentials
    largest_column: FloatArray  # (..., N, 1): the same memory, as is sums_column
    sums_column: FloatArray
    losses: FloatArray  # (..., N): each row's loss
    target_logits: FloatArray  # (..., N): the shifted logits weighted by the targets, summed over classes
    is_largest: NDArray[np.bool_]  # (..., N, C)
    is_correct: NDArray[np.bool_]  # (..., N)
    ones: FloatArray  # (C, 1): a sum over classes as a matrix product
    product: Callable[..., FloatArray]
    average: FloatArray  # (N,) of 1 / N
    rows: FloatArray  # N as an array of the dtype: NumPy would convert a Python number at every call


class CrossEntropyLoss(LossLayer):
    """Mean over the batch of ``-sum(targets * log(softmax(logits)))`` (C2).

    It is computed from the logits by log-sum-exp (C3), so it is exact however far they are apart: a
    target's logit 2e4 below the largest gives a loss of 2e4, and no logarithm of zero is taken.

    Parameters
    ----------
    epsilon
        0 gives the exact loss. The notebook adds 1e-15 inside the logarithm; to reproduce its digits, pass
        1e-15: the loss is then ``-sum(targets * log(probabilities + epsilon))``, at most
        ``-log(epsilon)``. The gradient is that of the exact loss in both cases.

    Notes
    -----
    Each row of targets is a distribution over the classes: one-hot, or any weights that sum to 1.
    """

    def __init__(self, epsilon: float = 0.0, *, dtype: DTypeLike = np.float64) -> None:
        if not epsilon >= 0:
            raise ValueError(f"CrossEntropyLoss: epsilon must not be negative, got {epsilon}")
        super().__init__(CrossEntropy(epsilon=epsilon))
        self.epsilon = epsilon
        self._dtype = np.dtype(dtype)
        self._workspaces = Workspaces(self._allocate)

    def _allocate(self, shape: Shape) -> _Workspace:
        by_class = np.empty((shape[-1], *shape[:-1]), self._dtype)
        largest, sums = np.empty(shape[:-1], self._dtype), np.empty(shape[:-1], self._dtype)
        return _Workspace(
            by_class=by_class,
            by_row=np.moveaxis(by_class, 0, -1),
            shifted=np.empty(shape, self._dtype),
            probabilities=np.empty(shape, self._dtype),
            grad_logits=np.empty(shape, self._dtype),
            largest=largest,
            sums=sums,
            largest_column=largest[..., None],
            sums_column=sums[..., None],
            losses=np.empty(shape[:-1], self._dtype),
            target_logits=np.empty(shape[:-1], self._dtype),
            is_largest=np.empty(shape, np.bool_),
            is_correct=np.empty(shape[:-1], np.bool_),
            ones=np.ones((shape[-1], 1), self._dtype),
            product=matrix_product(self._dtype, *shape[-2:], 1),
            average=np.full(shape[-2], 1 / shape[-2], self._dtype),
            rows=np.array(shape[-2], self._dtype),
        )

    def forward(
        self,
        predictions: FloatArray,
        targets: FloatArray,
        weights: FloatArray | None = None,
        total: float | None = None,
    ) -> FloatArray:
        """Return the mean loss of a batch: a number, in a stack (R,); see ``LossLayer.forward``."""
        self.check(predictions.shape, targets.shape)
        self.shares = None if weights is None else self._shares(predictions, weights, total)
        self._workspace = work = self._workspaces[predictions.shape]
        self.logits, self.predictions, self.targets = predictions, work.probabilities, targets
        # NumPy reduces slowly over a short last axis: copying with the classes first is faster at once.
        np.copyto(work.by_row, predictions)
        np.maximum.reduce(work.by_class, axis=0, out=work.largest)
        np.subtract(predictions, work.largest_column, out=work.shifted)
        np.exp(work.shifted, out=work.probabilities)
        work.product(work.probabilities, work.ones, out=work.sums_column)
        np.divide(work.probabilities, work.sums_column, out=work.probabilities)  # (C1)
        np.vecdot(targets, work.shifted, out=work.target_logits)
        if self.epsilon:
            logarithms = np.log(work.probabilities + self.epsilon)
            if self.shares is not None:
                return np.asarray(-np.vecdot(np.vecdot(targets, logarithms), self.shares))
            bent: FloatArray = -np.sum(targets * logarithms, axis=(-2, -1)) / predictions.shape[-2]
            return bent
        # (C3): log-sum-exp of the logits minus the target's logit, both shifted by the largest.
        np.log(work.sums, out=work.losses)
        np.subtract(work.losses, work.target_logits, out=work.losses)
        loss: FloatArray = np.vecdot(work.losses, work.average if self.shares is None else self.shares)
        return loss

    def backward(self) -> FloatArray:
        """Return the gradient of the mean loss with respect to the logits, (..., N, C) (C5, C6)."""
        work = self._workspace
        np.subtract(work.probabilities, self.targets, out=work.grad_logits)
        if self.shares is not None:
            return np.multiply(work.grad_logits, self.shares[..., np.newaxis], out=work.grad_logits)
        return np.divide(work.grad_logits, work.rows, out=work.grad_logits)

    def correct(self) -> NDArray[np.bool_]:
        """Return which rows are classified correctly, from what ``forward`` has computed already."""
        work = self._workspace
        # The largest logit is shifted to zero. If every row has exactly one zero, a row is correct where its
        # target's shifted logit is zero. The count alone does not prove that: a row that is not finite has no
        # zero, which can make up for two in another row. But then its target's logit is NaN.
        np.logical_not(work.shifted, out=work.is_largest)
        alone = np.count_nonzero(work.is_largest) == work.is_correct.size
        if alone and not np.isnan(np.add.reduce(work.target_logits, axis=None)):
            np.logical_not(work.target_logits, out=work.is_correct)
        else:
            np.equal(predicted_classes(self.logits), self.targets.argmax(-1), out=work.is_correct)
        return work.is_correct


@LOSSES.register
@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Loss):
    """Cross-entropy of the softmax of the logits with targets that are distributions over the classes.

    Parameters
    ----------
    epsilon
        Added within the logarithm of training losses, as in the notebook; 0 for the exact loss. The gradient
        and ``value`` are those of the exact loss in both cases.
    """

    name: Literal["cross_entropy"] = "cross_entropy"
    epsilon: Annotated[NonNegativeFloat, PROGRAM] = 0.0
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "classes"

    def value(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the exact loss of each row, (..., N) (C3)."""
        shifted = logits - logits.max(axis=-1, keepdims=True)
        losses: FloatArray = np.log(np.exp(shifted).sum(axis=-1)) - np.vecdot(targets, shifted)
        return losses

    def gradient(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the probabilities less the targets, (..., N, C) (C5)."""
        return softmax(logits) - targets

    def layer(self, dtype: DTypeLike) -> CrossEntropyLoss:
        """Return softmax and cross-entropy as one, in memory of its own."""
        return CrossEntropyLoss(self.epsilon, dtype=dtype)
