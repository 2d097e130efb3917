"""Conditions on runs as users type them: ``optimizer.learning_rate>=0.1``, ``model.activation=tanh``."""

import difflib
import operator
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.store.metric_names import name_among

if TYPE_CHECKING:
    import pandas as pd

_COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*([^<>=!\s]+)\s*(>=|<=|!=|=|>|<)\s*(.+?)\s*")


def keep_where(runs: "pd.DataFrame", conditions: Sequence[str]) -> "pd.DataFrame":
    """Return the runs that meet every condition; a run without a value in the column meets only ``!=``.

    Raises
    ------
    InputError
        If a condition cannot be read, names an unknown column, compares a column of numbers with text, or
        orders text with ``<`` or ``>``.
    """
    if runs.empty:
        return runs
    for condition in conditions:
        match = _CONDITION.fullmatch(condition)
        if match is None:
            raise InputError(f"where={condition}: should read like optimizer.learning_rate>=0.1")
        column, comparison, text = match.groups()
        values = runs[_known_column(runs, column, condition)]
        wanted = _of_the_columns_type(values, text, condition)
        if isinstance(wanted, str) and comparison not in ("=", "!="):
            raise InputError(f"where={condition}: {column} is text here; compare it with = or !=")
        holds = _COMPARISONS[comparison](values, wanted)
        runs = runs[holds.fillna(comparison == "!=").astype(bool)]
    return runs


def _known_column(runs: "pd.DataFrame", column: str, condition: str) -> str:
    """Return the column, or its name in another version; else raise ``InputError`` with similar names."""
    column = name_among(column, runs)
    if column in runs:
        return column
    near = difflib.get_close_matches(column, [str(name) for name in runs], n=3, cutoff=0.4)
    hint = f"; did you mean {printable(' or '.join(near))}?" if near else ""
    raise InputError(f"where={condition}: no run has {column}{hint}")


def _of_the_columns_type(values: "pd.Series[Any]", text: str, condition: str) -> Any:
    import pandas as pd

    if pd.api.types.is_bool_dtype(values):
        if text not in ("true", "false"):
            raise InputError(f"where={condition}: should compare with true or false")
        return text == "true"
    if pd.api.types.is_numeric_dtype(values):
        try:
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else float(text)
        except ValueError:
            raise InputError(f"where={condition}: should compare with a number, got {text}") from None
    if pd.api.types.is_datetime64_any_dtype(values):
        try:
            return pd.Timestamp(text, tz="UTC")
        except ValueError:
            raise InputError(f"where={condition}: should compare with a time such as 2026-01-31") from None
    return text
