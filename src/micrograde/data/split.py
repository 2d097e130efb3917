"""Splitting a data set into its training, validation and test part.

The rows of a part keep the order of the data set; training shuffles them. The test part is drawn
first, so it does not depend on ``validation_fraction`` (unless a class is so small that the parts
compete for its rows, or groups or times are so few).
"""

from dataclasses import replace

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.by_group import assign_groups
from micrograde.data.by_row import assign_rows, raised_fractions
from micrograde.data.by_time import assign_times
from micrograde.data.dataset import CLASSIFICATION, Dataset, IntArray, Part, Split
from micrograde.data.folds import Fold, assign_fold, fold_notes, tested_rows
from micrograde.data.split_notes import split_notes

# The generators use SeedSequence(seed) itself to make data; the split has a separate random stream.
_SPLIT_STREAM = 1


def split_dataset(
    dataset: Dataset,
    *,
    validation_fraction: float,
    test_fraction: float,
    stratify: bool,
    seed: int,
    fold: Fold | None = None,
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
    fold
        The fold that is the test part, if folds are held out one after another: ``test_fraction`` is then
        ignored, and the validation part is a fraction of the rows outside the fold; see ``assign_fold``.

    Raises
    ------
    InputError
        If a part would be empty or, with ``stratify`` and without groups and times, lack one of the classes;
        if there are fewer groups, or different times, than parts.
    """
    rows = dataset.rows_to_split
    if fold:
        drawn = 0.0 if dataset.validation_rows else validation_fraction
        parts = assign_fold(dataset, fold, validation_fraction=drawn, stratify=stratify, seed=seed)
        return replace(
            _split(dataset, parts), notes=fold_notes(dataset, parts), tested=tested_rows(dataset, fold, parts)
        )
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
                f"{key}={fractions[key]}: is less than one of the {rows} rows; raise it to "
                f"{raised_fractions(fractions, rows, 1)[key]}, or set it to 0"
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
        part_of_row = assign_rows(dataset, np.arange(rows), fractions, sizes, random, stratify=stratify)
    split = _split(dataset, part_of_row)
    return replace(split, notes=tuple(split_notes(dataset, split, fractions, sizes)))


def _split(dataset: Dataset, part_of_row: IntArray) -> Split:
    """Return the parts, given that of each row to be split: 0 for training, 1 for test, 2 for validation."""
    rows = dataset.rows_to_split
    train_rows, test_rows, validation_rows = (np.flatnonzero(part_of_row == part) for part in range(3))
    first_of_test = len(dataset) - dataset.test_rows
    if dataset.validation_rows:
        validation_rows = np.arange(rows, first_of_test)
    if dataset.test_rows:
        test_rows = np.arange(first_of_test, len(dataset))
    return Split(
        train=_part(dataset, train_rows),
        validation=_part(dataset, validation_rows) if len(validation_rows) else None,
        test=_part(dataset, test_rows) if len(test_rows) else None,
    )


def _part(dataset: Dataset, rows: IntArray) -> Part:
    return Part(dataset.features, dataset.labels[rows], rows)
