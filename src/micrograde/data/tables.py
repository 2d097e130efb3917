"""Readers for CSV and Parquet tables: a row is a sample, one column the target, the others features."""

import csv
import io
import json
import re
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.as_written import alike_classes, labels_as_written, merged_integers
from micrograde.data.dataset import Dataset
from micrograde.data.dates import dates_as_text, dates_note, holds_dates
from micrograde.data.encoding import TableEncoding, categorical_columns
from micrograde.data.files import existing_file
from micrograde.data.labels import encode_labels
from micrograde.data.memory import check_bytes, check_size, most_bytes, within_memory
from micrograde.data.messages import first_line, listed, quoted, shortened
from micrograde.data.missing import NOTHING_LEFT, MissingRule, check_missing
from micrograde.data.parquet_pages import page_sizes
from micrograde.data.unpacking import LONGEST_HEADER, read_table_text

if TYPE_CHECKING:
    import pandas
    import pyarrow

_NO_ROWS = "has columns but no rows"
_INTEGER = r"[+-]?\d{1,310}"  # longer ones exceed float64's range, and are refused as infinite
_ROWS_OF_A_PART = 65536
_UNPACKED = "the table, unpacked,"
_MOST_COLUMNS = 100_000  # pandas needs 0.2 ms and 5 kB for each


def read_csv(*, path: str, target: str, missing: MissingRule = "error", exact_labels: bool = True) -> Dataset:
    """Read the CSV table at ``path``: UTF-8, a header line, then rows, with commas between values.

    Compressed files are recognised by their ending: ``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``. Missing
    values are what pandas reads as missing (nothing, ``NA``, ``nan``, ``null`` ...). Classes stay the texts
    of the file if they would merge as numbers (``7`` and ``07``) or have leading zeros. A word such as ``NA``
    is a class if the other classes are words, but missing with ``missing="drop"``. Without ``exact_labels``
    classes are parsed like any other column.

    Raises
    ------
    InputError
        If the file is not such a table, or the table cannot be used as a data set.
    """
    source = f"data.path={path}"
    text = read_table_text(existing_file(path, "data.path"), source)
    table = _csv_table(text, source)
    notes: list[str] = []
    if exact_labels and target in table.columns:
        column, notes = labels_as_written(
            table[target],
            lambda: _column_as_text(text, source, target),
            f"data.target={target}",
            words=missing != "drop",
        )
        if column is not table[target]:
            table[target] = column
    for name in table.columns.drop(target, errors="ignore"):
        if table[name].dtype.kind == "f" and (table[name].abs() >= 2.0**53).any():
            # pandas parses integers as floats if one is missing or needs more than 64 bits.
            texts = _column_as_text(text, source, name)
            notes += merged_integers(
                name, [int(each) for each in texts if re.fullmatch(_INTEGER, each)], source
            )
    return _dataset("csv", table, target, missing, source, notes)


def _csv_table(text: bytearray, source: str, understood: Collection[str] | None = None) -> "pandas.DataFrame":
    """Parse the table; values of columns that are not ``understood`` stay the texts of the file."""
    _check_width(_header_width(text, source), source)  # pandas would take minutes for a million columns
    # pandas renames duplicate and nameless columns, so names are checked as they are in the file.
    header = _parse(text, source, header=None, nrows=1, dtype=object, keep_default_na=False)
    columns = header.iloc[0].tolist()
    check_names(columns, source)
    # Short rows are filled up, so the text can be much smaller than the table.
    check_size(source, max(text.count(b"\n"), text.count(b"\r")), len(columns))
    texts = {} if understood is None else {name: "str" for name in columns if name not in understood}
    # The copy puts columns of the same type together; without it, access by column is slow.
    return _parse(text, source, index_col=False, low_memory=False, dtype=texts).copy()


def _column_as_text(text: bytearray, source: str, name: str) -> "pandas.Series[str]":
    """Return a column as the texts of the file, "" where there is nothing."""
    table = _parse(text, source, index_col=False, usecols=[name], dtype="str", na_filter=False)
    column: pandas.Series[str] = table[name].fillna("")
    return column


