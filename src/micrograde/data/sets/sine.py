"""A sine with noise."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat, PositiveFloat
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_numbers
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Sine(GeneratedDataSet):
    """A number to predict, y = sin(x) with noise: one feature, so that the fit is a curve.

    x is uniform over ``periods`` periods, half of them on each side of 0.

    Parameters
    ----------
    noise
        Standard deviation of what is added to y, which is from -1 to 1 without it.
    periods
        How many periods of the sine there are.
    """

    name: Literal["sine"] = "sine"
    noise: Annotated[NonNegativeFloat, PROGRAM] = 0.1
    periods: Annotated[PositiveFloat, PROGRAM] = 1.0

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 1, 1)
        random = np.random.default_rng(self.seed)
        with np.errstate(over="ignore", invalid="ignore"):  # of_numbers refuses what is not finite
            x = np.pi * self.periods * random.uniform(-1.0, 1.0, size=self.samples)
            y = np.sin(x) + self.noise * random.standard_normal(self.samples)
        return of_numbers("sine", x[:, np.newaxis], y, noise=self.noise, periods=self.periods)
