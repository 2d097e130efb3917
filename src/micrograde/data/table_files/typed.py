"""Columns that have types in their file, as Parquet's and Feather's have, as the few plain types of a table."""

from typing import TYPE_CHECKING

from micrograde.core.errors import InputError
from micrograde.data.memory import check_bytes, check_size
from micrograde.data.messages import quoted, shortened
from micrograde.data.plain_columns import plain_column
from micrograde.data.plain_tables import check_names
from micrograde.data.raw_table import RawTable
from micrograde.data.table_files.header import given_names, names_note

if TYPE_CHECKING:
    import pyarrow

INDEX = "__index_level_"
"""How the name of a column begins in which pandas saves an index without a name."""


def typed_table(rows: "pyarrow.Table", target: str | None, source: str) -> RawTable:
    """Return the plain table of a typed one; columns of lists and other values that are no numbers are left out.

    Raises
    ------
    InputError
        If names are not unique, nothing is left, or the target is such a column.
    """
    import pyarrow as pa

    if rows.num_rows == 0 and rows.num_columns:
        raise InputError(f"{source}: has columns but no rows")
    kept = [place for place, name in enumerate(rows.column_names) if not name.startswith(INDEX)]
    notes: list[str] = []
    if len(kept) < rows.num_columns:
        notes.append(f"{source}: an index without a name, which pandas has saved, is left out")
    found = given_names([rows.column_names[place] for place in kept])
    if found.made:
        notes.append(names_note(source, found.made))
    check_names(found.names, source)
    check_size(source, rows.num_rows, len(kept))
    columns: dict[str, pyarrow.Array] = {}
    text_bytes = 0
    for place, name in zip(kept, found.names, strict=True):
        column = rows.column(place)
        text_bytes += _text_bytes(column)
        check_bytes(source, text_bytes, "the texts of the table")
        why = _why_left_out(column.type)
        if why is None:
            columns[name] = plain_column(_as_usual(column), name, source)
        elif name == target:
            raise InputError(f"{source}: the target {quoted(name)} holds {why}; it needs classes or numbers")
        else:
            notes.append(f"{source}: column {quoted(name)} holds {why}, and is left out")
    if not columns:
        raise InputError(f"{source}: has no column of numbers, texts, truth values or dates")
    return RawTable(pa.table(columns), notes=tuple(notes))


def nested(kind: "pyarrow.DataType") -> bool:
    """Return whether a type's values are several, or bytes of no known meaning."""
    import pyarrow as pa
    from pyarrow import types

    return bool(
        types.is_nested(kind) or types.is_fixed_size_binary(kind) or isinstance(kind, pa.BaseExtensionType)
    )


def _why_left_out(kind: "pyarrow.DataType") -> str | None:
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return "lists"
    if types.is_run_end_encoded(kind):
        return _why_left_out(kind.value_type)
    if nested(kind) or types.is_interval(kind):
        return f"{shortened(kind)} values"
    return None


def _as_usual(column: "pyarrow.ChunkedArray") -> "pyarrow.ChunkedArray":
    """Return a column with bytes, times of day and durations as what a CSV file has of them.

    Bytes are texts, as some programs write them; durations are numbers of seconds.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind) and _is_bytes(kind.value_type):
        column, kind = pa.chunked_array([each.dictionary_decode() for each in column.chunks]), kind.value_type
    if _is_bytes(kind):
        return column.cast(pa.large_string())
    if types.is_time(kind):
        return column.cast(pa.string())
    if types.is_duration(kind):
        nanoseconds = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]
        return pc.divide(column.cast(pa.int64()).cast(pa.float64()), 10**9 / nanoseconds)
    return column


def _is_bytes(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or str(kind) == "binary_view")


def _text_bytes(column: "pyarrow.ChunkedArray") -> int:
    """Return the bytes that a column's texts take when each row has its own."""
    import pyarrow.compute as pc
    from pyarrow import types

    if not types.is_dictionary(column.type):
        return int(column.nbytes)
    total = 0
    for chunk in column.chunks:
        values = chunk.dictionary
        if not (types.is_string(values.type) or types.is_large_string(values.type) or _is_bytes(values.type)):
            return 0
        lengths = pc.binary_length(values).cast("int64").fill_null(0)
        total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return total
