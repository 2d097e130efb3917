"""Text files of rows: CSV, and the same with another separator than a comma.

Every value is a text as it stands in the file. Arrow reads the usual file; one with rows of other lengths
than the header's is read by Python's csv module, which agrees with it on everything else.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.memory import check_size
from micrograde.data.messages import numbered
from micrograde.data.plain_tables import check_names, check_width
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files.dialect import (
    Dialect,
    Row,
    Sample,
    csv_reader,
    find_dialect,
    is_blank,
    long_fields,
    usual_width,
)
from micrograde.data.table_files.header import (
    NO_HEADER,
    are_named,
    given_names,
    has_names,
    made_names,
    names_note,
    no_header_note,
    row_of_names,
)
from micrograde.data.table_files.text_encoding import as_utf8
from micrograde.data.unpacking import read_table_text

if TYPE_CHECKING:
    import pyarrow

_BLOCK, _LARGEST_BLOCK = 2**20, 2**24  # bytes that Arrow reads at a time
_BLOCK_OF_A_COLUMN = 2**14
_BLOCK_SIZES = 1000  # that are tried
_VALUES_OF_A_PART = 2**18
_FEWEST_QUOTED = 3  # rows that stand in quotes as a whole, header included
_OTHER_TABLES = (b"PAR1", b"ARROW1", b"PK\x03\x04")


@dataclass
class _Reading:
    """What is found out about a file while it is read."""

    source: str
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        self.notes.append(f"{self.source}: {line}")

    def refusal(self, line: str) -> InputError:
        return InputError(f"{self.source}: {line}")


class _NotByArrowError(Exception):
    """Arrow does not read the file as it stands."""


def read_text(file: Path, options: ReadingOptions, targets: tuple[str, ...], source: str) -> RawTable:
    """Read a text file, which may be compressed; see ``read_table``."""
    reading = _Reading(source)
    unpacked = read_table_text(file, source, separators=b",;\t|", by_content=True)
    if unpacked.startswith(_OTHER_TABLES):
        raise reading.refusal("holds a table of Parquet, Feather or Excel within an archive; unpack it first")
    text = as_utf8(unpacked, options.encoding, source)
    if text.encoding is not None:
        reading.found.append(f"encoding {text.encoding}")
    if text.guessed:
        reading.note(f"is no UTF-8 text, and is read as {text.encoding}; data.encoding says otherwise")
    content, said = _without_hint(text.content, options.separator)
    sample = Sample(content)
    dialect = find_dialect(sample, said)
    if dialect.separator != ",":
        reading.found.append(f"separator {dialect.name}")
    rows = sample.rows(dialect)
    if not rows:
        raise reading.refusal("is empty; needs a header line and rows")
    check_width(max(len(row.values) for row in rows), source)
    _refuse_quoted_rows([row.values for row in rows], reading)
    place = _place_of_body(rows, options.header, targets, reading)
    if place == len(rows) and sample.is_all:
        raise reading.refusal("has columns but no rows")
    names = _names(rows[place - 1].values if place else None, [row.values for row in rows[place:]], reading)
    check_size(source, max(content.count(b"\n"), content.count(b"\r")), len(names))
    body = memoryview(content)[rows[place - 1].end if place else 0 :]
    columns = _columns(body, dialect, len(names), reading)
    return _table(columns, names, reading)


def _without_hint(content: bytes | bytearray, said: str | None) -> tuple[bytes | bytearray, str | None]:
    """Return the text behind a first line ``sep=;``, as Excel writes and reads it, and the separator."""
    beginning = content[:6]
    if beginning[:4].lower() == b"sep=" and beginning[5:] in (b"\r", b"\n") and beginning[4] < 0x80:
        return content[5:], said or chr(beginning[4])
    return content, said


def _refuse_quoted_rows(rows: Sequence[Sequence[str]], reading: _Reading) -> None:
    """Refuse rows each of which stands in quotes as a whole, as some programs save a file again."""
    if len(rows) < _FEWEST_QUOTED or any(len(row) != 1 for row in rows):
        return
    for separator in ",;\t|":
        counts = {row[0].count(separator) for row in rows}
        if len(counts) == 1 and 0 not in counts:
            raise reading.refusal(
                f"each row is one value that holds {Dialect(separator).name}, as all of it stands in quotes; "
                "remove the quotes around the rows"
            )


def _place_of_body(
    rows: Sequence[Row], header: int | None, targets: tuple[str, ...], reading: _Reading
) -> int:
    """Return the place of the first row behind the header, or 0 if there is none."""
    values = [row.values for row in rows]
    if header is None:
        if are_named(targets, values[0]):
            return 1
        place = row_of_names(values)
        if place is not None:
            line = rows[place].first_line
            raise reading.refusal(
                f"the names of the columns seem to stand in line {line}; set data.header={line} "
                "(the lines above are left out), or data.header=true if they stand in the first"
            )
        if has_names(values[0], values[1:]):
            return 1
    elif header == 1:
        return 1
    elif header > 1:
        for place, row in enumerate(rows):
            if row.first_line <= header <= row.last_line:
                return place + 1
        raise InputError(
            f"data.header={header}: there are no names in line {header}; give the line that holds "
            "the names of the columns, true for the first, or false if none does"
        )
    reading.found.append(NO_HEADER)
    if header is None:
        reading.notes.append(no_header_note(reading.source))
    return 0


def _names(header: Sequence[str] | None, body: Sequence[Sequence[str]], reading: _Reading) -> list[str]:
    """Return a name for each column, "" where there is none."""
    width, share = usual_width(body)
    if header is None:
        return [""] * width
    names = [name.strip() for name in header]
    named = len(names)
    while named and not names[named - 1]:
        named -= 1
    if not body or share <= 0.5:
        return names
    if width < named and all(len(row) < named for row in body):
        raise reading.refusal(
            f"the header has {named} names, but the rows have {width} value{'s' * (width > 1)}; "
            "remove the names that have no column, or add a separator for each at the end of the rows"
        )
    if width > len(names) and any(value.strip() for row in body for value in row[len(names) :]):
        raise reading.refusal(_short_header_line(names, width, body))
    return (names + [""] * width)[: max(width, named)]


def _short_header_line(names: Sequence[str], width: int, body: Sequence[Sequence[str]]) -> str:
    lacking = width - len(names)
    lack = "a name is" if lacking == 1 else f"{lacking} names are"
    has = "1 name" if len(names) == 1 else f"{len(names)} names"
    firsts = [row[0] for row in body if len(row) == width]
    of_rows = lacking == 1 and len(set(firsts)) == len(firsts) > 1
    where = " (the first column seems to hold names of rows: add one in front)" if of_rows else ""
    return (
        f"the header has {has}, but the rows have {width} values: {lack} missing; "
        f"add what is missing to the first line{where}"
    )


def _columns(
    body: memoryview, dialect: Dialect, width: int, reading: _Reading
) -> "list[pyarrow.DictionaryArray]":
    """Return the texts of all rows as columns, dictionaries of those that differ, null where one is empty."""
    import pyarrow as pa

    if dialect.skips_spaces or not dialect.separator.isascii() or not len(body):
        return _columns_by_csv(body, dialect, width, reading)
    try:
        return _columns_by_arrow(body, dialect, width)
    except (_NotByArrowError, pa.ArrowInvalid):  # also for values longer than a block
        return _columns_by_csv(body, dialect, width, reading)


def _columns_by_arrow(body: memoryview, dialect: Dialect, width: int) -> "list[pyarrow.DictionaryArray]":
    import pyarrow as pa
    import pyarrow.csv

    others: list[int] = []

    def skip(row: Any) -> str:
        if row.text.strip():
            others.append(row.actual_columns)
            return "error"
        return "skip"  # a line of spaces

    names = [str(place) for place in range(width)]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=_block_size(body, width)),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=dialect.separator, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.large_string())),
                check_utf8=False,  # the text has been decoded
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        if others:
            raise _NotByArrowError from None
        raise
    chunked = table.columns[::-1]
    del table
    columns = []
    while chunked:  # of each, the chunks are freed when it is one
        columns.append(_of_one_chunk(chunked.pop().chunks))
    return columns


def _block_size(body: memoryview, width: int) -> int:
    """Return a size of blocks none of which ends between the two characters of a line end.

    Arrow skips the second then, also within quotes, where it belongs to a text.
    """
    usual = max(_BLOCK, min(_LARGEST_BLOCK, width * _BLOCK_OF_A_COLUMN))
    for size in range(usual, usual + _BLOCK_SIZES):
        if not any(body[end - 1] == 0x0D and body[end] == 0x0A for end in range(size, len(body), size)):
            return size
    raise _NotByArrowError


def _of_one_chunk(chunks: "Sequence[pyarrow.DictionaryArray]") -> "pyarrow.DictionaryArray":
    """Return a column whose chunks have dictionaries of their own as one array."""
    import pyarrow as pa

    if not chunks:
        return pa.array([], pa.large_string()).dictionary_encode()
    alike = pa.chunked_array(chunks).unify_dictionaries().chunks
    if len(alike) == 1:
        return alike[0]
    indices = pa.concat_arrays([each.indices for each in alike])
    return pa.DictionaryArray.from_arrays(indices, alike[0].dictionary)


def _columns_by_csv(
    body: memoryview, dialect: Dialect, width: int, reading: _Reading
) -> "list[pyarrow.DictionaryArray]":
    """Return the columns; rows that end early are filled up, longer ones refused by their numbers."""
    import pyarrow as pa

    parts: list[list[pyarrow.DictionaryArray]] = [[] for _ in range(width)]
    rows: list[list[str]] = []
    short, long = dict[int, int](), dict[int, int]()
    count = 0

    def put() -> None:
        check_size(reading.source, count, width)
        for part, values in zip(parts, zip(*rows, strict=True), strict=True):
            texts = pa.array([value or None for value in values], pa.large_string())
            part.append(texts.dictionary_encode())
        rows.clear()

    lines = io.TextIOWrapper(io.BytesIO(body), "utf-8", newline="")
    try:
        with long_fields():
            for row in csv_reader(lines, dialect):
                if is_blank(row, dialect):
                    continue
                if len(row) > width:
                    if any(row[width:]):
                        long[count] = len(row)
                    del row[width:]
                elif len(row) < width:
                    _check_torn(row, count, short, width, reading)
                    short[count] = len(row)
                    row += [""] * (width - len(row))
                rows.append(row)
                count += 1
                if len(rows) * width >= _VALUES_OF_A_PART:
                    put()
    except csv.Error:
        raise reading.refusal(
            f"row {count + 1} holds a value that does not end; a quote that begins there is not closed"
        ) from None
    if long:
        first = next(iter(long))
        has = "has" if len(long) == 1 else "have more values than there are columns, the first"
        raise reading.refusal(
            f"{numbered(list(long))} {has} {long[first]} values for {width} column{'s' * (width > 1)}; "
            f"a value that holds {dialect.name} needs quotes"
        )
    put()
    if short:
        ends = "ends early; what it lacks is" if len(short) == 1 else "end early; what they lack is"
        reading.note(f"{numbered(list(short))} {ends} missing")
    return [_of_one_chunk(part) for part in parts]


def _check_torn(row: Sequence[str], place: int, short: dict[int, int], width: int, reading: _Reading) -> None:
    """Refuse short rows that are the halves of one, or a quote that is not closed."""
    if place - 1 in short and short[place - 1] + len(row) - 1 == width:
        raise reading.refusal(
            f"rows {place} and {place + 1} have {short[place - 1]} and {len(row)} values "
            f"for {width} columns, as if a line end tore a row in two; a text with line ends needs quotes"
        )
    if row and ("\n" in row[-1] or "\r" in row[-1]):
        raise reading.refusal(
            f"row {place + 1} has {len(row)} values for {width} columns, the last of several lines; "
            "is a quote not closed that begins there?"
        )


def _rows_before_empty_end(columns: "Sequence[pyarrow.Array]") -> int:
    """Return the number of rows up to the last in which something stands; programs of tables save more."""
    rows = len(columns[0]) if columns else 0
    if rows == 0 or any(column[rows - 1].is_valid for column in columns):
        return rows
    filled = (np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)) for column in columns)
    return max((int(places[-1]) + 1 for places in filled if len(places)), default=0)


def _table(columns: "list[pyarrow.DictionaryArray]", names: list[str], reading: _Reading) -> RawTable:
    import pyarrow as pa

    width, rows = len(columns), _rows_before_empty_end(columns)
    if rows == 0:
        raise reading.refusal("has columns but no rows")
    if dropped := len(columns[0]) - rows:
        what = "an empty row" if dropped == 1 else f"{dropped} empty rows"
        reading.note(f"{what} at the end {'is' if dropped == 1 else 'are'} left out")
        columns = [column.slice(0, rows) for column in columns]
    while width > 1 and not names[width - 1] and columns[width - 1].null_count == rows:
        width -= 1
    if dropped := len(columns) - width:
        what = "an empty column" if dropped == 1 else f"{dropped} empty columns"
        are = "is" if dropped == 1 else "are"
        reading.note(f"{what} without a name at the end of each row {are} left out")
    if NO_HEADER in reading.found:
        found = made_names(width)
    else:
        found = given_names(names[:width])
        if found.made:
            reading.notes.append(names_note(reading.source, found.made))
    check_names(found.names, reading.source)
    table = pa.table(columns[:width], names=found.names)
    return RawTable(table, tuple(reading.found), tuple(reading.notes))
