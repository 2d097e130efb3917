"""The step schedule (O10)."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PER_REPLICA, PositiveFloat, PositiveInt
from micrograde.nn.arrays import FloatArray
from micrograde.training.schedules import SCHEDULES, ScheduleWithWarmUp, Steps


@SCHEDULES.register
@dataclass(frozen=True, kw_only=True)
class Step(ScheduleWithWarmUp):
    """The learning rate is multiplied by factor every step_epochs epochs, after a linear warm-up.

    Parameters
    ----------
    step_epochs
        Epochs between two changes, counted from the start of training.
    factor
        What the learning rate is multiplied by; above 1 it grows.
    """

    name: Literal["step"] = "step"
    step_epochs: Annotated[PositiveInt, PER_REPLICA] = 20
    factor: Annotated[PositiveFloat, PER_REPLICA] = 0.5

    def full_factors(self, steps: Steps) -> FloatArray:
        """Multiply by ``factor`` after every ``step_epochs`` whole epochs (O10)."""
        return np.power(self.factor, np.floor(steps.epochs / self.step_epochs))
