"""CSV and Parquet tables: a row is a sample, one column is the target, the others are features."""

import csv
import io
import json
import re
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.as_written import alike_classes, labels_as_written, merged_integers
from micrograde.data.dataset import Dataset
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

_NO_ROWS = "has columns but no rows"
_INTEGER = r"[+-]?\d{1,310}"  # longer ones are beyond float64, and refused as infinite
_ROWS_OF_A_PART = 65536
_UNPACKED = "the table, unpacked,"
_MOST_COLUMNS = 100_000  # pandas takes a fifth of a millisecond and 5 kB for each


def read_csv(*, path: str, target: str, missing: MissingRule = "error") -> Dataset:
    """The CSV table at ``path``: a header line, then rows, separated by commas, UTF-8.

    Compressed files are recognised by their ending: ``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``. The
    texts that stand for a missing value are pandas' (nothing, ``NA``, ``nan``, ``null`` ...). Classes are the
    texts of the file where they would merge as numbers (``7`` and ``07``), have leading zeros, or are such a
    word beside other words; with ``missing="drop"`` the words are missing all the same.

    Raises
    ------
    InputError
        The file is no such table, or what it holds is no data set.
    """
    return _read_csv(path, target, missing, exact_labels=True)


def _read_csv(path: str, target: str, missing: MissingRule = "error", *, exact_labels: bool) -> Dataset:
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
            # Integers one of which is missing, or larger than 64 bits, are floats by now.
            texts = _column_as_text(text, source, name)
            notes += merged_integers(
                name, [int(each) for each in texts if re.fullmatch(_INTEGER, each)], source
            )
    return _dataset("csv", table, target, missing, source, notes)


def _csv_table(text: bytearray, source: str, understood: Collection[str] | None = None) -> "pandas.DataFrame":
    """The table; values of columns that are not ``understood`` stay texts, as they stand in the file."""
    _check_width(_header_width(text, source), source)  # pandas would take minutes for a million columns
    # pandas renames duplicates and nameless columns, so the names are looked at as they stand in the file.
    header = _parse(text, source, header=None, nrows=1, dtype=object, keep_default_na=False)
    columns = header.iloc[0].tolist()
    _check_names(columns, source)
    # Short rows are filled up, so the text can be much smaller than the table.
    check_size(source, max(text.count(b"\n"), text.count(b"\r")), len(columns))
    texts = {} if understood is None else {name: "str" for name in columns if name not in understood}
    # The copy puts the columns of a type together, without which all is slow by the column.
    return _parse(text, source, index_col=False, low_memory=False, dtype=texts).copy()


def _column_as_text(text: bytearray, source: str, name: str) -> "pandas.Series[str]":
    """A column as it stands in the file, "" where there is nothing."""
    table = _parse(text, source, index_col=False, usecols=[name], dtype="str", na_filter=False)
    column: pandas.Series[str] = table[name].fillna("")
    return column


def _header_width(text: bytearray, source: str) -> int:
    """How many columns the header has, by a quicker reader, which knows no more than that reliably."""
    beginning = io.BytesIO(memoryview(text)[:LONGEST_HEADER])
    lines = io.TextIOWrapper(beginning, "utf-8-sig", errors="replace", newline="")
    try:
        # pandas passes over lines of nothing but space, too.
        return next((len(row) for row in csv.reader(lines) if len(row) > 1 or "".join(row).strip()), 0)
    except csv.Error as error:
        raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None


def _parse(text: bytearray, source: str, **options: Any) -> "pandas.DataFrame":
    import pandas

    try:
        with warnings.catch_warnings():
            # Rows longer than the header; pandas would cut them off with no more than a warning.
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
    except Exception as error:  # pandas documents none of them
        if "out of memory" in str(error):
            raise MemoryError from None
        raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None
    return table


def read_parquet(*, path: str, target: str, missing: MissingRule = "error") -> Dataset:
    """The Parquet table at ``path``. Raises ``InputError`` if there is none, or no data set in it."""
    return _read_parquet(path, target, missing, exact_labels=True)


def _read_parquet(path: str, target: str, missing: MissingRule = "error", *, exact_labels: bool) -> Dataset:
    source = f"data.path={path}"
    table = _parquet_table(existing_file(path, "data.path"), source, target if exact_labels else None)
    if target not in table.columns and target in table.index.names:
        table = table.reset_index(level=target)
    return _dataset("parquet", table, target, missing, source, [])


