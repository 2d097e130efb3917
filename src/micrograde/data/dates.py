"""Dates as the texts that a CSV file has of them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import pyarrow


def holds_dates(kind: "pyarrow.DataType") -> bool:
    """Return whether values of a type of Arrow are dates, with or without a time of day."""
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_date(kind) or types.is_timestamp(kind))


def dates_as_text(dates: "pandas.Series[Any]") -> "pandas.Series[Any]":
    """Return dates as ``DataFrame.to_csv`` writes them: without the time if it is midnight in all rows.

    Of a time zone, the wall clock's time is taken. What is missing is None.
    """
    if hasattr(dates, "cat"):
        dates = dates.astype(dates.cat.categories.dtype)
    if getattr(dates.dtype, "tz", None) is not None:
        dates = dates.dt.tz_localize(None)
    return dates.astype(str).astype(object).where(dates.notna(), None)


def column_of_dates(column: "pyarrow.ChunkedArray") -> "pyarrow.ChunkedArray":
    """Return a column of dates as texts; see ``dates_as_text``."""
    import pandas as pd
    import pyarrow as pa

    texts = dates_as_text(pd.Series(column.to_pandas()))
    return pa.chunked_array([pa.array(texts.tolist(), pa.large_string())])


def dates_note(source: str, columns: str, count: int) -> str:
    """Return the line that says what became of dates; ``columns`` are their names as they are shown."""
    are = "columns {} hold dates, which are" if count > 1 else "column {} holds dates, which are"
    return f"{source}: {are.format(columns)} taken as text, a category each"
