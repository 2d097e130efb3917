"""Arms of a spiral."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat, PositiveFloat, PositiveInt
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_points
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, Classes, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Spirals(GeneratedDataSet):
    """One arm of an Archimedean spiral for each class: hard for a small network.

    Neighbouring arms are 1 apart for any number of classes and turns, so ``noise`` is in units of
    that gap.

    Parameters
    ----------
    classes
        The number of classes.
    noise
        Standard deviation; neighbouring arms are 1 apart.
    turns
        How often an arm winds around the centre.
    """

    name: Literal["spirals"] = "spirals"
    samples: Annotated[PositiveInt, PROGRAM] = 600
    classes: Annotated[Classes, PROGRAM] = 3
    noise: Annotated[NonNegativeFloat, PROGRAM] = 0.1
    turns: Annotated[PositiveFloat, PROGRAM] = 1.0

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 2, self.classes)
        random = np.random.default_rng(self.seed)
        labels = np.arange(self.samples) % self.classes
        turn = random.uniform(0.0, self.turns, size=self.samples)
        with np.errstate(over="ignore", invalid="ignore"):  # of_points refuses points that are not finite
            angle = 2 * np.pi * (turn + labels / self.classes)
            radius = self.classes * turn
            points = radius[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            points += self.noise * random.standard_normal(points.shape)
        return of_points("spirals", points, labels, self.classes, noise=self.noise, turns=self.turns)
