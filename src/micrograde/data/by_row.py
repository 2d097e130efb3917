"""Rows shared out one by one, drawn at random; with ``stratify`` each class by itself."""

import re
from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np

from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_names
from micrograde.data.dataset import Dataset, IntArray

_MOST_NAMES = 20  # of classes in a message
_NUMBER = r"[-+\d.,eE]+"  # as names of classes are written that are numbers


def assign_rows(
    dataset: Dataset,
    rows: IntArray,
    fractions: Mapping[str, float],
    sizes: Mapping[str, int],
    random: np.random.Generator,
    *,
    stratify: bool,
) -> IntArray:
    """Return the part of each of the ``rows``: 0 for training, 1 for test, 2 for validation.

    Parameters
    ----------
    rows
        (n,), the indices of the rows that are shared out.
    fractions, sizes
        The fraction that was asked for and the rows that it is, by the key of the test and the validation
        part; 0 if a part is not wanted.
    stratify
        Whether each part gets rows of each class in the proportion of ``rows``.

    Raises
    ------
    InputError
        If, with ``stratify``, a part would lack one of the classes.
    """
    test_size, validation_size = sizes.values()
    if stratify and any(sizes.values()):
        classes = _rows_by_class(dataset, dataset.labels[rows], fractions, sizes)
        available = np.array([len(each) for each in classes])
        test_counts = _allocate(available, test_size, spare=2 if validation_size else 1)
        validation_counts = _allocate(available - test_counts, validation_size, spare=1)
    else:
        classes = [np.arange(len(rows))]
        test_counts, validation_counts = np.array([test_size]), np.array([validation_size])
    parts = np.zeros(len(rows), np.int64)
    for each, in_test, in_validation in zip(classes, test_counts, validation_counts, strict=True):
        drawn = random.permutation(each)
        parts[drawn[:in_test]] = 1
        parts[drawn[in_test : in_test + in_validation]] = 2
    return parts


def _rows_by_class(
    dataset: Dataset, labels: IntArray, fractions: Mapping[str, float], sizes: Mapping[str, int]
) -> list[IntArray]:
    """Return the places of each class that has any; check that every part can get one of each class."""
    rows, classes = len(labels), np.unique(labels)
    parts = 1 + sum(size > 0 for size in sizes.values())
    groups = [np.flatnonzero(labels == each) for each in classes]
    rare = [each for each, group in zip(classes, groups, strict=True) if len(group) < parts]
    if rare:
        count = int((labels == rare[0]).sum())
        raise InputError(
            f"data.stratify=true: class {dataset.class_names[rare[0]]!r} has {count} "
            f"{'row' if count == 1 else 'rows'} but needs {parts}, one for each part; "
            f"{way_out(dataset, rare)}, or set data.stratify=false"
        )
    for key, size in sizes.items():
        if 0 < size < len(classes):
            raised = raised_fractions(fractions, rows, len(classes))
            enough = sum(round(fraction * rows) for fraction in raised.values()) + len(classes) <= rows
            typed = " ".join(f"{name}={value}" for name, value in raised.items() if value != fractions[name])
            raise InputError(
                f"{key}={fractions[key]}: is {size} of {rows} rows, fewer than the {len(classes)} classes "
                "that data.stratify=true puts into each part; set "
                + (f"{typed}, or data.stratify=false" if enough else "data.stratify=false")
            )
    train_size = rows - sum(sizes.values())
    if train_size < len(classes):
        raise InputError(
            f"data.stratify=true: {train_size} of {rows} rows are left to train on, fewer than the "
            f"{len(classes)} classes; lower {_lowered(fractions)}, "
            "or set data.stratify=false"
        )
    return groups


def raised_fractions(fractions: Mapping[str, float], rows: int, least: int) -> dict[str, float]:
    """Return the fractions, those of parts that there are raised so far that each part has ``least`` rows."""
    enough = ceil(100 * least / rows) / 100
    return {
        key: enough if fraction > 0 and round(fraction * rows) < least else fraction
        for key, fraction in fractions.items()
    }


def _lowered(fractions: Mapping[str, float]) -> str:
    return " or ".join(key for key, fraction in reversed(list(fractions.items())) if fraction > 0)


def way_out(dataset: Dataset, rare: Sequence[int]) -> str:
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
