"""Parts by groups and by times, parts of one's own, and rows that stand in two parts."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import Dataset, split_dataset
from micrograde.data.shared_rows import shared_rows, shared_rows_line

FRACTIONS = st.sampled_from([0.0, 0.1, 0.2, 0.25, 1 / 3])
SEEDS = st.integers(0, 2**63 - 1)
GROUPS = st.lists(st.integers(1, 40), min_size=1, max_size=30)  # the rows of each
NOT_KNOWN = float("nan")


def made(rows, *, classes=3, seed=0, **fields):
    """Rows whose single feature is their own index, each of some class."""
    labels = np.random.default_rng(seed).permutation(np.arange(rows) % classes)
    features = np.arange(rows, dtype=np.float64)[:, np.newaxis]
    names = tuple(f"class{index}" for index in range(classes))
    return Dataset("made", features, labels, names, ("index",), **fields)


def in_groups(sizes, *, seed=0, **fields):
    """Groups of these sizes, numbered at random, in random order."""
    random = np.random.default_rng(seed)
    numbers = random.choice(10**6, len(sizes), replace=False)
    return made(sum(sizes), seed=seed, groups=random.permutation(np.repeat(numbers, sizes)), **fields)


def split(dataset, validation=0.1, test=0.1, *, stratify=True, seed=0):
    return split_dataset(
        dataset, validation_fraction=validation, test_fraction=test, stratify=stratify, seed=seed
    )


def rows_of(parts):
    """The rows of training, validation and test."""
    return [
        [] if part is None else part.rows.tolist() for part in (parts.train, parts.validation, parts.test)
    ]


def check_parts(dataset, parts):
    """Every row is in exactly one part, with its features and its label, in order."""
    rows = rows_of(parts)
    assert sorted(itertools.chain(*rows)) == list(range(len(dataset)))
    for part in (parts.train, parts.validation, parts.test):
        if part is not None:
            assert np.all(np.diff(part.rows) > 0)
            assert np.array_equal(part.features, dataset.features[part.rows])
            assert np.array_equal(part.labels, dataset.labels[part.rows])


def split_or_refused(dataset, parts_of, validation, test, **how):
    """The split; None if it is refused, which it must be if there are fewer groups, or times, than parts."""
    rows, parts = dataset.rows_to_split, 1 + (validation > 0) + (test > 0)
    assume(all(round(fraction * rows) for fraction in (validation, test) if fraction))
    assume(round(validation * rows) + round(test * rows) < rows)
    if parts_of >= parts:
        return split(dataset, validation, test, **how)
    with pytest.raises(InputError, match=r"^data\.(group|time): holds ") as caught:
        split(dataset, validation, test, **how)
    assert "\n" not in str(caught.value)
    return None


# --- groups ---------------------------------------------------------------------------------------------


@given(GROUPS, FRACTIONS, FRACTIONS, st.booleans(), SEEDS)
def test_a_group_is_never_shared(sizes, validation, test, stratify, seed):
    assume(sum(sizes) > 3)
    dataset = in_groups(sizes)
    parts = split_or_refused(dataset, len(sizes), validation, test, stratify=stratify, seed=seed)
    if parts is None:
        return
    check_parts(dataset, parts)
    assert (parts.validation is None, parts.test is None) == (validation == 0, test == 0)
    in_parts = [set(dataset.groups[rows].tolist()) for rows in rows_of(parts)]
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(in_parts, 2))
    again = split(dataset, validation, test, stratify=stratify, seed=seed)
    assert rows_of(again) == rows_of(parts)


@given(GROUPS, st.sampled_from([0.1, 0.25, 1 / 3]), SEEDS)
def test_no_group_more_or_less_would_bring_a_part_nearer_to_its_size(sizes, fraction, seed):
    assume(len(sizes) > 2)
    assume(sum(sizes) > 10)
    dataset = in_groups(sizes)
    parts = split(dataset, 0, fraction, stratify=False, seed=seed)
    off = len(parts.test) - round(fraction * len(dataset))
    inside, outside = (
        np.unique(dataset.groups[part.rows], return_counts=True)[1] for part in (parts.test, parts.train)
    )
    if len(outside) > 1:
        assert np.abs(off + outside).min() >= abs(off)
    if len(inside) > 1:
        assert np.abs(off - inside).min() >= abs(off)
    assert np.abs(off - inside[:, np.newaxis] + outside).min() >= abs(off)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([60, 30, 10], (60, 30, 10)),
        ([5] * 20, (60, 30, 10)),
        ([10, 20, 30, 40], (60, 30, 10)),
        ([98, 1, 1], (98, 1, 1)),
        ([34, 33, 33], None),
    ],
)
@pytest.mark.parametrize("stratify", [True, False])
def test_sizes_are_as_near_to_the_fractions_as_groups_allow(sizes, expected, stratify):
    for seed in range(5):
        parts = split(in_groups(sizes), 0.3, 0.1, stratify=stratify, seed=seed)
        if expected:
            assert tuple(map(len, rows_of(parts))) == expected
        else:
            assert sorted(map(len, rows_of(parts))) == sorted(sizes)


def test_another_seed_chooses_other_groups():
    dataset = in_groups([5] * 40)
    assert len({tuple(split(dataset, seed=seed).test.rows) for seed in range(6)}) == 6


@pytest.mark.parametrize("seed", range(5))
def test_each_part_has_its_share_of_each_class_as_far_as_groups_allow(seed):
    random = np.random.default_rng(seed)
    groups = random.integers(0, 200, 2000)
    # Most groups hold one class alone, which is rare in others.
    labels = np.where(random.random(2000) < 0.9, groups % 3 // 2, 2 * (groups % 2))
    dataset = replace(made(2000, groups=groups), labels=labels.astype(np.int64))
    parts = split(dataset, 0.2, 0.2, seed=seed)
    shares = [
        np.bincount(part.labels, minlength=3) / len(part)
        for part in (parts.train, parts.validation, parts.test)
    ]
    assert np.ptp(shares, axis=0).max() < 0.01
    assert [len(parts.validation), len(parts.test)] == pytest.approx([400, 400], abs=4)


def test_a_class_of_one_group_stays_in_the_training_part_if_it_may():
    groups = np.repeat(np.arange(30), 5)
    labels = (groups == 7).astype(np.int64)
    dataset = replace(made(150, groups=groups), labels=labels)
    for seed in range(20):
        parts = split(dataset, seed=seed)
        assert parts.train.labels.any()
        assert len(parts.notes) == 1


def test_sizes_are_said_and_a_class_that_cannot_be_learned():
    (note,) = split(in_groups([5] * 20), 0.1, 0.1).notes
    assert note == (
        "data.group: each group is wholly in one part: 16 groups of 80 rows in training, "
        "2 groups of 10 rows in validation, 2 groups of 10 rows in test"
    )
    (note,) = split(in_groups([80, 20]), 0, 0.1).notes
    assert note == (
        "data.group: each group is wholly in one part: 1 group of 80 rows in training, "
        "1 group of 20 rows in test (data.test_fraction=0.1 is 10)"
    )
    by_class = replace(made(40, classes=2, groups=np.arange(40) % 2), labels=np.arange(40) % 2)
    lost = split(by_class, 0, 0.1).notes[-1]
    assert lost.endswith("so that it cannot be learned")


def test_fewer_groups_than_parts_are_a_line_whose_advice_works():
    dataset = in_groups([50, 50])
    with pytest.raises(InputError) as caught:
        split(dataset)
    assert str(caught.value) == (
        "data.group: holds 2 groups, fewer than the 3 parts (training, validation, test); "
        "choose another column, or set data.validation_fraction=0 or data.test_fraction=0"
    )
    assert len(split(dataset, 0, 0.1).test) == 50
    with pytest.raises(InputError, match=r"data.validation_fraction=0 and data.test_fraction=0$"):
        split(in_groups([100]))
    assert split(in_groups([100]), 0, 0).notes == ()


# --- times ----------------------------------------------------------------------------------------------


times = st.lists(
    st.one_of(st.integers(0, 12).map(float), st.sampled_from([NOT_KNOWN, -0.5, 1e12])),
    min_size=4,
    max_size=80,
)


@given(times, FRACTIONS, FRACTIONS, st.booleans())
def test_no_part_sees_the_future_and_no_moment_is_in_two(moments, validation, test, stratify):
    given_times = np.array(moments)
    dataset = made(len(moments), times=given_times)
    known = np.unique(given_times[~np.isnan(given_times)])
    parts = split_or_refused(dataset, len(known), validation, test, stratify=stratify)
    if parts is None:
        return
    check_parts(dataset, parts)
    train, *later = (given_times[rows] for rows in rows_of(parts) if rows)
    assert not any(np.isnan(each).any() for each in later)
    before = train[~np.isnan(train)]
    for part in later:
        assert before.size == 0 or before.max() < part.min()
        before = part
    assert rows_of(split(dataset, validation, test, seed=5)) == rows_of(parts)  # nothing is drawn
    assert (parts.validation is None, parts.test is None) == (validation == 0, test == 0)


@given(times, st.sampled_from([0.1, 0.25, 1 / 3]))
@example([0.0] * 10 + [1.0] * 5 + [2.0] * 5, 0.25)
def test_a_part_is_as_near_to_its_size_as_moments_allow(moments, fraction):
    given_times = np.array(moments)
    known, counts = np.unique(given_times[~np.isnan(given_times)], return_counts=True)
    assume(len(known) > 1)
    assume(round(fraction * len(moments)))
    parts = split(made(len(moments), times=given_times), 0, fraction)
    possible = np.cumsum(counts[::-1])[:-1]  # one moment stays to train on
    assert (
        abs(len(parts.test) - round(fraction * len(moments)))
        == np.abs(possible - round(fraction * len(moments))).min()
    )


def test_ties_at_the_end_of_march():
    """The table of recommenders#1675: the last days have 7, 9, 13 and 11 rows; the test part is never 16 rows."""
    counts = {24: 11, 23: 13, 22: 9, 21: 7, 20: 120}
    days = np.repeat([date(2024, 3, day).toordinal() for day in counts], list(counts.values())).astype(float)
    days = np.random.default_rng(0).permutation(days)
    parts = split(made(160, times=days))
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [136, 13, 11]
    assert set(days[parts.test.rows]) == {date(2024, 3, 24).toordinal()}
    assert set(days[parts.validation.rows]) == {(date(2024, 3, 24) - timedelta(days=1)).toordinal()}
    assert parts.notes == (
        "data.time: the newest 11 rows are the test part (data.test_fraction=0.1 is 16) and the 13 before them "
        "the validation part (data.validation_fraction=0.1 is 16); rows of one time stay together",
    )
    days[parts.train.rows[0]] = NOT_KNOWN
    assert split(made(160, times=days)).notes[1] == "data.time: 1 row without a time is in the training part"


