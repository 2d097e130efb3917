"""The one-cycle schedule (O18)."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PER_REPLICA, Range, ShareOrAll
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.schedules import SCHEDULES, Schedule, Steps

AtLeastOne = Annotated[float, Range(ge=1)]


@SCHEDULES.register
@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """The learning rate rises along half a cosine to its full value, then falls far below its start.

    It changes at each step, in two phases, as in PyTorch's OneCycleLR (Smith & Topin 2018);
    optimizer.learning_rate is the peak. Momentum stays as it is.

    Parameters
    ----------
    pct_start
        The share of all steps in which the rate rises.
    div_factor
        The peak divided by the rate of the first step.
    final_div_factor
        The rate of the first step divided by that of the last.
    """

    name: Literal["one_cycle"] = "one_cycle"
    pct_start: Annotated[ShareOrAll, PER_REPLICA] = 0.3
    div_factor: Annotated[AtLeastOne, PER_REPLICA] = 25.0
    final_div_factor: Annotated[AtLeastOne, PER_REPLICA] = 10_000.0

    def factors(self, steps: Steps) -> FloatArray:
        """Rise from 1 / div_factor to 1, then fall to 1 / div_factor / final_div_factor (O18)."""
        first = 1 / self.div_factor
        top, end = self.pct_start * steps.in_all - 1, steps.in_all - 1
        rising = _between(first, 1.0, steps.numbers, 0.0, top)
        falling = _between(1.0, first / self.final_div_factor, steps.numbers, top, end)
        return np.where(steps.numbers <= top, rising, falling)


def _between(start: float, end: float, steps: IntArray, first: float, last: float) -> FloatArray:
    """Follow half a cosine from ``start`` at the step ``first`` to ``end`` at ``last``; (S,) to (S,)."""
    progress = np.clip((steps - first) / (last - first), 0.0, 1.0) if last > first else np.ones(len(steps))
    return np.asarray(end + (start - end) / 2 * (1 + np.cos(np.pi * progress)))
