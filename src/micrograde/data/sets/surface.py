"""A smooth surface over a square."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_numbers
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Surface(GeneratedDataSet):
    """A number to predict, the height of a surface with two hills and a dip over two features.

    It is Franke's function (R. Franke, 1979, "A critical comparison of some methods for interpolation of
    scattered data"), of x1 and x2 uniform from 0 to 1.

    Parameters
    ----------
    noise
        Standard deviation of what is added to the height, which is from 0 to 1.22 without it.
    """

    name: Literal["surface"] = "surface"
    noise: Annotated[NonNegativeFloat, PROGRAM] = 0.05

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 2, 1)
        random = np.random.default_rng(self.seed)
        points = random.uniform(size=(self.samples, 2))
        with np.errstate(over="ignore"):  # of_numbers refuses what is not finite
            heights = franke(points) + self.noise * random.standard_normal(self.samples)
        return of_numbers("surface", points, heights, noise=self.noise)


def franke(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Franke's function of points (N, 2) of the unit square, shape (N,)."""
    x, y = 9 * points.T
    hills = 0.75 * np.exp(-(np.square(x - 2) + np.square(y - 2)) / 4)
    hills += 0.75 * np.exp(-np.square(x + 1) / 49 - (y + 1) / 10)
    hills += 0.5 * np.exp(-(np.square(x - 7) + np.square(y - 3)) / 4)
    heights: NDArray[np.float64] = hills - 0.2 * np.exp(-np.square(x - 4) - np.square(y - 7))
    return heights
