"""Iris flowers."""

from dataclasses import dataclass
from typing import Literal

from micrograde.data.bundled import from_scikit_learn
from micrograde.data.dataset import Dataset
from micrograde.data.sets import DATA_SETS, DataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Iris(DataSet):
    """Iris flowers, 4 measurements, 3 species, 150 rows; ships with scikit-learn."""

    name: Literal["iris"] = "iris"

    def load(self) -> Dataset:
        """Return the rows of ``sklearn.datasets.load_iris``."""
        return from_scikit_learn("iris")
