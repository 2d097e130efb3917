"""Friedman's second problem."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat
from micrograde.data.dataset import Dataset
from micrograde.data.generators import legacy_random, of_numbers
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
        from sklearn.datasets import make_friedman2

        with np.errstate(over="ignore"):  # of_numbers refuses what is not finite
            points, numbers = make_friedman2(
                self.samples, noise=abs(self.noise), random_state=legacy_random(self.seed)
            )
        return of_numbers("friedman2", points, numbers, noise=self.noise)
