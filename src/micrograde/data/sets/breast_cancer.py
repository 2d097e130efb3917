"""Breast tumours."""

from dataclasses import dataclass
from typing import Literal

from micrograde.data.bundled import from_scikit_learn
from micrograde.data.dataset import Dataset
from micrograde.data.sets import DATA_SETS, DataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class BreastCancer(DataSet):
    """Breast tumours, 30 measurements, malignant or benign, 569 rows; ships with scikit-learn."""

    name: Literal["breast_cancer"] = "breast_cancer"

    def load(self) -> Dataset:
        """Return the rows of ``sklearn.datasets.load_breast_cancer``."""
        return from_scikit_learn("breast_cancer")
