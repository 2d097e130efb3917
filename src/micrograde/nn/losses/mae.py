"""The mean absolute error; derived in docs/backward/numbers.md."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.losses import LOSSES, Loss
from micrograde.nn.losses.mean_of_outputs import mean_of_outputs


@LOSSES.register
@dataclass(frozen=True, kw_only=True)
class MeanAbsoluteError(Loss):
    """The absolute error, a mean over the outputs: no error's gradient is larger than another's.

    The best constant is the median of the targets. It is PyTorch's ``L1Loss``.
    """

    name: Literal["mae"] = "mae"
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "numbers"

    def value(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the mean of ``|logits - targets|`` over the outputs, (..., N) (N5)."""
        errors = logits - targets
        return mean_of_outputs(np.abs(errors, out=errors))

    def gradient(self, logits: FloatArray, targets: FloatArray) -> FloatArray:
        """Return ``sign(logits - targets) / C``, (..., N, C), which is 0 where they are equal (N6)."""
        errors: FloatArray = logits - targets
        np.sign(errors, out=errors)
        errors /= errors.shape[-1]
        return errors
