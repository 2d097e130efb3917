"""The Huber loss; derived in docs/backward/numbers.md."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, PositiveFloat
from micrograde.nn.arrays import FloatArray
from micrograde.nn.losses import LOSSES, Loss
from micrograde.nn.losses.mean_of_outputs import mean_of_outputs


@LOSSES.register
@dataclass(frozen=True, kw_only=True)
class Huber(Loss):
    """Half the squared error; beyond ``delta`` it grows as a line only, so that outliers count for less.

    Beyond ``delta`` it is ``delta (|error| - delta / 2)``, as in Huber, *Robust estimation of a location
    parameter*, 1964, and in PyTorch's ``HuberLoss``; it is not divided by ``delta``. A mean over the outputs.

    Parameters
    ----------
    delta
        The error from which on the loss grows no faster than a line, in standard deviations of the target in
        the training part, by which targets are scaled.
    """

    name: Literal["huber"] = "huber"
    delta: Annotated[PositiveFloat, PROGRAM] = 1.0
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "numbers"

    def value(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the mean of ``s (error - s / 2)`` over the outputs, (..., N), s the clipped error (N3)."""
        errors = logits - targets
        near = np.clip(errors, -self.delta, self.delta)
        errors -= near / 2
        errors *= near
        return mean_of_outputs(errors)

    def gradient(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the error within -delta to delta, divided by C, (..., N, C) (N4)."""
        errors: FloatArray = logits - targets
        np.clip(errors, -self.delta, self.delta, out=errors)
        errors /= errors.shape[-1]
        return errors
