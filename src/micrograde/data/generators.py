"""Data sets that are generated from a seed: the notebook's, and the usual toy problems.

The same arguments always give the same rows. ``noise`` is the standard deviation of a normal
displacement of every coordinate; -0.0 counts as 0, though NumPy's generators refuse it. A data set that
would not fit into memory is refused before it is generated.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.dataset import Dataset
from micrograde.data.memory import check_size


def gaussian(*, seed: int, samples: int, features: int, classes: int) -> Dataset:
    """Return the notebook's data: standard normal features (samples, features) and random labels.

    The legacy generator and the order of the draws are the notebook's, so that ``seed`` 0, 10
    samples, 3 features and 2 classes give its ``X`` and ``y`` bit for bit.
    """
    if seed >= 2**32:
        raise InputError(
            f"data.seed={seed}: must be less than 2**32 for data.name=gaussian, which seeds as the notebook"
        )
    check_size(f"data.samples={samples}", samples, features, classes)
    random = np.random.RandomState(seed)
    points = random.randn(samples, features)
    labels = random.randint(0, classes, size=samples)
    return _dataset("gaussian", points, labels, classes)


def blobs(*, seed: int, samples: int, features: int, classes: int, noise: float) -> Dataset:
    """Return a normal cloud for each class, its centre drawn uniformly from the cube (-10, 10)^features."""
    check_size(f"data.samples={samples}", samples, features, classes)
    check_size(f"data.classes={classes}", classes, features)  # for the centres
    from sklearn.datasets import make_blobs

    points, labels = make_blobs(
        samples, features, centers=classes, cluster_std=abs(noise), random_state=_legacy_random(seed)
    )
    return _dataset("blobs", points, labels, classes, noise=noise)


def moons(*, seed: int, samples: int, noise: float) -> Dataset:
    """Return two interleaving half circles of radius 1."""
    check_size(f"data.samples={samples}", samples, 2, 2)
    from sklearn.datasets import make_moons

    points, labels = make_moons(samples, noise=abs(noise), random_state=_legacy_random(seed))
    return _dataset("moons", points, labels, 2, noise=noise)


def circles(*, seed: int, samples: int, noise: float, factor: float) -> Dataset:
    """Return a circle of radius ``factor`` (class 1) inside a circle of radius 1 (class 0)."""
    check_size(f"data.samples={samples}", samples, 2, 2)
    from sklearn.datasets import make_circles

    points, labels = make_circles(samples, noise=abs(noise), factor=factor, random_state=_legacy_random(seed))
    return _dataset("circles", points, labels, 2, noise=noise)


def spirals(*, seed: int, samples: int, classes: int, noise: float, turns: float) -> Dataset:
    """Return arms of Archimedean spirals, one for each class, ``turns`` full turns long.

    Neighbouring arms are 1 apart for any number of classes and turns, so ``noise`` is in units of
    that gap.
    """
    check_size(f"data.samples={samples}", samples, 2, classes)
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    turn = random.uniform(0.0, turns, size=samples)
    with np.errstate(over="ignore", invalid="ignore"):  # _dataset refuses points that are not finite
        angle = 2 * np.pi * (turn + labels / classes)
        radius = classes * turn
        points = radius[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points += noise * random.standard_normal(points.shape)
    return _dataset("spirals", points, labels, classes, noise=noise, turns=turns)


def xor(*, seed: int, samples: int, noise: float) -> Dataset:
    """Return clouds around (-1, -1), (-1, 1), (1, -1) and (1, 1); class 1 is the second and the third."""
    check_size(f"data.samples={samples}", samples, 2, 2)
    random = np.random.default_rng(seed)
    corner = np.arange(samples) % 4
    positive = np.stack([corner // 2, corner % 2], axis=1)
    with np.errstate(over="ignore"):  # _dataset refuses points that are not finite
        points = 2.0 * positive - 1.0 + noise * random.standard_normal((samples, 2))
    return _dataset("xor", points, positive[:, 0] ^ positive[:, 1], 2, noise=noise)


def _legacy_random(seed: int) -> np.random.RandomState:
    """Return a generator for scikit-learn from any seed >= 0; as an int it takes only seeds below 2**32."""
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))


def _dataset(
    name: str, points: NDArray[np.float64], labels: NDArray[Any], classes: int, **sizes: float
) -> Dataset:
    """Return the data set; ``InputError`` if one of the ``sizes`` is so large that points are not finite."""
    if not np.isfinite(points).all():
        key = max(sizes, key=lambda each: sizes[each])
        raise InputError(f"data.{key}={sizes[key]}: makes points overflow float64; choose a smaller value")
    return Dataset(
        name,
        points,
        labels.astype(np.int64),
        class_names=tuple(str(index) for index in range(classes)),
        feature_names=tuple(f"x{column}" for column in range(1, points.shape[1] + 1)),
    )