def test_groups_and_times_together_are_refused():
    with pytest.raises(InputError, match=r"^data.group and data.time: only one of them can say how rows"):
        made(9, groups=np.arange(9), times=np.arange(9.0))


# --- parts of one's own ---------------------------------------------------------------------------------


@given(st.integers(0, 30), st.integers(0, 30), FRACTIONS, FRACTIONS, st.booleans(), SEEDS)
def test_rows_of_ones_own_are_the_part_and_fractions_are_of_the_others(
    own_validation, own_test, validation, test, stratify, seed
):
    dataset = made(60 + own_validation + own_test, validation_rows=own_validation, test_rows=own_test)
    try:
        parts = split(dataset, validation, test, stratify=stratify, seed=seed)
    except InputError:
        assume(False)
    check_parts(dataset, parts)
    first_of_test = 60 + own_validation
    expected = {
        "validation": list(range(60, first_of_test)) if own_validation else None,
        "test": list(range(first_of_test, len(dataset))) if own_test else None,
    }
    for rows, own, fraction in zip(rows_of(parts)[1:], expected.values(), (validation, test), strict=True):
        assert rows == own if own else len(rows) == round(fraction * 60)


def test_groups_that_parts_of_ones_own_share_are_said():
    groups = np.r_[np.repeat(np.arange(20), 5), [0] * 5, [77] * 5]
    dataset = made(110, groups=groups, test_rows=10)
    notes = split(dataset, 0, 0).notes
    assert notes == ("data.group: 1 group of your own test part stands in the training part, too",)
    assert split(replace(dataset, groups=np.r_[groups[:100], [77] * 10]), 0, 0).notes == ()


