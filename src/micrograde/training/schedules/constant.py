"""The constant schedule (O9)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.training.schedules import SCHEDULES, ScheduleWithWarmUp, Steps


@SCHEDULES.register
@dataclass(frozen=True, kw_only=True)
class Constant(ScheduleWithWarmUp):
    """The learning rate stays as it is, after a linear warm-up over the first warmup_epochs."""

    name: Literal["constant"] = "constant"

    def full_factors(self, steps: Steps) -> FloatArray:
        """Return 1 throughout (O9)."""
        return np.ones_like(steps.epochs)
