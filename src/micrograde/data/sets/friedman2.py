"""Friedman's second problem."""

from dataclasses import dataclass
from typing import Annotated, Literal

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_friedman
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Friedman2(GeneratedDataSet):
    """Friedman's second problem of numbers: the impedance of a circuit, from four features.

    y = sqrt(x1^2 + (x2 x3 - 1 / (x2 x4))^2), of features uniform over ranges of very different sizes (J. H.
    Friedman, 1991, "Multivariate adaptive regression splines"); as scikit-learn generates it.

    Parameters
    ----------
    noise
        Standard deviation of what is added to y, whose own is about three times the default.
    """

    name: Literal["friedman2"] = "friedman2"
    noise: Annotated[NonNegativeFloat, PROGRAM] = 125.0

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, 4, 1)
        return of_friedman(self.name, self.samples, noise=self.noise, seed=self.seed)
