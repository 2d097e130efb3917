"""The columns by which a table is split: groups that stay together, and times."""

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.columns import Column
from micrograde.data.dataset import FloatArray, IntArray
from micrograde.data.messages import quoted
from micrograde.data.roles import RoleSettings
from micrograde.data.roles.clock import Clock
from micrograde.data.roles.date import Date
from micrograde.data.roles.number import Number


def group_numbers(column: Column, words: frozenset[str]) -> IntArray:
    """Return the number of each row's group, shape (n,); a row without a value is a group of its own."""
    column = column.as_texts
    assert column.codes is not None
    missing = column.is_missing(words)
    numbers = column.codes.astype(np.int64)
    numbers[missing] = len(column.distinct) + np.arange(int(missing.sum()))
    groups: IntArray = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    return groups


def row_times(column: Column, settings: RoleSettings) -> FloatArray:
    """Return numbers that are larger for later rows, shape (n,): seconds for dates; NaN where nothing stands.

    Raises
    ------
    InputError
        If the column holds neither dates nor numbers.
    """
    if number := Number.of(column, settings):
        return number.encode(column).values[:, 0]
    if date := Date.of(column, settings):
        dates, _ = date.dates(column)
        seconds = dates.to_numpy("datetime64[us]").astype(np.int64) / 1e6
        return np.where(dates.isna(), np.nan, seconds)
    if clock := Clock.of(column, settings):
        return clock.encode(column).values[:, 0]
    raise InputError(f"data.time={column.name}: column {quoted(column.name)} holds neither dates nor numbers")
