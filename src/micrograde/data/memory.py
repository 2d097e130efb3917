"""How large a data set may be: one rule for whatever is made, read, unpacked or encoded.

As float64, N rows of D features and C classes (one-hot) take at most an eighth of this machine's memory:
splitting and preprocessing hold them up to four times, and training needs room as well.
"""

import os

from micrograde.errors import InputError

_SHARE = 8
_NAME = 128  # bytes that the name of a feature or of a class takes


def physical_memory() -> int:
    """The bytes of memory that this machine has."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def most_bytes() -> int:
    """What a data set may take."""
    return physical_memory() // _SHARE


def check_size(source: str, rows: int, features: int, classes: int = 0, *, advice: str = "") -> None:
    """Raise ``InputError`` unless N rows of D features and C classes are within the rule.

    To be called before anything of that size is allocated. The line starts with ``source`` and ends
    with ``advice``.
    """
    needed = (8 * rows + _NAME) * (features + classes)
    if needed > most_bytes():
        columns = f"{_number(features)} features" + (f" and {_number(classes)} classes" if classes else "")
        raise InputError(
            f"{source}: {_number(rows)} rows of {columns} would take {_size(needed)}; {_rule()}"
            + (f"; {advice}" if advice else "")
        )


def check_bytes(source: str, size: int, what: str) -> None:
    """Raise ``InputError`` unless ``size`` bytes are within the rule; ``what`` is said to be too large."""
    if size > most_bytes():
        raise InputError(f"{source}: {what} takes {_size(size)} or more; {_rule()}")


def _rule() -> str:
    return (
        f"a data set may take {_size(most_bytes())}, "
        f"an eighth of this machine's memory; use fewer rows or columns"
    )


def _size(size: int) -> str:
    if size >= 2**60:
        return "over a billion GiB"
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _number(number: int) -> str:
    """In digits, unless there are so many that nobody would read them."""
    return str(number) if number < 10**18 else "over 10**18"
