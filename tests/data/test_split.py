import itertools
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import Dataset, split_dataset

FRACTIONS = st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.3, 1 / 3])
COUNTS = st.lists(st.integers(3, 60), min_size=2, max_size=6)


def dataset_with(counts, test_rows=0, seed=0):
    """Rows whose single feature is their own index, with ``counts[c]`` of class c in random order."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    labels = np.concatenate([labels, np.arange(test_rows) % len(counts)])
    features = np.arange(len(labels), dtype=np.float64)[:, np.newaxis]
    names = tuple(f"class{index}" for index in range(len(counts)))
    return Dataset("made", features, labels, names, ("index",), test_rows=test_rows)


def split(dataset, validation=0.1, test=0.1, stratify=True, seed=0):
    return split_dataset(
        dataset, validation_fraction=validation, test_fraction=test, stratify=stratify, seed=seed
    )


def rows_of(part):
    return [] if part is None else part.features[:, 0].astype(int).tolist()


@given(COUNTS, FRACTIONS, FRACTIONS, st.booleans(), st.integers(0, 2**63 - 1))
def test_every_row_is_in_one_part_with_its_label_and_in_order(counts, validation, test, stratify, seed):
    dataset = dataset_with(counts)
    try:
        parts = split(dataset, validation, test, stratify, seed)
    except InputError:
        assume(False)
    rows = [rows_of(part) for part in (parts.train, parts.validation, parts.test)]
    assert sorted(itertools.chain(*rows)) == list(range(len(dataset)))
    for part, indices in zip((parts.train, parts.validation, parts.test), rows, strict=True):
        assert indices == sorted(indices)
        if part is not None:
            assert np.array_equal(part.labels, dataset.labels[indices])
    assert len(rows[1]) == round(validation * len(dataset))
    assert len(rows[2]) == round(test * len(dataset))
    assert (parts.validation is None, parts.test is None) == (validation == 0, test == 0)


@given(COUNTS, FRACTIONS, FRACTIONS, st.integers(0, 1000))
def test_stratified_parts_hold_every_class(counts, validation, test, seed):
    dataset = dataset_with(counts)
    fits = all(round(f * len(dataset)) >= len(counts) for f in (validation, test) if f)
    assume(fits)
    parts = split(dataset, validation, test, seed=seed)
    for part in (parts.train, parts.validation, parts.test):
        if part is not None:
            assert set(part.labels) == set(range(len(counts)))


@given(st.lists(st.integers(20, 80), min_size=2, max_size=6), st.integers(0, 1000))
def test_stratified_parts_keep_the_proportions_to_within_a_row(counts, seed):
    dataset = dataset_with(counts)
    parts = split(dataset, 0.2, 0.3, seed=seed)
    quota = np.array(counts) * len(parts.test) / sum(counts)
    assert np.all(np.abs(np.bincount(parts.test.labels) - quota) < 1)
    left = np.array(counts) - np.bincount(parts.test.labels)
    quota = left * len(parts.validation) / left.sum()
    assert np.all(np.abs(np.bincount(parts.validation.labels) - quota) < 1)


def test_a_small_class_is_in_every_part():
    parts = split(dataset_with([3, 997]))
    assert [np.bincount(p.labels).tolist() for p in (parts.train, parts.validation, parts.test)] == [
        [1, 799], [1, 99], [1, 99],
    ]  # fmt: skip


@pytest.mark.parametrize("stratify", [True, False])
def test_the_seed_decides(stratify):
    dataset = dataset_with([50, 50])
    first, again, other = (split(dataset, stratify=stratify, seed=seed) for seed in (5, 5, 6))
    assert rows_of(first.test) == rows_of(again.test)
    assert rows_of(first.validation) == rows_of(again.validation)
    assert rows_of(first.test) != rows_of(other.test)


@pytest.mark.parametrize("stratify", [True, False])
def test_the_test_part_does_not_depend_on_the_validation_part(stratify):
    dataset = dataset_with([50, 70])
    parts = [split(dataset, validation=fraction, stratify=stratify) for fraction in (0.0, 0.1, 0.4)]
    assert rows_of(parts[0].test) == rows_of(parts[1].test) == rows_of(parts[2].test)


def test_no_parts_asked_for_leaves_every_row_in_place():
    dataset = dataset_with([1, 2])
    parts = split(dataset, 0.0, 0.0)
    assert np.array_equal(parts.train.features, dataset.features)
    assert (parts.validation, parts.test) == (None, None)


def test_the_sources_own_test_rows_are_the_test_part():
    dataset = dataset_with([20, 20], test_rows=7)
    parts = split(dataset, validation=0.25, test=0.5)
    assert rows_of(parts.test) == list(range(40, 47))
    assert len(parts.validation) == 10
    assert len(parts.train) == 30


def test_a_class_that_only_the_sources_test_rows_have_is_no_obstacle():
    features = np.arange(11.0)[:, np.newaxis]
    labels = np.array([0, 1] * 5 + [2])
    parts = split(Dataset("made", features, labels, ("a", "b", "c"), ("x",), test_rows=1), validation=0.2)
    assert parts.test.labels.tolist() == [2]
    assert len(parts.validation) == 2


@pytest.mark.parametrize(
    ("counts", "arguments", "words"),
    [
        ([2, 50], {}, "data.stratify=true: class 'class0' has 2 rows but needs 3, one for each part"),
        ([1, 50], {"test": 0.0}, "class 'class0' has 1 row but needs 2"),
        ([5, 5, 5, 5], {}, "data.test_fraction=0.1: is 2 of 20 rows, fewer than the 4 classes"),
        ([5, 5, 5, 5], {"test": 0.2}, "data.validation_fraction=0.1: is 2 of 20 rows, fewer"),
        ([3, 3, 4], {"validation": 0.4, "test": 0.5}, "1 of 10 rows are left to train on, fewer than the 3"),
        ([2, 2], {"stratify": False}, "data.test_fraction=0.1: is less than one of the 4 rows"),
        ([5, 5], {"validation": 0.01}, "data.validation_fraction=0.01: is less than one of the 10 rows"),
        ([1, 1], {"validation": 0.4, "test": 0.4, "stratify": False}, "take all 2 rows and leave none"),
    ],
)
def test_splits_that_cannot_be(counts, arguments, words):
    with pytest.raises(InputError) as caught:
        split(dataset_with(counts), **arguments)
    assert words in str(caught.value)


@given(
    st.lists(st.integers(1, 8), min_size=2, max_size=5),
    st.sampled_from([0.0, 0.05, 0.1]),
    st.sampled_from([0.1]),
)
def test_what_a_message_says_to_type_about_fractions_works(counts, validation, test):
    """At the first try, whichever parts are too small."""
    arguments = {"validation": validation, "test": test}
    dataset = dataset_with(counts)
    try:
        split(dataset, **arguments)
    except InputError as error:
        message = str(error)
    else:
        return
    for key, value in re.findall(
        r"data\.(validation|test)_fraction=([0-9.]+)(?=[ ,])", message.partition("; set ")[2]
    ):
        arguments[key] = float(value)
    if "fewer than the" in message and "are left to train on" not in message:
        if arguments != {"validation": validation, "test": test}:
            split(dataset, **arguments)
        assert "data.stratify=false" in message