# --- digests --------------------------------------------------------------------------------------------


def test_the_digest_covers_what_the_split_depends_on_and_nothing_else():
    plain = made(40)
    assert plain.digest == replace(plain, validation_rows=0, groups=None, times=None).digest
    groups, moments = np.arange(40) % 7, np.arange(40.0) % 9
    moments[3] = NOT_KNOWN
    digests = [
        plain.digest,
        replace(plain, validation_rows=5).digest,
        replace(plain, test_rows=5).digest,
        replace(plain, groups=groups).digest,
        replace(plain, groups=groups // 2).digest,
        replace(plain, times=moments).digest,
        replace(plain, times=np.where(np.isnan(moments), 10, moments)).digest,
        replace(plain, times=-moments).digest,
        replace(plain, times=groups.astype(float)).digest,
    ]
    assert len(set(digests)) == len(digests)
    renamed = replace(plain, groups=100 - groups)
    assert renamed.digest == replace(plain, groups=groups).digest
    assert rows_of(split(renamed)) == rows_of(split(replace(plain, groups=groups)))
    later = replace(plain, times=1e9 + 86_400 * moments)
    assert later.digest == replace(plain, times=moments).digest
    assert rows_of(split(later)) == rows_of(split(replace(plain, times=moments)))


# --- rows in two parts ----------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, -0.0, 1.5, NOT_KNOWN]), st.integers(0, 2)), min_size=12, max_size=60
    ),
    SEEDS,
)
def test_rows_in_two_parts_are_counted(rows, seed):
    features = np.array([[value, 7.0] for value, _ in rows])
    labels = np.array([label for _, label in rows])
    assume(len(set(labels)) > 1)
    dataset = Dataset("made", features, labels, ("a", "b", "c"), ("x", "y"), fill_missing=True)
    parts = split(dataset, 0.1, 0.2, stratify=False, seed=seed)

    def words(part):
        return [
            (str(abs(x)), label)
            for (x, _), label in zip(part.features.tolist(), part.labels.tolist(), strict=True)
        ]

    known = set(words(parts.train))
    expected = {
        name: sum(each in known for each in words(part))
        for name, part in (("validation", parts.validation), ("test", parts.test))
    }
    assert shared_rows(parts) == expected
    line = shared_rows_line(parts, expected)
    assert [
        f"{count} of {len(words(getattr(parts, name)))} {name} rows" in line
        for name, count in expected.items()
    ] == [count > 0 for count in expected.values()]


@pytest.mark.parametrize(
    ("task", "columns", "learned"),
    [
        ("classification", 0, "the class"),
        ("regression", 1, "the target"),
        ("regression", 2, "all targets"),
        ("multilabel", 2, "all labels"),
    ],
)
def test_the_line_says_what_is_learned(task, columns, learned):
    place = np.arange(40)
    if columns:
        place = np.stack([place, place // 2], axis=1)[:, :columns]
    labels = (place % 2).astype(float if columns else int)
    dataset = Dataset(
        "made",
        np.zeros((40, 1)),
        labels,
        class_names=() if columns else ("a", "b"),
        feature_names=("x",),
        task=task,
        target_names=("t", "u")[:columns],
    )
    parts = split(dataset, 0.2, 0.2, stratify=False, seed=0)
    line = shared_rows_line(parts, shared_rows(parts), truths=task == "multilabel")
    assert line.endswith(f"stand in the training part, too, with all features and {learned}")


def test_parts_that_do_not_exist_share_nothing():
    assert shared_rows(split(made(30), 0, 0)) == {}
    assert shared_rows(split(made(30), 0, 0.1)) == {"test": 0}
