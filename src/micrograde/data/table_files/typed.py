"""Columns that have types in their file, as Parquet's and Feather's, as the few plain types of a table."""

import json
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


def typed_table(rows: "pyarrow.Table", targets: tuple[str, ...], source: str) -> RawTable:
    """Return the plain table of a typed one; columns of lists and of other unusual values are left out.

    Raises
    ------
    InputError
        If names are not unique, nothing is left, or a target is such a column.
    """
    import pyarrow as pa

    rows = _with_named_range(rows)
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
            columns[name] = _plain(column, name, source)
        elif name in targets:
            raise InputError(f"{source}: the target {quoted(name)} holds {why}; it needs classes or numbers")
        else:
            notes.append(f"{source}: column {quoted(name)} holds {why}, and is left out")
    if not columns:
        raise InputError(f"{source}: has no column of numbers, texts, truth values or dates")
    return RawTable(pa.table(columns), notes=tuple(notes))


def _with_named_range(rows: "pyarrow.Table") -> "pyarrow.Table":
    """Return the table with the named row numbers that pandas has saved, but not as a column."""
    import pyarrow as pa

    try:
        saved = json.loads((rows.schema.metadata or {})[b"pandas"])["index_columns"]
        ranges = [each for each in saved if isinstance(each, dict) and each["kind"] == "range"]
        for each in ranges:
            numbers = range(each["start"], each["stop"], each["step"])
            if each["name"] and str(each["name"]) not in rows.column_names and len(numbers) == rows.num_rows:
                column = np.arange(each["start"], each["stop"], each["step"], dtype=np.int64)
                rows = rows.append_column(str(each["name"]), pa.array(column))
    except (KeyError, TypeError, ValueError, OverflowError):  # not written by pandas
        pass
    return rows


def _is_nested(kind: "pyarrow.DataType") -> bool:
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
    if _is_nested(kind) or types.is_interval(kind):
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
    try:
        if types.is_dictionary(kind) and _is_text(kind.value_type):
            return _distinct_texts(column), None
        if _is_bytes(kind):
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


def _plain(column: "pyarrow.ChunkedArray", name: str, source: str) -> "pyarrow.Array":
    import pyarrow as pa

    if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
        return column.chunk(0)
    plain = plain_column(column, name, source)
    return _without_empty(plain) if pa.types.is_large_string(plain.type) else plain


def _distinct_texts(column: "pyarrow.ChunkedArray") -> "pyarrow.ChunkedArray":
    """Return a dictionary of the texts that stand in some row, each once, in the order in which they come.

    A text that many rows have is stored once, as in the file: a copy for each could need any memory.
    """
    import pyarrow as pa

    # Chunks may have other dictionaries each.
    texts = [_without_empty(each.dictionary.cast(pa.large_string())) for each in column.chunks]
    distinct = pa.concat_arrays(texts).dictionary_encode()
    places, start = [], 0
    for each, of_chunk in zip(column.chunks, texts, strict=True):
        places.append(distinct.indices.slice(start, len(of_chunk)).take(each.indices))
        start += len(of_chunk)
    used = pa.concat_arrays(places).dictionary_encode()
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(used.indices, distinct.dictionary.take(used.dictionary))]
    )


def _without_empty(texts: "pyarrow.Array") -> "pyarrow.Array":
    """Return texts with null in place of empty ones, which a CSV file does not tell from it."""
    import pyarrow.compute as pc

    empty = pc.equal(pc.binary_length(texts), 0).fill_null(False)
    return pc.if_else(empty, None, texts) if pc.any(empty).as_py() else texts


def _is_text(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    is_text = types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view"
    return bool(is_text or _is_bytes(kind))


def _is_bytes(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or str(kind) == "binary_view")


def _text_bytes(column: "pyarrow.ChunkedArray") -> int:
    """Return the bytes that a column takes at most when each row has its own text."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    in_runs = types.is_run_end_encoded(column.type)
    total = 0
    for chunk in column.chunks:
        values = chunk.values if in_runs else chunk
        if not _is_text(values.type):
            continue
        is_view = str(values.type) in ("string_view", "binary_view")
        lengths = _lengths_of_views(values) if is_view else pc.binary_length(values)
        lengths = lengths.cast(pa.int64()).fill_null(0)
        total += len(chunk) * (pc.max(lengths).as_py() or 0) if in_runs else pc.sum(lengths).as_py() or 0
    return total


def _lengths_of_views(values: "pyarrow.Array") -> "pyarrow.Array":
    """Return the lengths of texts that are views; each takes 16 bytes, which begin with its length."""
    import pyarrow as pa

    views = np.frombuffer(values.buffers()[1] or b"", np.int32)
    return pa.array(views[4 * values.offset :: 4][: len(values)].astype(np.int64))
