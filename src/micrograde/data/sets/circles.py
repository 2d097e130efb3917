"""A circle inside a circle."""

from dataclasses import dataclass
from typing import Annotated, Literal

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat, Range
from micrograde.data.dataset import Dataset
from micrograde.data.generators import legacy_random, of_points
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Circles(GeneratedDataSet):
    """A circle (class 1) inside a circle of radius 1 (class 0): needs a closed boundary.

    Parameters
    ----------
    noise
        Standard deviation; the outer radius is 1.
    factor
        The inner radius.
    """

    name: Literal["circles"] = "circles"
    noise: Annotated[NonNegativeFloat, PROGRAM] = 0.1
    factor: Annotated[float, Range(gt=0, lt=1), PROGRAM] = 0.5

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 2, 2)
        from sklearn.datasets import make_circles

        points, labels = make_circles(
            self.samples, noise=abs(self.noise), factor=self.factor, random_state=legacy_random(self.seed)
        )
        return of_points("circles", points, labels, 2, noise=self.noise)