def _parquet_table(file: Path, source: str, integers: str | None = None) -> "pandas.DataFrame":
    """The table; if the column ``integers`` holds some, they stay so where one is missing."""
    import pandas
    import pyarrow.parquet

    try:
        # Unlike pandas.read_parquet, this reads duplicate names too, so that they can be named.
        with pyarrow.parquet.ParquetFile(file) as parquet:
            texts = _check_parquet(parquet.metadata, parquet.schema_arrow, source)
            sizes = page_sizes(file)
            check_bytes(source, sizes.total, _UNPACKED)
        if sizes.repeats:  # of which Arrow makes no dictionary
            rows = _read_in_parts(file, sizes.largest * max(1, len(texts)), source)
        else:
            # A text that many rows have is kept once, as in the file: for each row it could take any memory.
            with pyarrow.parquet.ParquetFile(file, read_dictionary=texts) as parquet:
                rows = parquet.read()
        rows = rows.replace_schema_metadata(_with_texts_as_names(rows.schema, source))
        rows.validate(full=True)  # Arrow believes what a file says of itself, such as that a text is UTF-8
        table: pandas.DataFrame = rows.to_pandas()
        if integers in rows.column_names and rows[integers].null_count:
            kind = rows[integers].type
            if pyarrow.types.is_integer(kind):
                whole = "UInt64" if pyarrow.types.is_unsigned_integer(kind) else "Int64"
                values: Any = pandas.array(rows[integers].to_pylist(), dtype=whole)
                table[integers] = pandas.Series(values, index=table.index)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # Arrow and pandas document none of them
        raise InputError(f"{source}: is no Parquet table: {first_line(error)}") from None
    return table


def _read_in_parts(file: Path, longest: int, source: str) -> Any:
    """The rows, some at a time: the texts of each may take ``longest`` bytes, whatever a page takes."""
    import pyarrow.parquet

    parts, size = [], 0
    with pyarrow.parquet.ParquetFile(file) as parquet:
        for part in parquet.iter_batches(batch_size=max(1, min(_ROWS_OF_A_PART, most_bytes() // longest))):
            parts.append(part)
            size += part.nbytes
            check_bytes(source, size, _UNPACKED)
        return pyarrow.Table.from_batches(parts, parquet.schema_arrow)


READERS_OF_VERSION_1 = {
    "csv": partial(_read_csv, exact_labels=False),
    "parquet": partial(_read_parquet, exact_labels=False),
}
"""How recipes of version 1 read tables: numbers are numbers, and words for missing values missing, in every
column. Of a table in which neither loses a class the data set is the same."""


def _with_texts_as_names(schema: Any, source: str) -> dict[bytes, bytes]:
    """A table's metadata, by which pandas makes no numbers or dates of the names that the file has.

    Raises
    ------
    InputError
        If the columns of the data frame were named by several rows, of which the file makes one text.
    """
    metadata: dict[bytes, bytes] = dict(schema.metadata or {})
    try:
        told = json.loads(metadata[b"pandas"])
        rows = len(told["column_indexes"])
    except (KeyError, TypeError, ValueError):  # written by something else
        return metadata
    if rows > 1:
        raise InputError(
            f"{source}: column {quoted(schema.names[0])} has a name of {rows} rows; save it with names of "
            "one row: table.columns = ['_'.join(map(str, names)) for names in table.columns]"
        )
    told["column_indexes"] = []
    return {**metadata, b"pandas": json.dumps(told).encode()}


def read_rows(
    path: str, understood: Collection[str], target: str | None = None, classes: Collection[str] = ()
) -> "pandas.DataFrame":
    """The rows of the table at ``path``, to be classified: it needs no target, and may have other columns.

    A file whose name ends in ``.parquet`` is one; any other is CSV, of which the columns ``understood`` are
    read as numbers and truth values. The others stay the texts that they are: ``007`` is no 7. In the column
    ``target`` words that stand for a missing value do not if they are one of the ``classes``.

    Raises
    ------
    InputError
        The file is no such table, or has no rows.
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
        table = _parquet_table(file, source)
        # pandas keeps an index in the file; one with a name is a column, unless there is such a column.
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
    """Refuse, before anything is read, what is too large or no table; the names of the columns of text."""
    from pyarrow import types

    _check_names(schema.names, source)
    check_size(source, metadata.num_rows, metadata.num_columns)
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    check_bytes(source, sum(group.total_byte_size for group in groups), _UNPACKED)
    for column in schema:
        if types.is_nested(column.type) or types.is_fixed_size_binary(column.type):
            raise InputError(
                f"{source}: column {quoted(column.name)} holds {shortened(column.type)} values; "
                "a table needs numbers, strings, booleans or categories"
            )
    return [each.name for each in schema if types.is_string(each.type) or types.is_binary(each.type)]


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


def _check_names(columns: Sequence[str], source: str) -> None:
    _check_width(len(columns), source)
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(f"{source}: has more than one column named {listed(twice)}; give each its own name")
    if "" in columns:
        # Mostly row numbers, saved by DataFrame.to_csv without index=False: as a feature they would give
        # the class away wherever the rows are sorted.
        raise InputError(f"{source}: column {columns.index('') + 1} has no name; give it one, or remove it")


def _encode_labels(column: "pandas.Series[Any]", source: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The index of each row's class, and the classes' names, whatever pandas keeps the column in."""
    try:
        codes, values = column.factorize()
    except TypeError:  # lists and the like, which cannot be told apart by a hash
        kind = type(column.iloc[0]).__name__
        raise InputError(f"{source}: holds {kind} values; needs integers or strings") from None
    found = values.tolist()
    # NumPy's usual strings all take as much as the longest.
    strings = all(isinstance(value, str) for value in found)
    labels, names = encode_labels(np.array(found, np.dtypes.StringDType() if strings else None), source)
    return labels[codes], names
