"""Params come out of MLflow as text; a column of numbers should be a column of numbers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def typed(column: "pd.Series[str]") -> "pd.Series[Any]":
    """The column as Int64, float64 or boolean if every value it has is one, else as it is.

    ``true`` and ``false`` are booleans; a column of ``1`` and ``0.5`` is float. What is missing stays
    missing. A ``null`` param is missing too.
    """
    import pandas as pd

    given = column.mask(column == "null")
    values = given.dropna()
    if values.empty:
        return given
    if values.isin(["true", "false"]).all():
        return given.map({"true": True, "false": False}).astype("boolean")
    if values.str.fullmatch(r"-?\d{1,18}").all():
        return given.astype("Int64")
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().all():
        return given.astype("float64")
    return given
