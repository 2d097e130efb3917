"""Splitting a data set into its training, validation and test part.

The rows of a part keep the order of the data set; training shuffles them. The test part is drawn
first, so it does not depend on ``validation_fraction`` (unless a class is so small that the parts
compete for its rows, or groups or times are so few).
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_names
from micrograde.data.by_group import assign_groups
from micrograde.data.by_time import assign_times
from micrograde.data.dataset import CLASSIFICATION, Dataset, IntArray, Part, Split
from micrograde.data.split_notes import split_notes

# The generators use SeedSequence(seed) itself to make data; the split has a separate random stream.
_SPLIT_STREAM = 1
_MOST_NAMES = 20  # of classes in a message
_NUMBER = r"[-+\d.,eE]+"  # as names of classes are written that are numbers


def split_dataset(
    dataset: Dataset, *, validation_fraction: float, test_fraction: float, stratify: bool, seed: int
) -> Split:
    """Split ``dataset``; the same ``seed`` gives the same split.

    Rows are drawn at random; of ``groups``, whole groups. By ``times`` nothing is drawn: the newest rows are
    the test part and those before them the validation part. Sizes are then as near to the fractions as groups
    or times allow, and the split's notes say what they are.

    Parameters
    ----------
    dataset
        If it has ``test_rows``, those are the test part, and ``test_fraction`` is ignored; likewise with
        ``validation_rows``. N below counts the other rows.
    validation_fraction, test_fraction
        The part gets ``round(fraction * N)`` rows; 0 means no such part.
    stratify
        If True, every part holds each class in the proportion of the whole data set, as nearly as whole
        rows allow (largest remainders first), and at least one row of each class. Of groups, as nearly as
        whole groups allow; by times it is ignored, and where there are no classes.
    seed
        ``data.seed``.

    Raises
    ------
    InputError
        If a part would be empty or, with ``stratify`` and without groups and times, lack one of the classes;
        if there are fewer groups, or different times, than parts.
    """
    rows = dataset.rows_to_split
    stratify = stratify and dataset.task == CLASSIFICATION
    if dataset.test_rows:
        test_fraction = 0.0
    if dataset.validation_rows:
        validation_fraction = 0.0
    fractions = {"data.test_fraction": test_fraction, "data.validation_fraction": validation_fraction}
    sizes = {key: round(fraction * rows) for key, fraction in fractions.items()}
    for key, size in sizes.items():
        if fractions[key] > 0 and size == 0:
            raise InputError(
                f"{key}={fractions[key]}: is less than one of the {rows} rows; raise it, or set it to 0"
            )
    if sum(sizes.values()) >= rows:
        keys = " and ".join(f"{key}={fraction}" for key, fraction in fractions.items() if fraction > 0)
        raise InputError(f"{keys}: take all {rows} rows and leave none to train on; lower the fractions")

    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SPLIT_STREAM,)))
    wanted = dict(zip(("test", "validation"), sizes.values(), strict=True))
    if dataset.groups is not None:
        labels = dataset.labels[:rows] if stratify else None
        part_of_row = assign_groups(dataset.groups[:rows], labels, wanted, random)
    elif dataset.times is not None:
        part_of_row = assign_times(dataset.times[:rows], wanted)
    else:
        part_of_row = _assign_rows(dataset, fractions, sizes, random, stratify=stratify)
    train_rows, test_rows, validation_rows = (np.flatnonzero(part_of_row == part) for part in range(3))
    first_of_test = len(dataset) - dataset.test_rows
    if dataset.validation_rows:
        validation_rows = np.arange(rows, first_of_test)
    if dataset.test_rows:
        test_rows = np.arange(first_of_test, len(dataset))
    split = Split(
        train=_part(dataset, train_rows),
        validation=_part(dataset, validation_rows) if len(validation_rows) else None,
        test=_part(dataset, test_rows) if len(test_rows) else None,
    )
    return replace(split, notes=tuple(split_notes(dataset, split, fractions, sizes)))


def _part(dataset: Dataset, rows: IntArray) -> Part:
    return Part(dataset.features, dataset.labels[rows], rows)


def _assign_rows(
    dataset: Dataset,
    fractions: dict[str, float],
    sizes: dict[str, int],
    random: np.random.Generator,
    *,
    stratify: bool,
) -> IntArray:
    """Return the part of each row that is drawn: 0 for training, 1 for test, 2 for validation."""
    rows = dataset.rows_to_split
    test_size, validation_size = sizes.values()
    if stratify and any(sizes.values()):
        classes = _rows_by_class(dataset, rows, fractions, sizes)
        available = np.array([len(each) for each in classes])
        test_counts = _allocate(available, test_size, spare=2 if validation_size else 1)
        validation_counts = _allocate(available - test_counts, validation_size, spare=1)
    else:
        classes = [np.arange(rows)]
        test_counts, validation_counts = np.array([test_size]), np.array([validation_size])
    parts = np.zeros(rows, np.int64)
    for each, in_test, in_validation in zip(classes, test_counts, validation_counts, strict=True):
        drawn = random.permutation(each)
        parts[drawn[:in_test]] = 1
        parts[drawn[in_test : in_test + in_validation]] = 2
    return parts


def _rows_by_class(
    dataset: Dataset, rows: int, fractions: dict[str, float], sizes: dict[str, int]
) -> list[IntArray]:
    """Return the rows of each class that has any; check that every part can get one of each class."""
    labels = dataset.labels[:rows]
    classes = np.unique(labels)
    parts = 1 + sum(size > 0 for size in sizes.values())
    groups = [np.flatnonzero(labels == each) for each in classes]
    rare = [each for each, group in zip(classes, groups, strict=True) if len(group) < parts]
    if rare:
        count = int((labels == rare[0]).sum())
        raise InputError(
            f"data.stratify=true: class {dataset.class_names[rare[0]]!r} has {count} "
            f"{'row' if count == 1 else 'rows'} but needs {parts}, one for each part; "
            f"{_way_out(dataset, rare)}, or set data.stratify=false"
        )
    for key, size in sizes.items():
        if 0 < size < len(classes):
            raise InputError(
                f"{key}={fractions[key]}: is {size} of {rows} rows, fewer than the {len(classes)} classes "
                "that data.stratify=true puts into each part; raise it, or set data.stratify=false"
            )
    train_size = rows - sum(sizes.values())
    if train_size < len(classes):
        raise InputError(
            f"data.stratify=true: {train_size} of {rows} rows are left to train on, fewer than the "
            f"{len(classes)} classes; lower data.validation_fraction or data.test_fraction, "
            "or set data.stratify=false"
        )
    return groups


def _way_out(dataset: Dataset, rare: Sequence[int]) -> str:
    """Return what to do about classes of too few rows: leave them out, or predict them as numbers.

    It says what to type if they are of a table, and texts: of numbers those of features would go, too.
    """
    names = [dataset.class_names[each] for each in rare]
    if dataset.summary is None:
        return "leave the class out"
    if all(re.fullmatch(_NUMBER, name) for name in dataset.class_names):
        return "predict the classes as numbers (task=regression)"
    if any(re.fullmatch(_NUMBER, name) for name in names):
        return "leave the class out"
    return f"leave the class out ({typed_names('data.na_values', *names[:_MOST_NAMES])})"


def _allocate(available: IntArray, total: int, spare: int) -> IntArray:
    """Return how many rows of each class go to a part of ``total`` rows, by the largest remainders.

    Each class gives at least one row and keeps ``spare``; the caller must check that this is possible.
    """
    if total == 0:
        return np.zeros_like(available)
    quota = available * (total / available.sum())
    most = available - spare
    counts: IntArray = np.clip(np.floor(quota).astype(np.int64), 1, most)
    while counts.sum() < total:
        counts[np.argmax(np.where(counts < most, quota - counts, -np.inf))] += 1
    while counts.sum() > total:
        counts[np.argmin(np.where(counts > 1, quota - counts, np.inf))] -= 1
    return counts
