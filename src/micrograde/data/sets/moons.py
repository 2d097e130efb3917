"""Two half circles."""

from dataclasses import dataclass
from typing import Annotated, Literal

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat
from micrograde.data.dataset import Dataset
from micrograde.data.generators import legacy_random, of_points
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Moons(GeneratedDataSet):
    """Two interleaving half circles of radius 1: needs a curved boundary.

    Parameters
    ----------
    noise
        Standard deviation; the circles' radius is 1.
    """

    name: Literal["moons"] = "moons"
    noise: Annotated[NonNegativeFloat, PROGRAM] = 0.2

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 2, 2)
        from sklearn.datasets import make_moons

        points, labels = make_moons(
            self.samples, noise=abs(self.noise), random_state=legacy_random(self.seed)
        )
        return of_points("moons", points, labels, 2, noise=self.noise)
