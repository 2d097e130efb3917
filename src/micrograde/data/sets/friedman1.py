"""Friedman's first problem."""

from dataclasses import dataclass
from typing import Annotated, Literal

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat, Range
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_friedman
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet

Features = Annotated[int, Range(ge=5)]


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Friedman1(GeneratedDataSet):
    """Friedman's first problem of numbers: five features matter, the others do not.

    y = 10 sin(pi x1 x2) + 20 (x3 - 0.5)^2 + 10 x4 + 5 x5, of features uniform from 0 to 1 (J. H. Friedman,
    1991, "Multivariate adaptive regression splines"); as scikit-learn generates it.

    Parameters
    ----------
    features
        The number of features, 5 or more.
    noise
        Standard deviation of what is added to y, whose own is about 4.9.
    """

    name: Literal["friedman1"] = "friedman1"
    features: Annotated[Features, PROGRAM] = 10
    noise: Annotated[NonNegativeFloat, PROGRAM] = 1.0

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, self.features, 1)
        return of_friedman(self.name, self.samples, self.features, noise=self.noise, seed=self.seed)
