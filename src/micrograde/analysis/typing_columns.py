"""Params come out of MLflow as text; a column of numbers should be a column of numbers."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Numbers as JSON writes them, so that a label such as 007 stays text.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def typed(column: Sequence[str | None]) -> "pd.Series[Any]":
    """The column as Int64, float64 or boolean if every value it has is one, else as text.

    ``true`` and ``false`` are booleans; a column of ``1`` and ``0.5`` is float. What is missing stays
    missing. A ``null`` param is missing too. A column that a number type could not hold exactly, such as
    integers too large for 64 bits, stays text.
    """
    import pandas as pd

    # Most params of a sweep are the same in all runs: each value is read once.
    given = [text for text in dict.fromkeys(column) if text is not None and text != "null"]
    code_of: dict[str | None, int] = {text: code for code, text in enumerate(given)}
    codes = np.array([code_of.get(text, -1) for text in column], np.intp)
    distinct = _typed_values(given)
    return pd.Series(pd.api.extensions.take(distinct, codes, allow_fill=True))


def _typed_values(texts: list[str]) -> Any:
    """An array of one type for all."""
    import pandas as pd

    if texts and all(text in ("true", "false") for text in texts):
        return pd.array([text == "true" for text in texts], dtype="boolean")
    if texts and all(_is_int64(text) for text in texts):
        return pd.array([int(text) for text in texts], dtype="Int64")
    if texts and all(_is_float64(text) for text in texts):
        return np.array([float(text) for text in texts])
    return pd.array(texts, dtype="str")


def _is_int64(text: str) -> bool:
    return len(text) <= 20 and bool(_INTEGER.fullmatch(text)) and -(2**63) <= int(text) < 2**63


def _is_float64(text: str) -> bool:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return False
    return not _INTEGER.fullmatch(text) or int(float(text)) == int(text)