def _header_width(text: bytearray, source: str) -> int:
    """Return the number of columns in the header by the csv module, reliable for this only but faster."""
    beginning = io.BytesIO(memoryview(text)[:LONGEST_HEADER])
    lines = io.TextIOWrapper(beginning, "utf-8-sig", errors="replace", newline="")
    try:
        # pandas also skips lines that hold only spaces.
        return next((len(row) for row in csv.reader(lines) if len(row) > 1 or "".join(row).strip()), 0)
    except csv.Error as error:
        raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None


def _parse(text: bytearray, source: str, **options: Any) -> "pandas.DataFrame":
    import pandas

    try:
        with warnings.catch_warnings():
            # pandas would cut off rows that are longer than the header, with only a warning.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            table: pandas.DataFrame = pandas.read_csv(io.BytesIO(text), **options)
    except pandas.errors.EmptyDataError:
        raise InputError(f"{source}: is empty; needs a header line and rows") from None
    except pandas.errors.ParserWarning:
        raise InputError(f"{source}: has rows with more values than the header has columns") from None
    except UnicodeDecodeError:
        raise InputError(f"{source}: is no UTF-8 text") from None
    except MemoryError:
        raise
    except Exception as error:  # pandas does not document which errors it raises
        if "out of memory" in str(error):
            raise MemoryError from None
        raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None
    return table


def read_parquet(
    *, path: str, target: str, missing: MissingRule = "error", exact_labels: bool = True
) -> Dataset:
    """Read the Parquet table at ``path``; ``InputError`` if it is none, or cannot be used as a data set.

    Without ``exact_labels`` classes are read like any other column.
    """
    source, notes = f"data.path={path}", list[str]()
    rows = parquet_rows(existing_file(path, "data.path"), source)
    table = _as_frame(rows, source, target if exact_labels else None)
    if target not in table.columns and target in table.index.names:
        table = table.reset_index(level=target)
    if exact_labels and (dates := _make_text_of_dates(table, rows)):
        notes.append(dates_note(source, listed(dates), len(dates)))
    if not exact_labels:  # version 1 read a float32 as the number itself, not as its decimals
        short = {
            name: "float64" for name, kind in table.dtypes.items() if str(kind) in ("float16", "float32")
        }
        table = table.astype(short)
    return _dataset("parquet", table, target, missing, source, notes)


def dataset_of_rows(
    rows: "pyarrow.Table", *, name: str, target: str, missing: MissingRule, source: str
) -> Dataset:
    """Return a table in memory as a data set, as its Parquet file would be read.

    Parameters
    ----------
    name
        The name of the data set.
    source
        What error messages start with.

    Raises
    ------
    InputError
        If it cannot be used as a data set.
    """
    return _dataset(name, _as_frame(rows, source, target), target, missing, source, [])


def parquet_rows(file: Path, source: str) -> "pyarrow.Table":
    """Read the table at ``file``, its texts encoded as dictionaries.

    Raises
    ------
    InputError
        If it is none, or too large; the message starts with ``source``.
    """
    import pyarrow.parquet

    try:
        # Unlike pandas.read_parquet, this reads duplicate names too, so that the error can list them.
        with pyarrow.parquet.ParquetFile(file) as parquet:
            texts = _check_parquet(parquet.metadata, parquet.schema_arrow, source)
            sizes = page_sizes(file)
            check_bytes(source, sizes.total, _UNPACKED)
        if sizes.repeats:  # Arrow reads no dictionary from this encoding
            rows = _read_in_parts(file, sizes.largest * max(1, len(texts)), source)
        else:
            # As in the file, a text that many rows have is stored once; a copy per row could need any memory.
            with pyarrow.parquet.ParquetFile(file, read_dictionary=texts) as parquet:
                rows = parquet.read()
        rows = rows.replace_schema_metadata(_with_texts_as_names(rows.schema, source))
        rows.validate(full=True)  # Arrow trusts the file's claims, such as that a text is UTF-8
    except (InputError, MemoryError):
        raise
    except Exception as error:  # Arrow does not document which errors it raises
        raise InputError(f"{source}: is no Parquet table: {first_line(error)}") from None
    return rows


