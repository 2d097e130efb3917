"""How the learning rate changes during training, as a factor for every step: one file for each schedule.

Equations (O9)-(O12) and (O17)-(O18) are in docs/backward/optimizers.md.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from micrograde.core.hyperparameters import PER_REPLICA, NonNegativeFloat
from micrograde.core.registry import Registry
from micrograde.nn.arrays import FloatArray, IntArray

SCHEDULES: "Registry[type[Schedule]]" = Registry("schedule", __name__)


@dataclass(frozen=True)
class Steps:
    """Steps of a training: their numbers (S,), counted from 0, and how many there are in all.

    An epoch's smaller last batch is a step, too. Training may end before ``in_all`` (early stopping), and
    numbers beyond may be asked for; their factors are not used.
    """

    numbers: IntArray
    num_epochs: int
    per_epoch: int

    @property
    def in_all(self) -> int:
        """The number of steps of the whole training."""
        return self.num_epochs * self.per_epoch

    @property
    def epochs(self) -> FloatArray:
        """Each step as a fraction of epochs (S,): a step in the middle of epoch 3, from 0, stands at 3.5."""
        return np.asarray(self.numbers / self.per_epoch)


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """What multiplies the learning rate at each step; the fields are hyperparameters.

    All hyperparameters are per replica: a schedule changes numbers alone, and no operation of a step.
    """

    name: str = ""  # each entry has its own

    @abstractmethod
    def factors(self, steps: Steps) -> FloatArray:
        """Return the factor at each step (S,); it must not depend on which other steps are given."""


@dataclass(frozen=True, kw_only=True)
class ScheduleWithWarmUp(Schedule):
    """A schedule that a linear warm-up may precede (O12).

    Parameters
    ----------
    warmup_epochs
        Epochs over which the factor also grows linearly, from one step's share to 1; fractions count.
    """

    warmup_epochs: Annotated[NonNegativeFloat, PER_REPLICA] = 0  # sweeps of 0.1 are known by 0, not 0.0

    def __post_init__(self) -> None:
        """Make a whole number of epochs the float that recipes hold."""
        object.__setattr__(self, "warmup_epochs", float(self.warmup_epochs))

    def factors(self, steps: Steps) -> FloatArray:
        """Return the factor at each step (S,), with warm-up."""
        warmup_steps = max(self.warmup_epochs * steps.per_epoch, 1.0)
        return np.asarray(self.full_factors(steps) * np.minimum(1.0, (steps.numbers + 1) / warmup_steps))

    @abstractmethod
    def full_factors(self, steps: Steps) -> FloatArray:
        """Return the factor at each step (S,), as it is without warm-up."""


def learning_rate_factors(
    schedule: Schedule, steps: IntArray, *, num_epochs: int, steps_per_epoch: int
) -> FloatArray:
    """Return the factor on the learning rate at each of the ``steps`` (S,), counted from 0.

    A step's factor is the same, bit for bit, whichever other steps are given.
    """
    # A rate that grows without bound makes the loss infinite, which is seen.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return schedule.factors(Steps(steps, num_epochs, steps_per_epoch))
