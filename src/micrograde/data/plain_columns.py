"""Columns of Arrow as a few plain types, with the values that they have in a CSV file, and their digest."""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.dates import column_of_dates, holds_dates
from micrograde.data.decimals import shortest_decimals
from micrograde.data.messages import first_line, quoted, shortened

if TYPE_CHECKING:
    import pyarrow

NEEDED = "a table needs numbers, strings, booleans, dates or categories"


def table_digest(rows: "pyarrow.Table") -> str:
    """Return the SHA-256 of a table's content, the same however it is cut into chunks or compressed.

    Columns are those of ``GivenTable``; texts may be encoded as a dictionary.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {name: _of_one_piece(rows[name]) for name in rows.column_names}
    header = {"rows": rows.num_rows, "columns": [[name, str(each.type)] for name, each in columns.items()]}
    sha256 = hashlib.sha256(json.dumps(header).encode())
    for column in columns.values():
        sha256.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).data)
        if pa.types.is_large_string(column.type):
            filled = column.fill_null("")
            sha256.update(np.ascontiguousarray(pc.binary_length(filled).to_numpy(), "<i8").data)
            start, end = np.frombuffer(filled.buffers()[1], np.int64)[
                [filled.offset, filled.offset + len(filled)]
            ]
            sha256.update(memoryview(filled.buffers()[2] or b"")[start:end])
        else:
            values = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
            values = values.to_numpy(zero_copy_only=False)
            sha256.update(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data)
    return sha256.hexdigest()


def plain_column(column: "pyarrow.ChunkedArray", name: str, what: str) -> "pyarrow.Array":
    """Return a column as float64 (NaN where missing), int64, uint64, bool or large_string.

    Raises
    ------
    InputError
        If it holds anything else; the message starts with ``what``.
    """
    import pyarrow as pa
    from pyarrow import types

    try:
        if isinstance(column.type, pa.BaseExtensionType):
            raise InputError(f"{what}: column {quoted(name)} holds {shortened(column.type)} values; {NEEDED}")
        if types.is_run_end_encoded(column.type):
            import pyarrow.compute as pc

            column = pa.chunked_array([pc.run_end_decode(each) for each in column.chunks])
        if types.is_dictionary(column.type):
            column = _decoded(column)
        return _of_plain_type(column, name, what)
    except pa.ArrowException as error:
        raise InputError(f"{what}: column {quoted(name)} cannot be read: {first_line(error)}") from None


def _of_plain_type(column: "pyarrow.ChunkedArray", name: str, what: str) -> "pyarrow.Array":
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_null(kind):
        return _float_column(pa.array(np.full(len(column), np.nan)))
    if types.is_boolean(kind):
        return _of_one_piece(column)
    if types.is_integer(kind):
        whole = _of_one_piece(column)
        try:
            return whole.cast(pa.int64())
        except pa.ArrowInvalid:  # beyond 2**63
            return whole.cast(pa.uint64())
    if types.is_floating(kind):
        return _float_column(_of_one_piece(column))
    if types.is_decimal(kind):
        return _float_column(_of_one_piece(column.cast(pa.string())).cast(pa.float64()))
    if types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view":
        texts = _of_one_piece(column.cast(pa.large_string()))
        texts.validate(full=True)
        return texts
    if holds_dates(kind):
        return _of_one_piece(column_of_dates(column))
    advice = {
        types.is_duration: "make numbers of them, such as seconds",
        types.is_time: "make numbers of them, such as seconds",
        types.is_nested: "make a column of each part",
    }
    for is_kind, what_to_do in advice.items():
        if is_kind(kind):
            raise InputError(f"{what}: column {quoted(name)} holds {shortened(kind)} values; {what_to_do}")
    raise InputError(f"{what}: column {quoted(name)} holds {shortened(kind)} values; {NEEDED}")


def _decoded(column: "pyarrow.ChunkedArray") -> "pyarrow.ChunkedArray":
    """Return the values of a column that is encoded as a dictionary."""
    import pyarrow as pa

    kind = column.type.value_type
    kind = pa.large_string() if str(kind) == "string_view" else kind  # of which Arrow takes no rows
    parts = [
        pa.DictionaryArray.from_arrays(each.indices, each.dictionary.cast(kind)).dictionary_decode()
        for each in column.chunks
    ]
    return pa.chunked_array(parts, type=kind)


def _float_column(column: "pyarrow.Array") -> "pyarrow.Array":
    """Return numbers as float64, with one NaN for everything that is missing."""
    import pyarrow as pa

    numbers = shortest_decimals(column.to_numpy(zero_copy_only=False))
    return pa.array(np.where(np.isnan(numbers), np.nan, numbers))


def _of_one_piece(column: "pyarrow.ChunkedArray") -> "pyarrow.Array":
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = _decoded(column)
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
