"""Give columns of params, which MLflow stores as text, their types: integer, float, boolean or text."""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_INT64 = range(-(2**63), 2**63)


def typed(column: Sequence[str | None]) -> "pd.Series[Any]":
    """Return the column as Int64, float64 or boolean if all its values allow that, else as text.

    ``true`` and ``false`` are booleans; a column of ``1`` and ``0.5`` is float. Missing values stay missing,
    and so does a param that is ``null``. A column that a number type cannot hold exactly, such as integers
    too large for 64 bits, stays text.
    """
    import pandas as pd

    # Most params of a sweep are the same in all runs, so each distinct value is parsed once.
    given = [text for text in dict.fromkeys(column) if text is not None and text != "null"]
    code_of: dict[str | None, int] = {text: code for code, text in enumerate(given)}
    codes = np.array([code_of.get(text, -1) for text in column], np.intp)
    distinct = _typed_values(given)
    return pd.Series(pd.api.extensions.take(distinct, codes, allow_fill=True))


def _typed_values(texts: list[str]) -> Any:
    """Return the texts as an array of one type."""
    import pandas as pd

    values = [_json_value(text) for text in texts]
    kinds = {*map(type, values)}
    if kinds == {bool}:
        return pd.array(values, dtype="boolean")
    if kinds == {int} and all(value in _INT64 for value in values):
        return pd.array(values, dtype="Int64")
    if kinds and kinds <= {int, float} and all(map(_fits_float64, values)):
        return np.array(values, float)
    return pd.array(texts, dtype="str")


def _json_value(text: str) -> Any:
    """Return the number or truth value that the text is in JSON, where 007 is none, or the text itself."""
    try:
        return json.loads(text) if text == text.strip() else text
    except (ValueError, RecursionError):
        return text


def _fits_float64(value: float) -> bool:
    try:
        return math.isfinite(value) and float(value) == value
    except OverflowError:
        return False
