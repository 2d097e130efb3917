"""The exponential schedule (O17)."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PER_REPLICA, PositiveFloat
from micrograde.nn.arrays import FloatArray
from micrograde.training.schedules import SCHEDULES, ScheduleWithWarmUp, Steps


@SCHEDULES.register
@dataclass(frozen=True, kw_only=True)
class Exponential(ScheduleWithWarmUp):
    """The learning rate is multiplied by factor after each epoch, from the first, in a warm-up, too.

    Parameters
    ----------
    factor
        What the learning rate is multiplied by; above 1 it grows, as in a search for the largest rate.
    """

    name: Literal["exponential"] = "exponential"
    factor: Annotated[PositiveFloat, PER_REPLICA] = 0.95

    def full_factors(self, steps: Steps) -> FloatArray:
        """Return factor**k in epoch k, counted from 0 (O17)."""
        return np.power(self.factor, np.floor(steps.epochs))
