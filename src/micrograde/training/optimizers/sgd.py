"""Stochastic gradient descent, equations (O1)-(O4)."""

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
class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Polyak 1964), Nesterov's variant or not.

    Parameters
    ----------
    momentum
        The share of the velocity that each step keeps.
    nesterov
        Whether a step looks ahead of the velocity (Sutskever et al. 2013); needs momentum.
    weight_decay
        Added to the gradient, times the parameters.
    """

    name: Literal["sgd"] = "sgd"
    learning_rate: Annotated[PositiveFloat, PER_REPLICA] = 0.2
    momentum: Annotated[Fraction, PER_REPLICA_ZERO_APART] = 0.0
    nesterov: Annotated[Boolean, PROGRAM] = False
    weight_decay: Annotated[NonNegativeFloat, PER_REPLICA_ZERO_APART] = 0.0

    def __post_init__(self) -> None:
        """Check that Nesterov's variant has momentum."""
        if self.nesterov and self.momentum == 0:
            raise ValueError(
                "optimizer.nesterov=true: needs momentum, but optimizer.momentum=0; set it to 0.9, say"
            )

    @property
    def state(self) -> tuple[str, ...]:
        """The velocity, with momentum."""
        return ("velocity",) if self.momentum else ()

    def step(self, stack: StackOptimizer, learning_rate: FloatArray) -> None:
        """Take one step against the velocity or gradient."""
        direction = stack.decayed_gradients() if self.weight_decay else stack.gradients
        if self.momentum:
            velocity = stack.state["velocity"]
            np.multiply(velocity, stack.columns["momentum"], out=velocity)
            np.add(velocity, direction, out=velocity)  # (O3)
            if self.nesterov:
                np.multiply(velocity, stack.columns["momentum"], out=stack.update)
                direction = np.add(direction, stack.update, out=stack.update)  # (O4)
            else:
                direction = velocity
        stack.subtract(direction, learning_rate)
