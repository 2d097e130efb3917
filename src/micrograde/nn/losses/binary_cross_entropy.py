"""Cross-entropy of a logistic function for each output; derived in docs/backward/binary_cross_entropy.md."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.classes import logistic
from micrograde.nn.losses import LOSSES, Loss
from micrograde.nn.losses.mean_of_outputs import mean_of_outputs


@LOSSES.register
@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of yes or no, a mean over the outputs, each of which is the logit of its own yes.

    It is PyTorch's ``BCEWithLogitsLoss``, exact however large the logits are.
    """

    name: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "truths"

    def value(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the mean of ``log(1 + exp(logit)) - target * logit`` over the outputs, (..., N) (Y2)."""
        losses = np.logaddexp(logits, logits.dtype.type(0))
        losses -= targets * logits
        return mean_of_outputs(losses)

    def gradient(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return ``(sigmoid(logits) - targets) / C``, (..., N, C) (Y3)."""
        gradient = logistic(logits)
        gradient -= targets
        gradient /= gradient.shape[-1]
        return gradient
