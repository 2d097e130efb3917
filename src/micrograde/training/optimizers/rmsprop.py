"""RMSprop, equations (O14)-(O16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import (
    PER_REPLICA,
    PER_REPLICA_ZERO_APART,
    PROGRAM,
    Boolean,
    Fraction,
    NonNegativeFloat,
    PositiveFloat,
)
from micrograde.nn.arrays import FloatArray
from micrograde.training.optimizers import OPTIMIZERS, Optimizer, StackOptimizer


@OPTIMIZERS.register
@dataclass(frozen=True, kw_only=True)
class RMSprop(Optimizer):
    """RMSprop: gradients over the root of a running mean of their squares (Hinton's lecture 6, 2012).

    Parameters
    ----------
    alpha
        The share of the mean of the squares that each step keeps.
    epsilon
        Added to the root, so that nothing is divided by zero.
    momentum
        The share of the velocity that each step keeps.
    centered
        Whether to divide by the root of the variance instead (Graves 2013).
    weight_decay
        Added to the gradient, times the parameters.
    """

    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: Annotated[PositiveFloat, PER_REPLICA] = 0.01
    alpha: Annotated[Fraction, PER_REPLICA] = 0.99
    epsilon: Annotated[PositiveFloat, PER_REPLICA] = 1e-8
    momentum: Annotated[Fraction, PER_REPLICA_ZERO_APART] = 0.0
    centered: Annotated[Boolean, PROGRAM] = False
    weight_decay: Annotated[NonNegativeFloat, PER_REPLICA_ZERO_APART] = 0.0

    @property
    def state(self) -> tuple[str, ...]:
        """The mean of the squares; centered, the mean, too; with momentum, the velocity."""
        return ("square", *(("mean",) * self.centered), *(("velocity",) * bool(self.momentum)))

    def constants(self, values: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        """Return the share of a gradient in the means."""
        return {"1 - alpha": 1 - values["alpha"]}

    def step(self, stack: StackOptimizer, learning_rate: FloatArray) -> None:
        """Take one step against the velocity or the scaled gradient."""
        gradients = stack.decayed_gradients() if self.weight_decay else stack.gradients
        square, update = stack.state["square"], stack.update
        np.multiply(square, stack.columns["alpha"], out=square)
        np.multiply(gradients, gradients, out=update)
        np.multiply(update, stack.columns["1 - alpha"], out=update)
        np.add(square, update, out=square)  # (O14)
        if self.centered:
            mean = stack.state["mean"]
            np.multiply(mean, stack.columns["alpha"], out=mean)
            np.multiply(gradients, stack.columns["1 - alpha"], out=update)
            np.add(mean, update, out=mean)
            np.multiply(mean, mean, out=update)
            np.subtract(square, update, out=update)
            np.maximum(update, 0, out=update)  # (O15); rounding could make it negative, and its root NaN
            np.sqrt(update, out=update)
        else:
            np.sqrt(square, out=update)
        np.add(update, stack.columns["epsilon"], out=update)
        np.divide(gradients, update, out=update)
        direction = update
        if self.momentum:
            direction = velocity = stack.state["velocity"]
            np.multiply(velocity, stack.columns["momentum"], out=velocity)
            np.add(velocity, update, out=velocity)
        stack.subtract(direction, learning_rate)  # (O16)
