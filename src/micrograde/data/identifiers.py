"""When numbers are identifiers: row numbers, and whole numbers that are named so."""

import re

import numpy as np
from numpy.typing import NDArray

FEWEST_ROWS = 10
"""With fewer rows, values that differ say nothing."""

ROWS_OF_A_CODE = 10
"""In how many rows values that are named as identifiers stand, on average, if they are categories."""

REPEATED = "by its name; some stand in several rows"

_NAME = re.compile(r"(?<![A-Za-z])(id|ID|Id|uuid|UUID|guid|GUID)(?![A-Za-z])|(?<=[a-z])(ID|Id)(?![A-Za-z])")


def is_named_as_identifier(name: str) -> bool:
    """Return whether a name is, or ends or begins with, ``id``: ``id``, ``customer_id``, ``PassengerId``."""
    return _NAME.search(name) is not None


def why_identifier(name: str, numbers: NDArray[np.float64]) -> str | None:
    """Return why a column of numbers (n,), NaN where missing, holds identifiers; None if it does not."""
    there = numbers[~np.isnan(numbers)]
    rows = len(there)
    if rows < FEWEST_ROWS or not (there == np.floor(there)).all():
        return None
    least, most = there.min(), there.max()
    may_be_row_numbers = rows == len(numbers) and least in (0, 1) and most - least == rows - 1
    if not may_be_row_numbers and not is_named_as_identifier(name):
        return None
    different = len(np.unique(there))
    if different == rows:
        return "row numbers" if may_be_row_numbers else "different in each row"
    return REPEATED if is_named_as_identifier(name) and rows < ROWS_OF_A_CODE * different else None


def is_code(name: str, numbers: NDArray[np.float64]) -> bool:
    """Return whether whole numbers are categories: named as identifiers, and more than two."""
    if not is_named_as_identifier(name):
        return False
    there = numbers[~np.isnan(numbers)]
    return bool((there == np.floor(there)).all()) and len(np.unique(there)) > 2
