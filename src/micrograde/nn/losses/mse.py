"""The mean squared error; derived in docs/backward/numbers.md."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.losses import LOSSES, Loss
from micrograde.nn.losses.mean_of_outputs import mean_of_outputs


@LOSSES.register
@dataclass(frozen=True, kw_only=True)
class MeanSquaredError(Loss):
    """The squared error, a mean over the outputs: the best constant is the mean of the targets.

    It is PyTorch's ``MSELoss``, twice the loss of scikit-learn's ``MLPRegressor``.
    """

    name: Literal["mse"] = "mse"
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "numbers"

    def value(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the mean of ``(logits - targets)**2`` over the outputs, (..., N) (N1)."""
        errors = logits - targets
        return mean_of_outputs(np.multiply(errors, errors, out=errors))

    def gradient(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return ``2 (logits - targets) / C``, (..., N, C) (N2)."""
        errors: FloatArray = logits - targets
        errors *= 2 / errors.shape[-1]
        return errors
