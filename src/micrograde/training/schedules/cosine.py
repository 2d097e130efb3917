"""The cosine schedule (O11)."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PER_REPLICA, ShareOrAll
from micrograde.nn.arrays import FloatArray
from micrograde.training.schedules import SCHEDULES, ScheduleWithWarmUp, Steps


@SCHEDULES.register
@dataclass(frozen=True, kw_only=True)
class Cosine(ScheduleWithWarmUp):
    """The learning rate falls along half a cosine after a linear warm-up (Loshchilov & Hutter 2017).

    Parameters
    ----------
    final_fraction
        What is left of the learning rate at the end.
    """

    name: Literal["cosine"] = "cosine"
    final_fraction: Annotated[ShareOrAll, PER_REPLICA] = 0.0

    def full_factors(self, steps: Steps) -> FloatArray:
        """Follow half a cosine from 1, after the warm-up, to ``final_fraction`` at the end (O11)."""
        length = max(steps.num_epochs - self.warmup_epochs, 1e-12)
        progress = np.clip((steps.epochs - self.warmup_epochs) / length, 0.0, 1.0)
        factors: FloatArray = self.final_fraction + (1 - self.final_fraction) * 0.5 * (
            1 + np.cos(np.pi * progress)
        )
        return factors
