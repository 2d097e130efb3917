"""The order in which people list values: numbers and lists of numbers by size, then words."""

import json
import math
from typing import Any

Key = tuple[int, tuple[float, ...], str]


def natural_key(value: object) -> Key:
    """Return a sort key, for the order ``8``, ``[8, 8]``, ``[16]``, ``128``, ``"relu"``, missing values.

    A list may also be given as text, ``"[8, 8]"``, as MLflow stores it.
    """
    if is_missing(value):
        return 2, (), ""
    if isinstance(value, str):
        numbers = _numbers(value)
        return (1, (), value) if numbers is None else (0, numbers, value)
    if isinstance(value, list | tuple):
        return natural_key(json.dumps(value))
    try:
        return 0, (float(value),), ""  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 1, (), str(value)


def is_missing(value: object) -> bool:
    """Return whether a value is None, NaN, or pandas' NA or NaT."""
    # A comparison with pandas' NA has no truth value; comparing the name of its type needs no import.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _numbers(text: str) -> tuple[float, ...] | None:
    """Return the numbers in a text such as ``8`` or ``[8, 8]``; None if the text is anything else."""
    try:
        read: Any = json.loads(text)
        numbers = tuple(float(each) for each in (read if isinstance(read, list) else [read]))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if isinstance(read, bool | str) or not all(math.isfinite(each) for each in numbers):
        return None
    return numbers
