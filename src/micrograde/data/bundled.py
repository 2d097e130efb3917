"""Real data sets that ship with scikit-learn."""

import numpy as np

from micrograde.data.dataset import Dataset


def from_scikit_learn(name: str) -> Dataset:
    """Return the data set of ``sklearn.datasets.load_<name>``."""
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")()
    return Dataset(
        name,
        bunch.data,
        bunch.target.astype(np.int64),
        class_names=tuple(str(each) for each in bunch.target_names),
        feature_names=tuple(str(each) for each in bunch.feature_names),
    )
