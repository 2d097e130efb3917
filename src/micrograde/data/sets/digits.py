"""Handwritten digits."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from micrograde.data.dataset import Dataset
from micrograde.data.sets import DATA_SETS, DataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Digits(DataSet):
    """Handwritten digits, 8 x 8 pixels of 0 to 16, 10 classes, 1,797 rows; ships with scikit-learn.

    The file (``sklearn.datasets.load_digits``) is read from scikit-learn's folder without importing
    scikit-learn: this is the main job's data, and the import would take a third of its time.
    """

    name: Literal["digits"] = "digits"

    def load(self) -> Dataset:
        """Return the images; see ``DataSet``."""
        package = importlib.util.find_spec("sklearn")
        assert package is not None
        assert package.origin is not None
        table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
        return Dataset(
            "digits",
            np.ascontiguousarray(table[:, :-1]),
            table[:, -1].astype(np.int64),
            class_names=tuple(str(digit) for digit in range(10)),
            feature_names=tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
            image_shape=(8, 8),
        )
