"""The notebook's data."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import PROGRAM, PositiveInt
from micrograde.data.dataset import Dataset
from micrograde.data.generators import of_points
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, Classes, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Gaussian(GeneratedDataSet):
    """The notebook's data: standard normal features with random labels, so there is nothing to learn.

    The legacy generator and the order of the draws are the notebook's, so that ``seed`` 0, 10
    samples, 3 features and 2 classes give its ``X`` and ``y`` bit for bit.

    Parameters
    ----------
    features
        The number of features.
    classes
        The number of classes.
    """

    name: Literal["gaussian"] = "gaussian"
    samples: Annotated[PositiveInt, PROGRAM] = 10
    features: Annotated[PositiveInt, PROGRAM] = 3
    classes: Annotated[Classes, PROGRAM] = 2

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        if self.seed >= 2**32:
            raise InputError(
                f"data.seed={self.seed}: must be less than 2**32 for data.name=gaussian, "
                "which seeds as the notebook"
            )
        check_size(f"data.samples={self.samples}", self.samples, self.features, self.classes)
        random = np.random.RandomState(self.seed)
        points = random.randn(self.samples, self.features)
        labels = random.randint(0, self.classes, size=self.samples)
        return of_points("gaussian", points, labels, self.classes)
