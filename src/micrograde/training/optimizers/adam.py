"""Adam, equations (O5)-(O8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import (
    PER_REPLICA,
    PER_REPLICA_ZERO_APART,
    Fraction,
    NonNegativeFloat,
    PositiveFloat,
)
from micrograde.nn.arrays import FloatArray
from micrograde.training.optimizers import OPTIMIZERS, Optimizer, StackOptimizer


@dataclass(frozen=True, kw_only=True)
class AdaptiveMoments(Optimizer):
    """What Adam and AdamW share: a mean of the gradients over the root of that of their squares.

    Parameters
    ----------
    beta1
        The share of the mean of the gradients that each step keeps.
    beta2
        The share of the mean of their squares that each step keeps.
    epsilon
        Added to the root, so that nothing is divided by zero.
    """

    beta1: Annotated[Fraction, PER_REPLICA] = 0.9
    beta2: Annotated[Fraction, PER_REPLICA] = 0.999
    epsilon: Annotated[PositiveFloat, PER_REPLICA] = 1e-8

    @property
    def state(self) -> tuple[str, ...]:
        """The means of the gradients and of their squares."""
        return ("mean", "square")

    def constants(self, values: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        """Return the shares of a gradient in the means."""
        return {"1 - beta1": 1 - values["beta1"], "1 - beta2": 1 - values["beta2"]}

    def move(self, stack: StackOptimizer, gradients: FloatArray, learning_rate: FloatArray) -> None:
        """Take one step against the corrected mean over the root of the corrected square."""
        mean, square = stack.state["mean"], stack.state["square"]
        # In float64, whatever the parameters' dtype: the bias corrections are differences of near equals.
        beta1, beta2 = stack.values["beta1"], stack.values["beta2"]
        np.multiply(mean, stack.columns["beta1"], out=mean)
        np.multiply(gradients, stack.columns["1 - beta1"], out=stack.update)
        np.add(mean, stack.update, out=mean)  # (O5)
        np.multiply(square, stack.columns["beta2"], out=square)
        np.multiply(gradients, gradients, out=stack.update)
        np.multiply(stack.update, stack.columns["1 - beta2"], out=stack.update)
        np.add(square, stack.update, out=square)  # (O6)
        corrected_rate = learning_rate / (1 - beta1**stack.steps)  # (O7)
        correction = np.sqrt(1 - beta2**stack.steps)
        np.sqrt(square, out=stack.update)
        np.divide(stack.update, stack.column(correction), out=stack.update)
        np.add(stack.update, stack.columns["epsilon"], out=stack.update)
        np.divide(mean, stack.update, out=stack.update)
        stack.subtract(stack.update, corrected_rate)  # (O8)


@OPTIMIZERS.register
@dataclass(frozen=True, kw_only=True)
class Adam(AdaptiveMoments):
    """Adam: steps scaled by running means of the gradients and of their squares (Kingma & Ba 2015).

    Parameters
    ----------
    weight_decay
        Added to the gradient, times the parameters.
    """

    name: Literal["adam"] = "adam"
    learning_rate: Annotated[PositiveFloat, PER_REPLICA] = 0.01
    weight_decay: Annotated[NonNegativeFloat, PER_REPLICA_ZERO_APART] = 0.0

    def step(self, stack: StackOptimizer, learning_rate: FloatArray) -> None:
        """Take one step; the means are of the decayed gradients."""
        self.move(stack, stack.decayed_gradients() if self.weight_decay else stack.gradients, learning_rate)
