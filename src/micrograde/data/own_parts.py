"""A table whose validation and test part are files of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.columns import Column
from micrograde.data.dataset import IntArray
from micrograde.data.messages import listed
from micrograde.data.raw_table import RawTable


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A file of a table, and what messages about it start with."""

    raw: RawTable
    source: str


def columns_of(tables: Sequence[SourceTable | None]) -> tuple[dict[str, Column], IntArray]:
    """Return the columns of tables one below the other, and the place of each row's table in the sequence.

    The first says which columns there are; others in the later ones are ignored.

    Raises
    ------
    InputError
        If a later table lacks a column.
    """
    there = [each for each in tables if each is not None]
    names = there[0].raw.rows.column_names
    for table in there[1:]:
        found = table.raw.rows.column_names
        if absent := [name for name in names if name not in found]:
            raise InputError(f"{table.source}: has no column {listed(absent)}; it has {listed(found)}")
    columns = {
        name: Column.joined([Column.of_array(name, table.raw.column(name)) for table in there])
        for name in names
    }
    sizes = [0 if table is None else table.raw.rows.num_rows for table in tables]
    return columns, np.repeat(np.arange(len(tables)), sizes)