def _make_text_of_dates(table: "pandas.DataFrame", rows: "pyarrow.Table") -> list[str]:
    """Make the dates of a table the texts that they are in a CSV file; return the names of their columns."""
    dates = [field.name for field in rows.schema if holds_dates(field.type) and field.name in table.columns]
    for name in dates:
        table[name] = dates_as_text(table[name])
    return dates


def _as_frame(rows: "pyarrow.Table", source: str, integers: str | None) -> "pandas.DataFrame":
    import pandas
    import pyarrow

    try:
        table: pandas.DataFrame = rows.to_pandas()
        if integers in rows.column_names and rows[integers].null_count:
            kind = rows[integers].type
            if pyarrow.types.is_integer(kind):
                whole = "UInt64" if pyarrow.types.is_unsigned_integer(kind) else "Int64"
                values: Any = pandas.array(rows[integers].to_pylist(), dtype=whole)
                table[integers] = pandas.Series(values, index=table.index)
    except MemoryError:
        raise
    except Exception as error:  # nor does pandas
        raise InputError(f"{source}: is no Parquet table: {first_line(error)}") from None
    return table


def _read_in_parts(file: Path, longest: int, source: str) -> Any:
    """Read the rows in batches so small that they fit into memory if each row takes ``longest`` bytes."""
    import pyarrow.parquet

    parts, size = [], 0
    with pyarrow.parquet.ParquetFile(file) as parquet:
        for part in parquet.iter_batches(batch_size=max(1, min(_ROWS_OF_A_PART, most_bytes() // longest))):
            parts.append(part)
            size += part.nbytes
            check_bytes(source, size, _UNPACKED)
        return pyarrow.Table.from_batches(parts, parquet.schema_arrow)


def _with_texts_as_names(schema: Any, source: str) -> dict[bytes, bytes]:
    """Return a table's metadata, changed so that pandas keeps column names as texts, not numbers or dates.

    Raises
    ------
    InputError
        If the columns of the saved data frame had names of several rows, which the file joins to one text.
    """
    metadata: dict[bytes, bytes] = dict(schema.metadata or {})
    try:
        described = json.loads(metadata[b"pandas"])
        rows = len(described["column_indexes"])
    except (KeyError, TypeError, ValueError):  # not written by pandas
        return metadata
    if rows > 1:
        raise InputError(
            f"{source}: column {quoted(schema.names[0])} has a name of {rows} rows; save it with names of "
            "one row: table.columns = ['_'.join(map(str, names)) for names in table.columns]"
        )
    described["column_indexes"] = []
    return {**metadata, b"pandas": json.dumps(described).encode()}


def read_rows(
    path: str, understood: Collection[str], target: str | None = None, classes: Collection[str] = ()
) -> "pandas.DataFrame":
    """Read rows to be classified from the table at ``path``; it needs no target and may have other columns.

    A file whose name ends in ``.parquet`` is read as Parquet, any other as CSV. In a CSV file the columns
    ``understood`` are parsed as numbers and booleans; the others stay texts, so that ``007`` does not become
    7. In the column ``target`` a word such as ``NA`` is not missing if it is one of the ``classes``.

    Raises
    ------
    InputError
        If the file is not such a table, or has no rows.
    """
    source = f"data.path={path}"
    with within_memory(source):
        table = _rows(existing_file(path, "data.path"), source, understood, target, classes)
    if len(table) == 0:
        raise InputError(f"{source}: {_NO_ROWS}")
    return table


def _rows(
    file: Path, source: str, understood: Collection[str], target: str | None, classes: Collection[str]
) -> "pandas.DataFrame":
    if file.suffix.lower() == ".parquet":
        rows = parquet_rows(file, source)
        table = _as_frame(rows, source, None)
        _make_text_of_dates(table, rows)
        # pandas stores the index in the file. A named index becomes a column, unless the name is taken.
        names = table.index.names
        left = [place for place, name in enumerate(names) if name is None or name in table.columns]
        table = table.reset_index(level=left, drop=True)
        table = table.reset_index() if len(left) < len(names) else table
    else:
        text = read_table_text(file, source)
        table = _csv_table(text, source, understood)
        if target in table.columns and target not in understood and table[target].isna().any():
            texts = _column_as_text(text, source, str(target))
            table[target] = texts.where(table[target].notna() | texts.isin(list(classes)))
    return table


def _check_parquet(metadata: Any, schema: Any, source: str) -> list[str]:
    """Refuse a file that is too large or not a table, before reading it; return its text columns."""
    from pyarrow import types

    check_names(schema.names, source)
    check_size(source, metadata.num_rows, metadata.num_columns)
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    check_bytes(source, sum(group.total_byte_size for group in groups), _UNPACKED)
    for column in schema:
        if types.is_nested(column.type) or types.is_fixed_size_binary(column.type):
            raise InputError(
                f"{source}: column {quoted(column.name)} holds {shortened(column.type)} values; "
                "a table needs numbers, strings, booleans or categories"
            )
    texts = (types.is_string, types.is_large_string, types.is_binary)
    return [each.name for each in schema if any(is_text(each.type) for is_text in texts)]


def _dataset(
    source_name: str,
    table: "pandas.DataFrame",
    target: str,
    missing: MissingRule,
    source: str,
    notes: Sequence[str],
) -> Dataset:
    columns = table.columns.tolist()
    if target not in columns:
        raise InputError(f"data.target={target}: there is no such column; the columns are {listed(columns)}")
    if len(columns) == 1:
        raise InputError(f"{source}: has no column beside the target {target!r}; needs at least one feature")
    if len(table) == 0:
        raise InputError(f"{source}: {_NO_ROWS}")
    features = table.drop(columns=target)
    numeric = set(features.columns) - categorical_columns(features, source)
    check_missing(dict(zip(columns, table.isna().sum().tolist(), strict=True)), numeric, missing, source)
    if missing == "drop":
        table = table.dropna()
        if table.empty:
            raise InputError(f"{source}: {NOTHING_LEFT}")
        features = table.drop(columns=target)
    labels, class_names = _encode_labels(table[target], f"data.target={target}")
    encoding = TableEncoding.fit(features, source)
    return Dataset(
        source_name,
        encoding.encode(features, source),
        labels,
        class_names,
        encoding.feature_names,
        fill_missing=missing == "mean",
        encoding=encoding,
        notes=(
            *notes,
            *_integer_notes(features, source),
            *alike_classes(class_names, f"data.target={target}"),
        ),
    )


def _integer_notes(features: "pandas.DataFrame", source: str) -> list[str]:
    notes: list[str] = []
    for name, dtype in features.dtypes.items():
        if dtype.kind not in "iu":
            continue
        values = features[name].dropna()
        if len(values) and (values.max() >= 2**53 or values.min() <= -(2**53)):
            notes += merged_integers(str(name), values.unique().tolist(), source)
    return notes


def _check_width(columns: int, source: str) -> None:
    if columns > _MOST_COLUMNS:
        raise InputError(f"{source}: has {columns} columns, more than {_MOST_COLUMNS}; save them as .npz")


def check_names(columns: Sequence[str], source: str) -> None:
    """Raise ``InputError`` if there are too many columns, two of one name, or one without a name."""
    _check_width(len(columns), source)
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(f"{source}: has more than one column named {listed(twice)}; give each its own name")
    if "" in columns:
        # Mostly row numbers, saved by DataFrame.to_csv without index=False: if the rows are sorted by
        # class, such a feature would reveal it.
        raise InputError(f"{source}: column {columns.index('') + 1} has no name; give it one, or remove it")


def _encode_labels(column: "pandas.Series[Any]", source: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the index of each row's class, and the classes' names, for a column of any pandas dtype."""
    try:
        codes, values = column.factorize()
    except TypeError:  # lists and other values that cannot be hashed
        kind = type(column.iloc[0]).__name__
        raise InputError(f"{source}: holds {kind} values; needs integers or strings") from None
    found = values.tolist()
    # In NumPy's fixed-width strings each would take as much memory as the longest.
    strings = all(isinstance(value, str) for value in found)
    labels, names = encode_labels(np.array(found, np.dtypes.StringDType() if strings else None), source)
    return labels[codes], names
