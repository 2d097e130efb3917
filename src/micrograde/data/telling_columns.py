"""Columns that alone tell the class of every row: often they are known only afterwards."""

import numpy as np
from numpy.typing import NDArray

from micrograde.core.overrides import typed_names
from micrograde.data.columns import Column
from micrograde.data.messages import quoted
from micrograde.data.used_rows import UsedRows

_ROWS_OF_A_VALUE = 10
"""In how many rows a value stands on average, at least, for it to tell something of the class."""


def telling_columns(used: UsedRows, classes: int) -> tuple[str, ...]:
    """Return the columns each value of which has one class, and stands in ten rows or more on average."""
    if classes < 2:
        return ()
    most = len(used.labels) / _ROWS_OF_A_VALUE
    columns = (used.columns[name] for name in used.encoding.columns)
    return tuple(
        each.name
        for each in columns
        if 2 <= each.different <= most and _tells(each.as_texts, used.labels, classes)
    )


def telling_sentence(name: str) -> str:
    """Return what is said of such a column, on the terminal and among a run's findings."""
    return (
        f"column {quoted(name)} alone tells the class of every row; if it is known only afterwards, "
        f"leave it out: {typed_names('data.drop', name)}"
    )


def _tells(column: Column, labels: NDArray[np.int64], classes: int) -> bool:
    assert column.codes is not None
    pairs = np.unique((column.codes.astype(np.int64) + 1) * classes + labels)
    return len(pairs) == len(np.unique(column.codes))
