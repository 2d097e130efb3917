"""A row of units below the names of the columns, ``cm``, ``kg``, which is no row of data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from micrograde.data.raw_table import RawTable
from micrograde.data.roles.number import MISSING_SPELLINGS
from micrograde.data.table_files.cells import is_nothing, is_number
from micrograde.data.table_files.header import NO_HEADER

if TYPE_CHECKING:
    import pyarrow

_ROWS, _FEWEST = 200, 3  # that are looked at, at most and at least
_NUMERIC = 0.9  # the share of numbers in a column of numbers
_LONGEST = 20  # characters of a unit


def without_units(table: RawTable, source: str) -> RawTable:
    """Return a table without a first row that holds units, with a note about it.

    It has something in two columns of numbers, or in the only one and nowhere else, and in none a number, a
    limit such as ``<5``, a word for what is missing, or what stands in other rows, too.
    """
    if NO_HEADER in table.found:
        return table
    cells, filled = 0, 0
    for cell in _first_cells_of_numbers(table.rows):
        cells += 1
        if not is_nothing(cell):
            filled += 1
            if not _may_be_unit(cell):
                return table
    if filled < (1 if cells == 1 and _is_alone(table.rows) else 2):
        return table
    note = f"{source}: the first row below the names holds units and no numbers, and is left out"
    return RawTable(_without_first_row(table.rows), table.found, (*table.notes, note))


def _without_first_row(rows: "pyarrow.Table") -> "pyarrow.Table":
    """Return the other rows; a dictionary holds no text that stood in the first row alone."""
    import pyarrow as pa

    left = rows.slice(1).combine_chunks()
    columns = [
        column.cast(column.type.value_type).dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column
        for column in left.columns
    ]
    return pa.table(columns, names=left.column_names).combine_chunks()


def _first_cells_of_numbers(rows: "pyarrow.Table") -> Iterator[str]:
    """Yield the first value of each column that holds numbers below it; a number if it stands there again."""
    import pyarrow as pa

    for column in rows.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not pa.types.is_large_string(kind) or not len(column):
            continue
        first, *below = ((value or "").strip() for value in column.slice(0, _ROWS).to_pylist())
        values = [each for each in below if not is_nothing(each)]
        if len(values) >= _FEWEST and sum(map(is_number, values)) >= _NUMERIC * len(values):
            yield first if first not in values else next(filter(is_number, values))


def _may_be_unit(cell: str) -> bool:
    missing = cell.lower() in MISSING_SPELLINGS
    return len(cell) <= _LONGEST and cell[0] not in "<>=~\u2264\u2265" and not missing and not is_number(cell)


def _is_alone(rows: "pyarrow.Table") -> bool:
    """Return whether one value stands in the first row."""
    return (
        rows.num_rows > 0
        and 1 == sum(not is_nothing(str(column[0].as_py() or "").strip()) for column in rows.columns) == 1
    )
