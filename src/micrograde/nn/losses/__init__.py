"""Losses, which training makes small: one file for each, found by itself.

A loss owes an equation, too, in ``gradcheck/equations/losses/``, which checks its gradient.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike

from micrograde.core.registry import Registry
from micrograde.nn.arrays import FloatArray, Shape

LOSSES: "Registry[type[Loss]]" = Registry("loss", __name__)


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """A function of each row's logits and targets, whose mean training makes small.

    The fields are hyperparameters. Logits are what the network's last layer returns, (..., N, C). Targets
    have that shape, or (N, C) if they are the same for all replicas. Rows do not depend on each other.

    Attributes
    ----------
    learns
        What targets are: distributions over ``classes``, ``numbers``, or ``truths``, 0 or 1 of each output.
    """

    name: str = ""  # each entry has its own
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "classes"

    @abstractmethod
    def value(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the loss of each row, (..., N), as a new array in the dtype of the logits."""

    @abstractmethod
    def gradient(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the derivative of each row's loss by its logits, (..., N, C), as a new array."""

    def layer(self, dtype: DTypeLike) -> "LossLayer":  # noqa: ARG002 (what others allocate in)
        """Return what a network trains with; override it where both passes can share work and memory."""
        return LossLayer(self)


class LossLayer:
    """The mean of a loss over the rows of a batch, which may be weighted: the end of a network.

    With weights w it is ``sum(w * losses) / sum(w)`` (C6): a weight of 2 is the row twice, and a factor on
    all weights changes nothing. What the sum is divided by can be given instead. Training does so, with
    weights whose mean over all its rows is 1 and the number of rows of a batch (C7): divided by its own
    weights, a batch of rows of one class would not know that the class has a weight.

    Attributes
    ----------
    function
        The loss.
    logits, targets
        Of the last ``forward``.
    shares
        What each row's loss counted in the last ``forward``, (..., N); None if there were no weights, so that
        each counted 1 / N.
    """

    shares: FloatArray | None = None

    def __init__(self, function: Loss) -> None:
        self.function = function

    def forward(
        self,
        predictions: FloatArray,
        targets: FloatArray,
        weights: FloatArray | None = None,
        total: float | None = None,
    ) -> FloatArray:
        """Return the mean loss of a batch: a number, in a stack (R,).

        Parameters
        ----------
        predictions
            Logits, (..., N, C).
        targets
            (..., N, C), or (N, C) if they are the same for all replicas.
        weights
            What each row counts, (..., N), or (N,) if it is the same for all replicas; None for 1.
        total
            With weights, what the sum of the weighted losses is divided by; None for the sum of the weights.

        Raises
        ------
        ValueError
            If the shapes do not fit each other.
        """
        self.logits, self.targets = predictions, targets
        losses = self._losses(predictions, targets)
        if weights is None:
            self.shares = None
            return _mean(losses)
        self.shares = self._shares(predictions, weights, total)
        return np.asarray(np.vecdot(losses, self.shares))

    def evaluate(
        self,
        predictions: FloatArray,
        targets: FloatArray,
        weights: FloatArray | None = None,
        total: float | None = None,
    ) -> FloatArray:
        """Return the mean loss, a number or (R,), without changing the state; see ``forward``."""
        losses = self._losses(predictions, targets)
        if weights is None:
            return _mean(losses)
        return np.asarray(np.vecdot(losses, self._shares(predictions, weights, total)))

    def backward(self) -> FloatArray:
        """Return the gradient of the last ``forward``'s mean loss with respect to the logits, (..., N, C)."""
        gradient = self.function.gradient(self.logits, self.targets)
        if self.shares is None:
            return np.asarray(gradient / self.logits.shape[-2])
        return np.asarray(gradient * self.shares[..., np.newaxis])

    def _losses(self, predictions: FloatArray, targets: FloatArray) -> FloatArray:
        self.check(predictions.shape, targets.shape)
        return self.function.value(predictions, targets)

    def _shares(self, predictions: FloatArray, weights: FloatArray, total: float | None) -> FloatArray:
        """Return what each row counts, (..., N) or (N,), in the dtype of the predictions."""
        rows = predictions.shape[:-1]
        if weights.shape not in (rows, rows[-1:]):
            raise ValueError(
                f"{type(self).__name__}: weights {weights.shape} do not fit predictions {predictions.shape}; "
                f"expected a weight for each sample, {rows[-1:]}"
            )
        divisor = np.add.reduce(weights, axis=-1, keepdims=True) if total is None else total
        return np.asarray(weights / divisor, predictions.dtype)

    def check(self, predictions: Shape, targets: Shape) -> None:
        """Raise ``ValueError`` unless targets of this shape fit predictions of this shape."""
        if targets not in (predictions, predictions[-2:]) or len(predictions) < 2:
            raise ValueError(
                f"{type(self).__name__}: targets {targets} do not fit predictions {predictions}; "
                f"expected a row of targets for each sample, {predictions[-2:]}"
            )


def _mean(losses: FloatArray) -> FloatArray:
    mean: FloatArray = np.add.reduce(losses, axis=-1) / losses.shape[-1]
    return mean


def make_loss(name: str) -> Loss:
    """Return a loss by its name, with the default hyperparameters.

    Raises
    ------
    InputError
        If there is no such loss.
    """
    return LOSSES[name]()
