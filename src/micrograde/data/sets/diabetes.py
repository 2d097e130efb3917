"""Progression of diabetes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.data.dataset import REGRESSION, Dataset
from micrograde.data.sets import DATA_SETS, DataSet

_FEATURES = ("age", "sex", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu")
"""As Efron et al. name them; scikit-learn calls the last six s1 to s6."""

_DECIMALS = 4  # of the measurements that have most


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Diabetes(DataSet):
    """Diabetes one year on, a number to predict, 25 to 346, from 10 measurements, 442 rows; in scikit-learn.

    The measurements are those of the patients, in their own units, and not scaled over all rows as
    scikit-learn gives them at first: what scales them is then known of the training part alone.
    B. Efron et al., 2004, "Least angle regression".
    """

    name: Literal["diabetes"] = "diabetes"

    def load(self) -> Dataset:
        """Return the rows of ``sklearn.datasets.load_diabetes(scaled=False)``."""
        from sklearn.datasets import load_diabetes

        bunch = load_diabetes(scaled=False)
        return Dataset(
            "diabetes",
            # Exactly the numbers that are written in the file, which not every version's reader finds.
            np.rint(np.ascontiguousarray(bunch.data, np.float64) * 10**_DECIMALS) / 10**_DECIMALS,
            np.asarray(bunch.target, np.float64)[:, np.newaxis],
            class_names=(),
            feature_names=_FEATURES,
            task=REGRESSION,
            target_names=("progression",),
        )
