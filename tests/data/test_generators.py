from typing import Any

import numpy as np
import pytest

from micrograde.core.errors import InputError
from micrograde.data import load_dataset
from micrograde.data.sets.surface import franke

OPTIONS: dict[str, Any] = {
    "gaussian": {"samples": 40, "features": 3, "classes": 2},
    "blobs": {"samples": 40, "features": 4, "classes": 3, "noise": 1.0},
    "moons": {"samples": 40, "noise": 0.2},
    "circles": {"samples": 40, "noise": 0.1, "factor": 0.5},
    "spirals": {"samples": 40, "classes": 3, "noise": 0.1, "turns": 1.0},
    "xor": {"samples": 40, "noise": 0.3},
}

OF_NUMBERS = {"sine": 1, "surface": 2, "friedman1": 10, "friedman2": 4, "friedman3": 4}
"""How many features the data sets of numbers to be predicted have."""


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


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_numbers_to_be_predicted_are_of_any_seed(name):
    made = [load_dataset(name, seed=seed) for seed in (3, 3, 4, 2**32, 2**63 - 1)]
    assert len({each.digest for each in made}) == 4
    assert made[0].features.shape == (500, OF_NUMBERS[name])
    assert made[0].labels.shape == (500, 1)
    assert made[0].target_names == ("y",)
    assert len(set(made[0].feature_names)) == OF_NUMBERS[name]


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_noise_is_added_to_the_numbers_alone(name):
    clean, noisy, negative_zero = (
        load_dataset(name, seed=0, samples=4000, noise=x) for x in (0.0, 0.3, -0.0)
    )
    assert np.array_equal(clean.features, noisy.features)
    assert np.std(noisy.labels - clean.labels) == pytest.approx(0.3, rel=0.05)
    assert clean.digest == negative_zero.digest


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_noise_too_large_for_floats_is_one_line(name):
    with pytest.raises(InputError, match=r"^data.noise=1e\+308: makes points overflow float64"):
        load_dataset(name, seed=0, noise=1e308)


def test_a_sine_has_as_many_periods_as_are_wanted():
    dataset = load_dataset("sine", seed=0, samples=5000, noise=0.0, periods=3.0)
    x = dataset.features[:, 0]
    assert np.array_equal(dataset.labels[:, 0], np.sin(x))
    assert np.ptp(x) == pytest.approx(6 * np.pi, rel=0.01)
    assert x.mean() == pytest.approx(0.0, abs=0.3)
    with pytest.raises(InputError, match=r"^data.periods=1e\+308: makes points overflow"):
        load_dataset("sine", seed=0, periods=1e308)


def test_a_surface_is_frankes_function():
    # At two corners, the higher hill and the dip, where all but one or two of its four terms vanish.
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2 / 9, 2 / 9], [4 / 9, 7 / 9]])
    assert franke(points) == pytest.approx([0.7665, 0.0359, 1.2132, 0.0038], abs=1e-4)


def test_friedmans_first_problem_is_its_formula_and_ignores_the_rest():
    dataset = load_dataset("friedman1", seed=0, features=7, noise=0.0)
    x1, x2, x3, x4, x5, *_ = dataset.features.T
    formula = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    assert np.allclose(dataset.labels[:, 0], formula, rtol=1e-12)


def test_friedmans_circuits_are_their_formulas():
    circuits = [load_dataset(name, seed=0, noise=0.0) for name in ("friedman2", "friedman3")]
    parts = [(x1, x2 * x3 - 1 / (x2 * x4)) for x1, x2, x3, x4 in (each.features.T for each in circuits)]
    assert np.allclose(circuits[0].labels[:, 0], np.hypot(*parts[0]), rtol=1e-12)
    assert np.allclose(circuits[1].labels[:, 0], np.arctan2(parts[1][1], parts[1][0]), rtol=1e-12)


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
