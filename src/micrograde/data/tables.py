"""CSV and Parquet tables: a row is a sample, one column is the target, the others are features."""

import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.data.dataset import Dataset
from micrograde.data.encoding import TableEncoding, is_categorical
from micrograde.data.files import existing_file
from micrograde.data.labels import encode_labels
from micrograde.data.messages import first_line, listed
from micrograde.data.missing import NOTHING_LEFT, MissingRule, check_missing
from micrograde.errors import InputError

if TYPE_CHECKING:
    import pandas


def read_csv(*, path: str, target: str, missing: MissingRule = "error") -> Dataset:
    """The CSV table at ``path``: a header line, then rows, separated by commas, UTF-8.

    Compressed files are recognised by their ending, as pandas does, and so are the texts that
    stand for a missing value (nothing, ``NA``, ``nan``, ``null`` ...).

    Raises
    ------
    InputError
        The file is no such table, or what it holds is no data set.
    """
    import pandas

    file = existing_file(path, "data.path")
    source = f"data.path={path}"
    try:
        with warnings.catch_warnings():
            # Rows longer than the header; pandas would cut them off with no more than a warning.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            header = pandas.read_csv(file, header=None, nrows=1, dtype=str, keep_default_na=False)
            table = pandas.read_csv(file, index_col=False, low_memory=False)
    except pandas.errors.EmptyDataError:
        raise InputError(f"{source}: is empty; needs a header line and rows") from None
    except pandas.errors.ParserWarning:
        raise InputError(f"{source}: has rows with more values than the header has columns") from None
    except UnicodeDecodeError:
        raise InputError(f"{source}: is no UTF-8 text") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None
    # pandas renames duplicates and nameless columns, so the names are looked at as they stand in the file.
    _check_names(header.iloc[0].tolist(), source)
    return _dataset("csv", table, target, missing, source)


def read_parquet(*, path: str, target: str, missing: MissingRule = "error") -> Dataset:
    """The Parquet table at ``path``. Raises ``InputError`` if there is none, or no data set in it."""
    import pyarrow.parquet

    file = existing_file(path, "data.path")
    source = f"data.path={path}"
    try:
        # Unlike pandas.read_parquet, this reads duplicate names too, so that they can be named.
        with pyarrow.parquet.ParquetFile(file) as parquet:
            table = parquet.read().to_pandas()
    except (ValueError, OSError, NotImplementedError) as error:
        raise InputError(f"{source}: is no Parquet table: {first_line(error)}") from None
    _check_names(table.columns.tolist(), source)
    return _dataset("parquet", table, target, missing, source)


def _dataset(
    source_name: str, table: "pandas.DataFrame", target: str, missing: MissingRule, source: str
) -> Dataset:
    columns = table.columns.tolist()
    if target not in columns:
        raise InputError(f"data.target={target}: there is no such column; the columns are {listed(columns)}")
    if len(columns) == 1:
        raise InputError(f"{source}: has no column beside the target {target!r}; needs at least one feature")
    if len(table) == 0:
        raise InputError(f"{source}: has columns but no rows")
    numeric = {name for name in columns if name != target and not is_categorical(table[name], source)}
    check_missing({name: int(table[name].isna().sum()) for name in columns}, numeric, missing, source)
    if missing == "drop":
        table = table.dropna()
        if table.empty:
            raise InputError(f"{source}: {NOTHING_LEFT}")
    features = table.drop(columns=target)
    labels, class_names = encode_labels(_label_values(table[target], target), f"data.target={target}")
    encoding = TableEncoding.fit(features, source)
    return Dataset(
        source_name,
        encoding.encode(features, source),
        labels,
        class_names,
        encoding.feature_names,
        fill_missing=missing == "mean",
        encoding=encoding,
    )


def _check_names(columns: Sequence[str], source: str) -> None:
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(f"{source}: has more than one column named {listed(twice)}")
    if "" in columns:
        # Mostly row numbers, saved by DataFrame.to_csv without index=False: as a feature they would give
        # the class away wherever the rows are sorted.
        raise InputError(f"{source}: column {columns.index('') + 1} has no name; give it one, or remove it")


def _label_values(column: "pandas.Series[Any]", target: str) -> NDArray[Any]:
    """The target column as an array of numbers or strings, whatever pandas keeps it in."""
    from pandas.api import types

    values = column.tolist()
    if not all(types.is_scalar(value) for value in values):
        raise InputError(
            f"data.target={target}: holds {type(values[0]).__name__} values; needs integers or strings"
        )
    return np.array(values)
