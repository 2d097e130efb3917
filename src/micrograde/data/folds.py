"""Folds: rows dealt out to equal parts, each of which is held out once in a repeat.

Rows are dealt one by one, of groups whole groups. By time nothing is drawn: a fold is tested on rows that are
newer than all it learns from, as in scikit-learn's ``TimeSeriesSplit``.
"""

from dataclasses import dataclass

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.by_group import assign_groups
from micrograde.data.by_row import assign_rows, raised_fractions, way_out
from micrograde.data.by_time import assign_times
from micrograde.data.dataset import CLASSIFICATION, Dataset, IntArray, numbered_by_appearance

_MOST_ROWS = 10  # whose numbers stand in a line
_FOLD_STREAM = 2  # beside the generators' own of a seed, and that of other splits


@dataclass(frozen=True)
class Fold:
    """Which rows a run is tested on: fold ``number`` of ``count``, from 0; each repeat deals them anew."""

    number: int
    count: int
    repeat: int = 0

    def __str__(self) -> str:
        return f"fold {self.number} of {self.count}, repeat {self.repeat}"


def assign_fold(
    dataset: Dataset, fold: Fold, *, validation_fraction: float, stratify: bool, seed: int
) -> IntArray:
    """Return the part of each row that is in no part of the source's own (n,).

    That is 0 for training, 1 for test, 2 for validation, and -1 for a row in no part: by time those that are
    newer than the fold.

    The folds of a repeat depend on ``seed`` and the repeat's number alone. Their sizes differ by at most a
    row, and with ``stratify`` so do those of each class; of groups, and of times, they are as near to that as
    whole groups and moments allow. The validation part is ``validation_fraction`` of the rows that are left
    for training and validation, drawn as in other splits; by time it is the newest of them.

    Raises
    ------
    InputError
        If there are too few rows, groups or times, or rows of a class, for as many folds; if there are
        repeats by time.
    """
    if dataset.test_rows:
        raise InputError(
            f"data.folds={fold.count}: the data have a test part of their own, and a fold would be another; "
            "leave out data.folds, or the files of the test part"
        )
    stratify = stratify and dataset.task == CLASSIFICATION
    if dataset.times is not None:
        return _by_time(dataset, fold, validation_fraction)
    least = least_of_each(fold.count, validation_fraction > 0)
    if dataset.groups is not None:
        fold_of_row = _by_group(dataset, fold, least, seed, stratify=stratify)
    else:
        fold_of_row = _by_row(dataset, fold, least, seed, stratify=stratify)
    parts = np.where(fold_of_row == fold.number, 1, 0)
    left = np.flatnonzero(parts == 0)
    size = _size_of_validation(validation_fraction, len(left))
    if size:
        random = _stream(seed, fold.repeat, fold.number)
        if dataset.groups is not None:
            labels = dataset.labels[left] if stratify else None
            drawn = assign_groups(dataset.groups[left], labels, {"validation": size}, random)
            parts[left[drawn == 1]] = 2
        else:
            fractions = {"data.test_fraction": 0.0, "data.validation_fraction": validation_fraction}
            sizes = {"data.test_fraction": 0, "data.validation_fraction": size}
            parts[left] = assign_rows(dataset, left, fractions, sizes, random, stratify=stratify)
    return parts


def least_of_each(folds: int, validation: bool) -> int:
    """Return how many rows of a class, or groups, each part of each fold needs to get one."""
    return 4 if validation and folds == 2 else folds


def words_of_folds(dataset: Dataset, folds: int) -> str:
    """Return a line that says what a run learns from and is tested on."""
    rows = dataset.rows_to_split
    if dataset.times is not None:
        return (
            f"data.folds={folds}: {_rows(rows)} in {folds + 1} blocks by data.time; a run is tested on one "
            "and learns from those before it, so that rows of the oldest are never tested"
        )
    sizes = f", {rows // folds}" + (f" or {rows // folds + 1}" if rows % folds else "") + " in each"
    sizes = "" if dataset.groups is not None else sizes
    return f"data.folds={folds}: a run is tested on one of {folds} folds of the {rows} rows{sizes}"


def tested_rows(dataset: Dataset, fold: Fold, parts: IntArray) -> str:
    """Return a line that says which rows a fold holds out, given the part of each row."""
    tested = np.flatnonzero(parts == 1)
    numbers = dataset.row_numbers(tested)
    some = ", ".join(map(str, numbers[:_MOST_ROWS].tolist()))
    left = len(numbers) - _MOST_ROWS
    more = f" and {left} more, which predictions.parquet names" if left > 0 else ""
    return f"{fold}: tested on {len(tested)} of {_rows(len(parts))}: {some}{more}"


def fold_notes(dataset: Dataset, parts: IntArray) -> tuple[str, ...]:
    """Return what is said of a fold by groups or times, a line each, given the part of each row."""
    lines = []
    if dataset.groups is not None:
        groups = dataset.groups[: len(parts)]
        counts = [len(np.unique(groups[parts == part])) for part in (0, 2, 1)]
        lines.append(
            f"data.group: each group is wholly in one part: {counts[0]} in training, {counts[1]} in "
            f"validation, {counts[2]} in test"
        )
    if dataset.times is not None:
        newer = int((parts == -1).sum())
        lines.append(
            "data.time: the test part is newer than all that is learned from; "
            + (f"{_rows(newer)} newer than that are not used" if newer else "no rows are newer")
        )
    return tuple(lines)


