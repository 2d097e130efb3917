"""Columns that have types in their file, as Parquet's and Feather's, as the few plain types of a table."""

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

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
    """Return the plain table of a typed one; columns of lists and of other unusual values are left out.

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
        check_bytes(source, text_bytes, "the table's text, a copy for each row,")
        column, why = _as_usual(column)
        if why is None:
            columns[name] = _without_empty_texts(plain_column(column, name, source))
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


def _as_usual(column: "pyarrow.ChunkedArray") -> "tuple[pyarrow.ChunkedArray, str | None]":
    """Return a column of unusual values as what CSV has of them, or what it holds if that is nothing.

    Bytes are texts, as some programs write them; durations are numbers of seconds.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if why := _why_left_out(column.type):
        return column, why
    kind = column.type
    if types.is_dictionary(kind) and _is_bytes(kind.value_type):
        kind = kind.value_type
        column = pa.chunked_array([each.dictionary_decode() for each in column.chunks])
    if _is_bytes(kind):
        try:
            return column.cast(pa.large_string()), None
        except pa.ArrowInvalid:
            return column, "bytes that are no text"
    if types.is_time(kind):
        with suppress(pa.ArrowInvalid):  # fractions of a second
            column = column.cast(pa.time32("s"))
        return column.cast(pa.string()), None
    if types.is_duration(kind):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        return pc.divide(column.cast(pa.int64()).cast(pa.float64()), per_second), None
    return column, None


def _without_empty_texts(column: "pyarrow.Array") -> "pyarrow.Array":
    """Return a column with null in place of empty texts, which a CSV file does not tell from it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_large_string(column.type):
        return column
    empty = pc.equal(pc.binary_length(column), 0).fill_null(False)
    return pc.if_else(empty, None, column) if pc.any(empty).as_py() else column


def _is_bytes(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or str(kind) == "binary_view")


def _text_bytes(column: "pyarrow.ChunkedArray") -> int:
    """Return the bytes that a column takes at most when each row has its own text."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    total = 0
    for chunk in column.chunks:
        values, rows = chunk, None
        if types.is_dictionary(column.type):
            values, rows = chunk.dictionary, chunk.indices
        elif types.is_run_end_encoded(column.type):
            values = chunk.values
        kind = values.type
        is_view = str(kind) in ("string_view", "binary_view")
        if not (is_view or types.is_string(kind) or types.is_large_string(kind) or _is_bytes(kind)):
            continue
        lengths = _lengths_of_views(values) if is_view else pc.binary_length(values)
        lengths = lengths.cast(pa.int64()).fill_null(0)
        if types.is_run_end_encoded(column.type):
            total += len(chunk) * (pc.max(lengths).as_py() or 0)
        else:
            total += pc.sum(lengths if rows is None else lengths.take(rows)).as_py() or 0
    return total


def _lengths_of_views(values: "pyarrow.Array") -> "pyarrow.Array":
    """Return the lengths of texts that are views; each takes 16 bytes, which begin with its length."""
    import pyarrow as pa

    views = np.frombuffer(values.buffers()[1] or b"", np.int32)
    return pa.array(views[4 * values.offset :: 4][: len(values)].astype(np.int64))
