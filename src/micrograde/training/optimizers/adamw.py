"""AdamW, equation (O13)."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import (
    PER_REPLICA,
    PER_REPLICA_ZERO_APART,
    NonNegativeFloat,
    PositiveFloat,
)
from micrograde.nn.arrays import FloatArray
from micrograde.training.optimizers import OPTIMIZERS, StackOptimizer
from micrograde.training.optimizers.adam import AdaptiveMoments


@OPTIMIZERS.register
@dataclass(frozen=True, kw_only=True)
class AdamW(AdaptiveMoments):
    """Adam whose weight decay shrinks the parameters directly (Loshchilov & Hutter 2019).

    Parameters
    ----------
    weight_decay
        Times the learning rate, the share by which each step shrinks the parameters.
    """

    name: Literal["adamw"] = "adamw"
    learning_rate: Annotated[PositiveFloat, PER_REPLICA] = 0.01
    weight_decay: Annotated[NonNegativeFloat, PER_REPLICA_ZERO_APART] = 0.01

    def step(self, stack: StackOptimizer, learning_rate: FloatArray) -> None:
        """Shrink the parameters, then take Adam's step."""
        if self.weight_decay:
            kept = stack.column(1 - learning_rate * stack.values["weight_decay"])
            np.multiply(stack.parameters, kept, out=stack.parameters)  # (O13)
        self.move(stack, stack.gradients, learning_rate)
