"""The data set ``swirl``."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_points
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Swirl(GeneratedDataSet):
    """Two halves of a disc, turned the more the farther from its centre.

    Parameters
    ----------
    turn
        The angle in radians by which the rim is turned.
    """

    name: Literal["swirl"] = "swirl"
    turn: Annotated[NonNegativeFloat, PROGRAM] = 3.0

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 2, 2)
        random = np.random.default_rng(self.seed)
        radius = np.sqrt(random.uniform(0, 1, self.samples))
        labels = np.arange(self.samples) % 2
        angle = np.pi * (random.uniform(0, 1, self.samples) + labels) + self.turn * radius
        points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return of_points("swirl", points, labels, 2, turn=self.turn)
