"""What data sets that are generated from a seed have in common.

The same arguments always give the same rows. ``noise`` is the standard deviation of a normal
displacement: of classes it moves every coordinate, of numbers to be predicted these numbers alone; -0.0
counts as 0, though NumPy's generators refuse it. A data set that would not fit into memory is refused before
it is generated.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.dataset import REGRESSION, Dataset


def legacy_random(seed: int) -> np.random.RandomState:
    """Return a generator for scikit-learn from any seed >= 0; as an int it takes only seeds below 2**32."""
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))


def of_points(
    name: str, points: NDArray[np.float64], labels: NDArray[Any], classes: int, **sizes: float
) -> Dataset:
    """Return a data set with the features x1, x2 and so on, and the classes 0, 1 and so on.

    Parameters
    ----------
    points, labels
        Shapes (N, D) and (N,).
    sizes
        Keys and values by which points may overflow.

    Raises
    ------
    InputError
        If one of the ``sizes`` is so large that points are not finite.
    """
    _check_finite(points, sizes)
    return Dataset(
        name,
        points,
        labels.astype(np.int64),
        class_names=tuple(str(index) for index in range(classes)),
        feature_names=_feature_names(points),
    )


def of_numbers(
    name: str, points: NDArray[np.float64], numbers: NDArray[np.float64], **sizes: float
) -> Dataset:
    """Return a data set with the features x1, x2 and so on (x, if there is one), and the target y.

    Parameters
    ----------
    points, numbers
        Shapes (N, D) and (N,).
    sizes
        Keys and values by which points or numbers may overflow.

    Raises
    ------
    InputError
        If one of the ``sizes`` is so large that something is not finite.
    """
    _check_finite(points, sizes)
    _check_finite(numbers, sizes)
    return Dataset(
        name,
        points,
        numbers[:, np.newaxis],
        class_names=(),
        feature_names=_feature_names(points) if points.shape[1] > 1 else ("x",),
        task=REGRESSION,
        target_names=("y",),
    )


def _check_finite(values: NDArray[np.float64], sizes: Mapping[str, float]) -> None:
    if not np.isfinite(values).all():
        key = max(sizes, key=lambda each: sizes[each])
        raise InputError(f"data.{key}={sizes[key]}: makes points overflow float64; choose a smaller value")


def _feature_names(points: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(f"x{column}" for column in range(1, points.shape[1] + 1))


def of_friedman(name: str, samples: int, *features: int, noise: float, seed: int) -> Dataset:
    """Return the rows of ``sklearn.datasets.make_<name>``, one of Friedman's problems.

    Parameters
    ----------
    features
        The number of features, of the problem that can have several.

    Raises
    ------
    InputError
        If the noise is so large that numbers are not finite.
    """
    import sklearn.datasets

    make = getattr(sklearn.datasets, f"make_{name}")
    with np.errstate(over="ignore"):  # of_numbers refuses what is not finite
        points, numbers = make(samples, *features, noise=abs(noise), random_state=legacy_random(seed))
    return of_numbers(name, points, numbers, noise=noise)
