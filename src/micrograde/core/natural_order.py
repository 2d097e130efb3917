"""The order in which somebody would list values: numbers by size, lists of numbers too, then words."""

import json
import math
from typing import Any

Key = tuple[int, tuple[float, ...], str]


def natural_key(value: object) -> Key:
    """What to sort by: ``8``, ``[8, 8]``, ``[16]``, ``128``, ``"relu"``, and what is missing last.

    A list may also be its text, as MLflow keeps it.
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
    """Whether it is None, NaN or what pandas has for them."""
    # pandas' NA is not equal to itself in a way that has no truth value; its type's name needs no pandas
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _numbers(text: str) -> tuple[float, ...] | None:
    """The numbers of a text that is one, or a list of them."""
    try:
        read: Any = json.loads(text)
        numbers = tuple(float(each) for each in (read if isinstance(read, list) else [read]))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if isinstance(read, bool | str) or not all(math.isfinite(each) for each in numbers):
        return None
    return numbers