def _by_row(dataset: Dataset, fold: Fold, least: int, seed: int, *, stratify: bool) -> IntArray:
    """Deal out the rows in random order, with ``stratify`` class after class."""
    rows, random = dataset.rows_to_split, _stream(seed, fold.repeat)
    if rows < least:
        raise InputError(
            f"data.folds={fold.count}: needs {least} rows or more, and there are {rows}; lower it"
        )
    order = random.permutation(rows)
    if stratify:
        labels = dataset.labels[:rows]
        classes, counts = np.unique(labels, return_counts=True)
        if (rare := classes[counts < least]).size:
            fewer = f"lower it to {counts.min()}, " if counts.min() > 2 else ""
            raise InputError(
                f"data.folds={fold.count}: class {dataset.class_names[rare[0]]!r} has "
                f"{_rows(int(counts[classes == rare[0]][0]))}, "
                f"but needs {least}, for each part of each fold to get one; "
                f"{fewer}{way_out(dataset, rare.tolist())}, or set data.stratify=false"
            )
        turn = np.empty(len(dataset.class_names), np.int64)
        turn[classes] = random.permutation(len(classes))
        order = order[np.argsort(turn[labels[order]], kind="stable")]
    dealt = np.empty(rows, np.int64)
    dealt[order] = random.permutation(fold.count)[np.arange(rows) % fold.count]
    return dealt


def _by_group(dataset: Dataset, fold: Fold, least: int, seed: int, *, stratify: bool) -> IntArray:
    """Deal out whole groups, the largest first, each to the fold that then differs least from the others."""
    assert dataset.groups is not None
    rows, random = dataset.rows_to_split, _stream(seed, fold.repeat)
    group_of_row = numbered_by_appearance(dataset.groups[:rows])
    groups = int(group_of_row.max()) + 1
    if groups < least:
        raise InputError(
            f"data.folds={fold.count}: data.group holds {groups} group{'s' * (groups != 1)}, and {least} are "
            "needed for each part of each fold to get one; lower data.folds, or choose another column"
        )
    classes = (
        np.unique(dataset.labels[:rows], return_inverse=True)[1] if stratify else np.zeros(rows, np.int64)
    )
    counts = np.zeros((groups, int(classes.max()) + 1), np.int64)
    np.add.at(counts, (group_of_row, classes), 1)
    of_all = np.column_stack([counts, counts.sum(axis=1)])
    # What is added to the sum of squares of the folds' shares, which is least when they are equal.
    shares = of_all / of_all.sum(axis=0)
    order = random.permutation(groups)
    order = order[np.argsort(-of_all[order, -1], kind="stable")]
    turn, filled = random.permutation(fold.count), np.zeros((fold.count, shares.shape[1]))
    fold_of_group = np.empty(groups, np.int64)
    missing = np.full(fold.count, least // fold.count)  # groups that each fold needs, of those to come
    for place, group in enumerate(order.tolist()):
        costs = filled @ shares[group]
        if groups - place <= np.maximum(missing, 0).sum():
            costs = np.where(missing > 0, costs, np.inf)
        chosen = int(np.argmin(costs))
        missing[chosen] -= 1
        filled[chosen] += shares[group]
        fold_of_group[group] = turn[chosen]
    return fold_of_group[group_of_row]


def _by_time(dataset: Dataset, fold: Fold, validation_fraction: float) -> IntArray:
    """Cut the rows, oldest first, into one block more than there are folds; the first is never tested."""
    assert dataset.times is not None
    if fold.repeat:
        raise InputError(
            f"data.repeat={fold.repeat}: by data.time nothing is drawn, so that a repeat would be the same; "
            "leave out data.repeat and data.repeats"
        )
    times = dataset.times[: dataset.rows_to_split]
    moments, counts = np.unique(times[~np.isnan(times)], return_counts=True)
    least = fold.count + (2 if validation_fraction else 1)
    if len(moments) < least:
        raise InputError(
            f"data.folds={fold.count}: data.time holds {len(moments)} time{'s' * (len(moments) != 1)}, and "
            f"{least} are needed; lower data.folds, or choose another column"
        )
    starts = _starts_of_blocks(counts, fold.count + 1, first=2 if validation_fraction else 1)
    block = np.searchsorted(starts, np.searchsorted(moments, times), side="right") - 1
    block[np.isnan(times)] = 0
    parts = np.select([block == fold.number + 1, block <= fold.number], [1, 0], -1)
    left = np.flatnonzero(parts == 0)
    if size := _size_of_validation(validation_fraction, len(left)):
        drawn = assign_times(times[left], {"validation": size})
        parts[left[drawn == 1]] = 2
    return parts


def _starts_of_blocks(counts: IntArray, blocks: int, first: int) -> IntArray:
    """Return the first moment of each block, of about as many rows each; the first has ``first`` moments."""
    filled = np.concatenate([[0], np.cumsum(counts)])
    starts = [0]
    for number in range(1, blocks):
        least = starts[-1] + (first if number == 1 else 1)
        most = len(counts) - (blocks - number)
        wanted = filled[-1] * number / blocks
        nearest = int(np.argmin(np.abs(filled - wanted)))
        starts.append(min(max(nearest, least), most))
    return np.array(starts)


def _size_of_validation(fraction: float, rows: int) -> int:
    size = round(fraction * rows)
    if fraction and not size:
        raise InputError(
            f"data.validation_fraction={fraction}: is less than one of the {rows} rows that the fold leaves; "
            f"raise it to {raised_fractions({'': fraction}, rows, 1)['']}, or set it to 0"
        )
    if size >= rows:
        raise InputError(
            f"data.validation_fraction={fraction}: takes all {rows} rows that the fold leaves; lower it"
        )
    return size


def _stream(seed: int, *which: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_FOLD_STREAM, *which)))


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"
