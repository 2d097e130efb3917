"""The column that holds what is to be learned: classes, or numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_mapping, typed_names
from micrograde.data.as_written import alike_classes
from micrograde.data.columns import MISSING_WORDS, Column, number_text
from micrograde.data.dataset import CLASSIFICATION, REGRESSION
from micrograde.data.messages import counted, quoted
from micrograde.data.number_texts import has_leading_zeros, style_of

MOST_WHOLE_NUMBERS = 20
"""More different whole numbers than these are numbers to be predicted, unless the user says so."""

_EXACT = 2.0**53  # float64 represents every integer below this
_WHAT = {None: "a class or a number", CLASSIFICATION: "a class", REGRESSION: "a number"}
_MOST_OTHERS = 0.5  # of the rows that hold something: fewer are left out, more are classes
_MOST_TEXTS = 5  # that are no numbers, which a message lists
_FEWEST_ROWS = 3  # of a class, so that each part can have one


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be learned of n rows.

    Attributes
    ----------
    labels
        Shape (n,): the index of each row's class, -1 where it has none; of numbers, 0 where all are there.
    names
        The names of the classes: numbers by size, texts by the alphabet; none of numbers.
    notes
        What was decided, a line each.
    numbers
        Shape (n, K): numbers to be predicted, NaN where there is none; None if the rows have classes.
    are_truths
        Whether the numbers are 1 for yes and 0 for no, of labels that a row has or has not.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    numbers: NDArray[np.float64] | None = None
    are_truths: bool = False

    @property
    def smallest(self) -> int:
        """The rows of the rarest class."""
        return int(np.bincount(self.labels[self.labels >= 0], minlength=max(len(self.names), 1)).min())


def read_target(
    column: Column, *, na_values: tuple[str, ...], decimal: str, task: str | None, source: str
) -> Target:
    """Return the classes or the numbers that a column holds.

    Numbers with fractions, and more than ``MOST_WHOLE_NUMBERS`` whole ones, are to be predicted as numbers
    unless ``task`` says otherwise; a note then says so. Whole numbers that are classes and are each written
    in one way are named without leading signs or zeros; other texts are classes as they are written, without
    the spaces around them.

    Parameters
    ----------
    na_values
        Texts that stand for a missing class. The usual ones do, too, unless the other classes are words.
    decimal
        The decimal sign of the file.
    task
        ``classification`` if numbers are classes however many there are, ``regression`` if they are to be
        predicted as numbers however few; None to decide it by the column.

    Raises
    ------
    InputError
        If no row has anything, or the column holds texts that are to be predicted as numbers; the message
        starts with ``source``.
    """
    if column.numbers is not None:
        return _of_numbers(column, column.numbers, task, source)
    texts = column.distinct
    given = frozenset(word.strip() for word in na_values)
    words = given | MISSING_WORDS
    import pyarrow as pa

    plain = [text.strip() for text in texts]
    missing = np.array([not text or text in words for text in plain], np.bool_)
    if missing.all():
        raise InputError(f"{source}: no row has {_WHAT[task]}")
    assert column.texts is not None
    meant = column.texts.filter(pa.array(~missing))
    _, numbers = style_of(meant, decimal)
    if task == REGRESSION and np.isnan(numbers).any():
        raise InputError(_no_numbers(meant, numbers, column.counts[~missing], source))
    if not np.isnan(numbers).any():
        if task != REGRESSION and (reason := _why_texts(meant, numbers)):
            return _of_texts(
                column, plain, missing, [f"{source}: classes are taken as text, {reason}"], source
            )
        read = np.full(len(texts), np.nan)
        read[~missing] = numbers
        return _of_numbers(column, column.spread(read, np.nan), task, source)
    notes = []
    taken = {
        text: int(count)
        for text, lost, count in zip(plain, missing, column.counts, strict=True)
        if lost and text and text not in given
    }
    if taken:
        missing = np.array([not text or text in given for text in plain], np.bool_)
        are = "is a class" if len(taken) == 1 else "are classes"
        first = next(iter(sorted(taken)))
        notes = [
            f"{source}: {counted(sorted(taken.items()))} {are}; "
            f"with {typed_names('data.na_values', first)} such rows have no class"
        ]
    return _of_texts(column, plain, missing, notes, source)


def _no_numbers(meant: object, numbers: NDArray[np.float64], counts: NDArray[np.int64], source: str) -> str:
    """Return what to do about texts that are to be predicted as numbers, some of which are none."""
    import pyarrow as pa

    assert isinstance(meant, pa.Array)
    others = [text.strip() for text in meant.filter(pa.array(np.isnan(numbers))).to_pylist()]
    said = f"{source}: holds {quoted(others[0])}, which is no number that task=regression could predict"
    if len(others) > _MOST_TEXTS or counts[np.isnan(numbers)].sum() > _MOST_OTHERS * counts.sum():
        return f"{said}; leave task=regression out to learn classes, or choose a column of numbers"
    rows = "such rows are" if len(others) == 1 else f"rows with these {len(others)} texts are"
    return f"{said}; with {typed_names('data.na_values', *others)} {rows} left out"


def _why_texts(texts: object, numbers: NDArray[np.float64]) -> str:
    """Return why numbers are classes as they are written; empty if they are numbers."""
    import pyarrow as pa

    assert isinstance(texts, pa.Array)
    written = [text.strip() for text in texts.to_pylist()]
    seen: dict[float, str] = {}
    for text, number in zip(written, numbers.tolist(), strict=True):
        if seen.setdefault(number, text) != text:
            return f"because {quoted(seen[number])} and {quoted(text)} would be the same number"
    if has_leading_zeros(texts):
        return "because of leading zeros"
    if (np.abs(numbers) >= _EXACT).any() and (numbers == np.floor(numbers)).all():
        return "because float64 cannot hold such large numbers"
    return ""


def _of_texts(
    column: Column, plain: list[str], missing: NDArray[np.bool_], notes: list[str], source: str
) -> Target:
    names = tuple(sorted({text for text, lost in zip(plain, missing, strict=True) if not lost}))
    place = {name: index for index, name in enumerate(names)}
    of_text = np.array(
        [-1 if lost else place[text] for text, lost in zip(plain, missing, strict=True)], np.int64
    )
    return Target(column.spread(of_text, -1), names, (*notes, *alike_classes(names, source)))


def _of_numbers(
    column: Column,
    numbers: NDArray[np.float64],
    task: str | None,
    source: str,
) -> Target:
    there = ~np.isnan(numbers)
    if not there.any():
        raise InputError(f"{source}: no row has {_WHAT[task]}")
    values, places, counts = np.unique(numbers[there], return_inverse=True, return_counts=True)
    whole = bool((values == np.floor(values)).all())
    if task == REGRESSION or (task is None and (not whole or len(values) > MOST_WHOLE_NUMBERS)):
        if np.isinf(values).any():
            raise InputError(f"{source}: holds infinite numbers, which cannot be predicted")
        notes: tuple[str, ...] = ()
        if task is None:
            notes = (_regression(column.name, len(values), whole, int(counts.min()), source),)
        return Target(np.where(there, 0, -1), (), notes, numbers[:, np.newaxis])
    labels = np.full(len(numbers), -1, np.int64)
    labels[there] = places
    return Target(labels, tuple(number_text(each) for each in values.tolist()), ())


def _regression(name: str, different: int, whole: bool, fewest: int, source: str) -> str:
    kind = "whole numbers" if whole else "numbers with fractions"
    said = f"{source}: holds {different} different {kind}, which are predicted as numbers (a regression)"
    if whole and fewest >= _FEWEST_ROWS:
        return f"{said}; {typed_mapping('data.roles', {name: 'category'})} makes a class of each"
    drawn = "" if fewest >= _FEWEST_ROWS else " data.stratify=false"  # not each part can have each class
    return f"{said}; task=classification{drawn} makes a class of each"
