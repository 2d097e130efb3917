"""Params come out of MLflow as text; a column of numbers should be a column of numbers."""

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Numbers as JSON writes them, so that a label such as 007 stays text.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def typed(column: "pd.Series[str]") -> "pd.Series[Any]":
    """The column as Int64, float64 or boolean if every value it has is one, else as it is.

    ``true`` and ``false`` are booleans; a column of ``1`` and ``0.5`` is float. What is missing stays
    missing. A ``null`` param is missing too. A column that a number type could not hold exactly, such as
    integers too large for 64 bits, stays text.
    """
    given = column.mask(column == "null")
    values = [str(value) for value in given.dropna()]
    if not values:
        return given
    if all(value in ("true", "false") for value in values):
        return given.map({"true": True, "false": False}).astype("boolean")
    if all(_is_int64(value) for value in values):
        return given.astype("Int64")
    if all(_is_float64(value) for value in values):
        return given.astype("float64")
    return given


def _is_int64(text: str) -> bool:
    return len(text) <= 20 and bool(_INTEGER.fullmatch(text)) and -(2**63) <= int(text) < 2**63


def _is_float64(text: str) -> bool:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return False
    return not _INTEGER.fullmatch(text) or int(float(text)) == int(text)
