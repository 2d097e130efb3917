"""Real data sets that ship with scikit-learn."""

import importlib.util
from pathlib import Path

import numpy as np

from micrograde.data.dataset import Dataset


def digits() -> Dataset:
    """Return 1,797 images of handwritten digits, 8 x 8 pixels of 0 to 16 (``sklearn.datasets.load_digits``).

    The file is read from scikit-learn's folder without importing scikit-learn: this is the main
    job's data, and the import would take a third of its time.
    """
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


def iris() -> Dataset:
    """Return 150 iris flowers of three species, four measurements each (``sklearn.datasets.load_iris``)."""
    return _from_scikit_learn("iris")


def wine() -> Dataset:
    """Return 178 wines of three cultivars, 13 chemical analyses each (``sklearn.datasets.load_wine``)."""
    return _from_scikit_learn("wine")


def breast_cancer() -> Dataset:
    """Return 569 tumours, malignant or benign, 30 values each (scikit-learn's ``load_breast_cancer``)."""
    return _from_scikit_learn("breast_cancer")


def _from_scikit_learn(name: str) -> Dataset:
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")()
    return Dataset(
        name,
        bunch.data,
        bunch.target.astype(np.int64),
        class_names=tuple(str(each) for each in bunch.target_names),
        feature_names=tuple(str(each) for each in bunch.feature_names),
    )
