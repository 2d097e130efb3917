"""Four clouds in the corners of a square."""

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
class Xor(GeneratedDataSet):
    """Four clouds in the corners of a square, opposite corners of one class: no line separates them.

    The corners are (-1, -1), (-1, 1), (1, -1) and (1, 1); class 1 is the second and the third.

    Parameters
    ----------
    noise
        Standard deviation of a cloud; the corners are 2 apart.
    """

    name: Literal["xor"] = "xor"
    noise: Annotated[NonNegativeFloat, PROGRAM] = 0.3

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 2, 2)
        random = np.random.default_rng(self.seed)
        corner = np.arange(self.samples) % 4
        positive = np.stack([corner // 2, corner % 2], axis=1)
        with np.errstate(over="ignore"):  # of_points refuses points that are not finite
            points = 2.0 * positive - 1.0 + self.noise * random.standard_normal((self.samples, 2))
        return of_points("xor", points, positive[:, 0] ^ positive[:, 1], 2, noise=self.noise)
