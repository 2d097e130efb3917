"""Columns of pandas as columns of Arrow."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.messages import quoted, shortened
from micrograde.data.plain_columns import NEEDED

if TYPE_CHECKING:
    import pandas
    import pyarrow


def arrow_of_series(column: "pandas.Series[Any]", name: str, what: str) -> "pyarrow.ChunkedArray":
    """Return a column of pandas as one of Arrow.

    Raises
    ------
    InputError
        If Arrow has no type for its values, or they are of several; the message starts with ``what``.
    """
    import pandas as pd
    import pyarrow as pa

    kind: Any = column.dtype
    values = kind.categories.dtype if isinstance(kind, pd.CategoricalDtype) else kind
    if isinstance(values, pd.IntervalDtype | pd.PeriodDtype):  # their text is what CSV has of them
        column = column.astype(str).where(column.notna(), None)
    elif isinstance(kind, pd.SparseDtype):
        column = column.astype(kind.subtype)
    elif isinstance(kind, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    elif isinstance(kind, np.dtype) and kind.kind == "c":
        raise InputError(f"{what}: column {quoted(name)} holds complex values; {NEEDED}")
    try:
        found = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError):
        raise InputError(_why_not(column, name, what)) from None
    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])


def _why_not(column: "pandas.Series[Any]", name: str, what: str) -> str:
    """Return the line for a column that Arrow has no type for; of its values only the types are named."""
    kinds = Counter(type(each).__name__ for each in column.dropna())
    if set(kinds) == {"int"}:
        why = "whole numbers of more than 64 bits; make them floats or text"
        return f"{what}: column {quoted(name)} holds {why}"
    if len(kinds) > 1:
        mixed = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(4))
        return (
            f"{what}: column {quoted(name)} holds values of several kinds: {shortened(mixed, 100)}; "
            f"make them one, as in frame[{quoted(name)}].astype(str)"
        )
    kind = next(iter(kinds), str(column.dtype))
    return f"{what}: column {quoted(name)} holds {shortened(kind)} values; {NEEDED}"
