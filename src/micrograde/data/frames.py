"""Data frames and arrays that Python gives, as one plain table of a few types, whatever library made them.

The values are those that the same table has as CSV: a float32 is the number that its shortest decimals write,
a date is the text of them, a category is its value. So the frame and its CSV are the same data set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.arrays import feature_names
from micrograde.data.memory import check_size, within_memory
from micrograde.data.messages import first_line, listed, shortened
from micrograde.data.pandas_columns import arrow_of_series
from micrograde.data.plain_columns import plain_column
from micrograde.data.plain_tables import check_names

if TYPE_CHECKING:
    import pandas
    import pyarrow

SOURCE = "frame"
"""What messages call the data."""

_LABELS = "y"


@dataclass(frozen=True, eq=False)
class GivenTable:
    """A table as it is kept.

    Attributes
    ----------
    rows
        Columns of float64 (NaN where missing), int64, uint64, bool and large_string, named by texts.
    targets
        The columns with what is to be learned.
    notes
        What was left out, a line each.
    """

    rows: "pyarrow.Table"
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()


def is_data(given: object) -> bool:
    """Return whether an object is meant as data: neither a text, nor a list of texts, nor a single value.

    What is meant so need not be usable.
    """
    if given is None or isinstance(given, str | bytes | int | float | complex):
        return False
    if isinstance(given, Mapping):
        return True
    if isinstance(given, list | tuple):
        return bool(given) and not any(isinstance(each, str | bytes) for each in given)
    ways = ("__arrow_c_stream__", "__arrow_c_array__", "__array__", "__dataframe__", "toarray", "collect")
    return any(hasattr(given, way) for way in ways)


def table_with_target(given: object, *targets: object) -> GivenTable:
    """Return a frame as a table whose columns ``targets`` are to be learned; a named index may be one.

    Raises
    ------
    InputError
        If it is no table, has no such columns or names twice, or a column holds values of another kind.
    """
    names = tuple(map(str, targets))
    with within_memory(SOURCE):
        columns, notes = _columns(given, SOURCE, wanted=names)
        for name in names:
            if name not in columns:
                raise InputError(f"target={name}: there is no such column; the columns are {listed(columns)}")
        return GivenTable(_table(columns), names, notes)


def table_with_labels(given: object, labels: object) -> GivenTable:
    """Return features and their labels, a frame or an array each, as a table; its last columns are labels.

    They are named as the labels are, or ``y``; of an array of K numbers a row ``y_0``, ``y_1`` and so on.

    Raises
    ------
    InputError
        As ``table_with_target`` does, and if the labels are not one for each row.
    """
    with within_memory(SOURCE):
        columns, notes = _columns(given, "X")
        rows = len(next(iter(columns.values())))
        targets = []
        for name, values in _labels(labels).items():
            if len(values) != rows:
                raise InputError(f"y: has {len(values)} labels for {rows} rows of X")
            while name in columns:
                name = f"{name}_"
            columns[name] = values
            targets.append(name)
        return GivenTable(_table(columns), tuple(targets), notes)


def _table(columns: "Mapping[str, pyarrow.Array]") -> "pyarrow.Table":
    import pyarrow as pa

    return pa.table(dict(columns))


def _columns(
    given: object, what: str, wanted: Sequence[str] = ()
) -> "tuple[dict[str, pyarrow.Array], tuple[str, ...]]":
    """Return the columns of a frame or an array by name, and notes; a ``wanted`` index becomes one."""
    import pandas as pd

    refuse_what_is_no_table(given, what)
    if isinstance(given, pd.Series):
        given = given.to_frame()
    notes: tuple[str, ...] = ()
    if isinstance(given, pd.DataFrame):
        given, notes = _without_index(given, what, wanted)
        found = _of_pandas(given, what)
    elif hasattr(given, "__arrow_c_stream__"):
        found = _of_arrow(given, what)
    else:
        found = _of_array(given, what)
    if not found:
        raise InputError(f"{what}: has no columns; needs at least one feature")
    if len(next(iter(found.values()))) == 0:
        raise InputError(f"{what}: has columns but no rows")
    return {name: plain_column(column, name, what) for name, column in found.items()}, notes


def refuse_what_is_no_table(given: object, what: str = SOURCE) -> None:
    """Raise ``InputError`` for data without rows of columns, such as a sparse matrix or a lazy frame."""
    kind = type(given).__name__
    if hasattr(given, "toarray") and hasattr(given, "nnz"):
        raise InputError(f"{what}: is sparse ({kind}); give its dense form: .toarray()")
    if not hasattr(given, "__arrow_c_stream__") and callable(getattr(given, "collect", None)):
        raise InputError(f"{what}: is a {kind}, which has no rows yet; give what .collect() returns")
    if isinstance(given, Mapping):
        raise InputError(f"{what}: is a {kind}; give a table: pandas.DataFrame(...)")


def _without_index(
    frame: "pandas.DataFrame", what: str, wanted: Sequence[str]
) -> "tuple[pandas.DataFrame, tuple[str, ...]]":
    if frame.columns.nlevels > 1:
        raise InputError(
            f"{what}: its columns have names of {frame.columns.nlevels} rows; give names of one row: "
            "frame.columns = ['_'.join(map(str, names)) for names in frame.columns]"
        )
    names = [name for name in frame.index.names if name is not None]
    for each in wanted:
        of_index = [name for name in names if str(name) == each]
        if of_index and each not in set(map(str, frame.columns)):
            frame = frame.reset_index(level=of_index[0])
            names.remove(of_index[0])
    if not names:
        return frame, ()
    there = set(map(str, frame.columns))
    free = not any(str(name) in there for name in names)
    how = "; frame.reset_index() makes it a column" if free else ""
    return frame, (f"{what}: the index {listed(names)} is left out{how}",)


def _of_pandas(frame: "pandas.DataFrame", what: str) -> "dict[str, pyarrow.ChunkedArray]":
    import pandas as pd

    nameless = [pd.api.types.is_scalar(name) and pd.isna(name) for name in frame.columns]
    names = ["" if lacks else str(name) for name, lacks in zip(frame.columns, nameless, strict=True)]
    _check_shape(names, len(frame), what)
    return {name: arrow_of_series(frame.iloc[:, place], name, what) for place, name in enumerate(names)}


def _of_arrow(given: object, what: str) -> "dict[str, pyarrow.ChunkedArray]":
    import pyarrow as pa

    try:
        table = pa.table(given)
    except Exception as error:  # of whichever library the stream is
        raise InputError(f"{what}: cannot be read as a table: {first_line(error)}") from None
    _check_shape(table.column_names, table.num_rows, what)
    return dict(zip(table.column_names, table.columns, strict=True))


def _of_array(given: object, what: str) -> "dict[str, pyarrow.ChunkedArray]":
    """Return the columns of an array of rows, named as ``data=npz`` names them."""
    import pandas as pd
    import pyarrow as pa

    array = _as_array(given, what)
    if array.dtype.names:
        return _of_pandas(pd.DataFrame(array), what)
    if array.ndim < 2:
        raise InputError(f"{what}: has the shape {array.shape}; needs (rows, features)")
    names = list(feature_names(array.shape[1:]))
    check_size(what, len(array), len(names))
    flat = array.reshape(len(array), len(names))
    if array.dtype.kind not in "biuf":
        return _of_pandas(pd.DataFrame(flat, columns=names).infer_objects(), what)
    with np.errstate(over="ignore", invalid="ignore"):  # long doubles; what is infinite is refused later
        columns = np.ascontiguousarray(flat.T, np.float64)
    return {name: pa.chunked_array([column]) for name, column in zip(names, columns, strict=True)}


def _as_array(given: object, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except Exception as error:  # rows of different lengths, an array on another device
        raise InputError(f"{what}: cannot be read as an array: {first_line(error)}") from None
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        if array.dtype.kind not in "biuf":
            raise InputError(f"{what}: is a masked array of {shortened(array.dtype)}; fill it: .filled(...)")
        array = np.ma.filled(given.astype(np.float64), np.nan)
    return array


def _labels(given: object) -> "dict[str, pyarrow.Array]":
    """Return the columns of labels by name: one, or several of numbers."""
    import pandas as pd
    import pyarrow as pa

    what = _LABELS
    if given is None or isinstance(given, str | bytes | Mapping):
        raise InputError(f"y: is a {type(given).__name__}; needs one label a row, as an array or a column")
    if isinstance(given, pd.DataFrame) or hasattr(given, "column_names") or hasattr(given, "columns"):
        return _columns(given, what)[0]
    if isinstance(given, pd.Series):
        name = what if given.name is None else str(given.name)
        return {name or what: plain_column(arrow_of_series(given, name, what), name, what)}
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__arrow_c_array__"):
        name = str(getattr(given, "name", None) or what)
        try:
            column = pa.chunked_array([given] if isinstance(given, pa.Array) else given)
        except Exception as error:  # of whichever library the column is
            raise InputError(f"y: cannot be read as a column: {first_line(error)}") from None
        return {name: plain_column(column, name, what)}
    array = _as_array(given, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.shape[1] and array.dtype.kind in "biuf" and not _are_one_hot(array):
        names = [f"{what}_{place}" for place in range(array.shape[1])]
        return _columns(pd.DataFrame(array, columns=names), what)[0]
    if array.ndim != 1:
        are_numbers = array.ndim == 2 and array.size and array.dtype.kind in "biuf"
        advice = "; of one-hot rows give y.argmax(axis=1)" if are_numbers else ""
        raise InputError(f"y: has the shape {array.shape}; needs one label a row{advice}")
    column = pd.Series(array.tolist() if array.dtype.kind in "U" else array)
    return {what: plain_column(arrow_of_series(column, what, what), what, what)}


def _are_one_hot(rows: NDArray[Any]) -> bool:
    """Return whether each of the rows (n, K) has one 1, and 0 elsewhere."""
    return bool((((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)).all())


def _check_shape(names: Sequence[str], rows: int, what: str) -> None:
    check_names(names, what)
    check_size(what, rows, len(names))
