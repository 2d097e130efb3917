"""Folds: every row is held out once a repeat, and what depends on what."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import Dataset, split_dataset
from micrograde.data.dataset import MULTILABEL, REGRESSION
from micrograde.data.folds import Fold

FOLDS = st.integers(2, 7)
SEEDS = st.integers(0, 2**32)


def made(labels, **more):
    """A data set whose single feature is the row's index."""
    labels = np.asarray(labels)
    features = np.arange(len(labels), dtype=np.float64)[:, np.newaxis]
    names = tuple(f"class{index}" for index in range(int(labels.max()) + 1)) if labels.ndim == 1 else ()
    return Dataset("made", features, labels, names, ("index",), **more)


def of_classes(counts, **more):
    labels = np.repeat(np.arange(len(counts)), counts)
    return made(np.random.default_rng(3).permutation(labels), **more)


def split(dataset, number, count, repeat=0, *, validation=0.1, stratify=True, seed=0):
    return split_dataset(
        dataset,
        validation_fraction=validation,
        test_fraction=0.1,
        stratify=stratify,
        seed=seed,
        fold=Fold(number, count, repeat),
    )


def all_folds(dataset, count, repeat=0, **more):
    return [split(dataset, number, count, repeat, **more) for number in range(count)]


def check_parts(dataset, splits):
    """Each row is tested once, and is in one part of each split."""
    tested = np.concatenate([each.test.rows for each in splits])
    assert sorted(tested.tolist()) == list(range(len(dataset)))
    for each in splits:
        parts = [each.train.rows, each.test.rows] + ([each.validation.rows] if each.validation else [])
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(dataset)))
        assert len(each.train)


@given(FOLDS, st.lists(st.integers(20, 50), min_size=2, max_size=4), st.booleans(), SEEDS, st.integers(0, 9))
def test_folds_are_disjoint_cover_all_rows_and_are_of_one_size(count, counts, stratify, seed, repeat):
    dataset = of_classes(counts)
    splits = all_folds(dataset, count, repeat, stratify=stratify, seed=seed)
    check_parts(dataset, splits)
    sizes = [len(each.test) for each in splits]
    assert max(sizes) - min(sizes) <= 1
    for each in splits:
        left = len(dataset) - len(each.test)
        assert len(each.validation) == round(0.1 * left)
    if stratify:
        of_class = np.array([np.bincount(each.test.labels, minlength=len(counts)) for each in splits])
        assert (np.ptp(of_class, axis=0) <= 1).all()
        assert of_class.min() >= 1


@given(FOLDS, SEEDS)
def test_a_repeat_depends_on_seed_and_number_alone(count, seed):
    dataset = of_classes([30, 40])
    first = [each.test.rows.tolist() for each in all_folds(dataset, count, 1, seed=seed)]
    again = [each.test.rows.tolist() for each in all_folds(dataset, count, 1, seed=seed, validation=0.3)]
    assert first == again
    others = [all_folds(dataset, count, repeat, seed=seed) for repeat in (0, 2)]
    assert all([each.test.rows.tolist() for each in other] != first for other in others)


@pytest.mark.parametrize("task", [REGRESSION, MULTILABEL])
def test_numbers_and_several_labels_are_dealt_out_too(task):
    labels = np.random.default_rng(0).integers(0, 2, (31, 2)).astype(float if task == REGRESSION else int)
    dataset = made(labels, task=task, target_names=("a", "b"))
    splits = all_folds(dataset, 4)
    check_parts(dataset, splits)
    assert sorted(len(each.test) for each in splits) == [7, 8, 8, 8]


@given(FOLDS, st.lists(st.integers(1, 9), min_size=8, max_size=30), st.booleans(), SEEDS)
def test_groups_are_whole_and_every_fold_has_some(count, sizes, stratify, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.arange(len(groups)) % 2
    dataset = made(labels, groups=groups)
    splits = all_folds(dataset, count, stratify=stratify, seed=seed, validation=0.3)
    check_parts(dataset, splits)
    for each in splits:
        parts = [set(groups[part.rows]) for part in (each.train, each.validation, each.test)]
        assert sum(map(len, parts)) == len(sizes)
    tested = [len(each.test) for each in splits]
    assert stratify or count == 2 or max(tested) - min(tested) <= max(sizes)


@given(FOLDS, st.integers(10, 80), st.integers(0, 5))
def test_by_time_a_fold_is_newer_than_what_is_learned(count, moments, undated):
    random = np.random.default_rng(moments)
    times = np.concatenate(
        [np.repeat(np.arange(moments), random.integers(1, 4, moments)), [np.nan] * undated]
    )
    times = random.permutation(times)
    assume(len(times) >= 6 * (count + 1))  # less of a row than a half is no validation part, which is said
    dataset = made(np.arange(len(times)) % 2, times=times)
    splits = all_folds(dataset, count, validation=0.2)
    tested = np.concatenate([each.test.rows for each in splits])
    assert len(set(tested.tolist())) == len(tested)
    for each in splits:
        learned, watched, held_out = (times[part.rows] for part in (each.train, each.validation, each.test))
        assert np.nanmax(learned) < watched.min()
        assert watched.max() < held_out.min()
    assert splits[-1].test.rows.size
    assert times[tested].max() == moments - 1  # the newest are tested
    starts = [times[each.test.rows].min() for each in splits]
    assert starts == sorted(starts)
    assert any("newer than that are not used" in note for note in splits[0].notes)


def test_blocks_by_time_are_those_of_sklearn():
    from sklearn.model_selection import TimeSeriesSplit

    dataset = made(np.arange(60) % 2, times=np.arange(60.0))
    expected = list(TimeSeriesSplit(5).split(np.zeros(60)))
    for each, (learned, tested) in zip(all_folds(dataset, 5, validation=0.0), expected, strict=True):
        assert each.train.rows.tolist() == learned.tolist()
        assert each.test.rows.tolist() == tested.tolist()


@pytest.mark.parametrize(
    ("dataset", "fold", "said"),
    [
        (of_classes([3, 20]), Fold(0, 5), "class 'class0' has 3 rows, but needs 5.*lower it to 3, leave the"),
        (of_classes([20, 20], test_rows=5), Fold(0, 5), "a test part of their own.*leave out data.folds"),
        (made([0, 1, 0], groups=np.arange(3)), Fold(0, 5), "data.group holds 3 groups, and 5 are needed"),
        (made([0, 1] * 9, times=np.arange(18) % 3), Fold(0, 5), "data.time holds 3 times, and 7 are needed"),
        (made([0, 1] * 9, times=np.arange(18.0)), Fold(0, 3, 1), "leave out data.repeat and data.repeats"),
    ],
)
def test_what_cannot_be_dealt_out_is_said(dataset, fold, said):
    with pytest.raises(InputError, match=said):
        split_dataset(dataset, validation_fraction=0.1, test_fraction=0.1, stratify=True, seed=0, fold=fold)


def test_a_validation_part_of_its_own_is_everyones_and_the_note_names_rows():
    dataset = made([0, 1] * 20, validation_rows=10)
    splits = all_folds(dataset, 3)
    assert all(each.validation.rows.tolist() == list(range(30, 40)) for each in splits)
    assert sorted(np.concatenate([each.test.rows for each in splits]).tolist()) == list(range(30))
    first = ", ".join(str(row + 1) for row in splits[1].test.rows)
    assert splits[1].tested == f"fold 1 of 3, repeat 0: tested on 10 of 30 rows: {first}"
