from typing import Any

import numpy as np
import pytest

from micrograde.core.errors import InputError
from micrograde.data import load_dataset

OPTIONS: dict[str, Any] = {
    "gaussian": {"samples": 40, "features": 3, "classes": 2},
    "blobs": {"samples": 40, "features": 4, "classes": 3, "noise": 1.0},
    "moons": {"samples": 40, "noise": 0.2},
    "circles": {"samples": 40, "noise": 0.1, "factor": 0.5},
    "spirals": {"samples": 40, "classes": 3, "noise": 0.1, "turns": 1.0},
    "xor": {"samples": 40, "noise": 0.3},
}


def test_gaussian_is_the_notebooks_data():
    np.random.seed(0)
    X = np.random.randn(10, 3)
    y = np.random.randint(0, 2, size=10)
    dataset = load_dataset("gaussian", seed=0, samples=10, features=3, classes=2)
    assert np.array_equal(dataset.features, X)
    assert np.array_equal(dataset.labels, y)
    assert dataset.features[0, 0] == 1.764052345967664


@pytest.mark.parametrize("name", OPTIONS)
def test_the_seed_alone_decides(name):
    first, again = (load_dataset(name, seed=3, **OPTIONS[name]) for _ in range(2))
    other = load_dataset(name, seed=4, **OPTIONS[name])
    assert first.digest == again.digest
    assert first.digest != other.digest


@pytest.mark.parametrize("name", OPTIONS)
def test_sizes_names_and_types(name):
    dataset = load_dataset(name, seed=0, **OPTIONS[name])
    columns, classes = OPTIONS[name].get("features", 2), OPTIONS[name].get("classes", 2)
    assert dataset.features.shape == (40, columns)
    assert dataset.features.dtype == np.float64
    assert dataset.labels.dtype == np.int64
    assert dataset.feature_names == tuple(f"x{column}" for column in range(1, columns + 1))
    assert dataset.class_names == tuple(map(str, range(classes)))
    assert set(dataset.labels) == set(range(classes))


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - {"gaussian"}))
def test_large_seeds_are_seeds_too(name):
    seeds = (2**32, 2**63 - 1)
    digests = {load_dataset(name, seed=seed, **OPTIONS[name]).digest for seed in seeds}
    assert len(digests) == 2


def test_gaussian_refuses_seeds_that_its_legacy_generator_does_not_have():
    with pytest.raises(InputError, match=r"data.seed=4294967296: must be less than 2\*\*32"):
        load_dataset("gaussian", seed=2**32, **OPTIONS["gaussian"])


def test_random_labels_of_one_class_only_are_refused():
    with pytest.raises(InputError, match=r"data.name=gaussian: every row is of class"):
        load_dataset("gaussian", seed=0, samples=1, features=3, classes=2)


def test_noise_moves_points_by_its_standard_deviation():
    clean = load_dataset("xor", seed=0, samples=4000, noise=0.0)
    noisy = load_dataset("xor", seed=0, samples=4000, noise=0.3)
    assert np.std(noisy.features - clean.features) == pytest.approx(0.3, rel=0.05)


def test_xor_is_the_exclusive_or_of_the_signs():
    dataset = load_dataset("xor", seed=0, samples=8, noise=0.0)
    positive = dataset.features > 0
    assert np.array_equal(dataset.labels, positive[:, 0] ^ positive[:, 1])
    assert np.array_equal(np.abs(dataset.features), np.ones((8, 2)))


@pytest.mark.parametrize(("classes", "turns"), [(2, 0.5), (3, 1.0), (5, 2.0)])
def test_spiral_arms_are_archimedean_and_one_apart(classes, turns):
    dataset = load_dataset("spirals", seed=0, samples=300, classes=classes, noise=0.0, turns=turns)
    radius = np.hypot(*dataset.features.T)
    angle = np.arctan2(dataset.features[:, 1], dataset.features[:, 0]) / (2 * np.pi)
    # Along a ray the arms cross at radii that step by 1; which arm it is follows from the label.
    steps = radius - classes * angle + dataset.labels
    assert np.allclose(steps, classes * np.round(steps / classes), atol=1e-9)
    assert radius.max() <= classes * turns
