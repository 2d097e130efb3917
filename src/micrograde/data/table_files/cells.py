"""What a value of a table looks like, for finding out separator and header; nothing is parsed by it."""

import re

_NUMBER = re.compile(r"[-+]?(\d[\d.,' ]*|[.,]\d+)(e[-+]?\d+)?\s*%?", re.IGNORECASE)
_LONGEST_NUMBER = 60  # characters; the pattern takes their square
_NOTHING = frozenset(
    ("", "?", "-", "--", ".", "*", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "<na>")
)


def is_number(value: str) -> bool:
    """Return whether a value is a number in any country's writing."""
    return len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value.strip()) is not None


def is_nothing(value: str) -> bool:
    """Return whether a value is empty or a word for what is missing."""
    return value.lower() in _NOTHING


def shape(value: str) -> str:
    """Return what a value looks like: ``9-9-9 9:9`` for a date and a time."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", value[:_LONGEST_NUMBER]))
