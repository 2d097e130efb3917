"""Wines."""

from dataclasses import dataclass
from typing import Literal

from micrograde.data.bundled import from_scikit_learn
from micrograde.data.dataset import Dataset
from micrograde.data.sets import DATA_SETS, DataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Wine(DataSet):
    """Wines, 13 chemical analyses, 3 cultivars, 178 rows; ships with scikit-learn."""

    name: Literal["wine"] = "wine"

    def load(self) -> Dataset:
        """Return the rows of ``sklearn.datasets.load_wine``."""
        return from_scikit_learn("wine")
