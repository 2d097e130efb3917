"""Wording that this room's error lines share."""

from collections.abc import Iterable


def listed(names: Iterable[object], limit: int = 20) -> str:
    """Quoted names with commas between them, cut after ``limit``."""
    quoted = [repr(str(name)) for name in names]
    more = f" and {len(quoted) - limit} more" if len(quoted) > limit else ""
    return ", ".join(quoted[:limit]) + more


def counted(counts: Iterable[tuple[str, int]], limit: int = 10) -> str:
    """Names with their counts, ``'age' (3), 'height' (1)``, those above zero, cut after ``limit``."""
    found = [f"{name!r} ({count})" for name, count in counts if count]
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return ", ".join(found[:limit]) + more


def first_line(error: BaseException) -> str:
    """What another library's error says, cut to its first line."""
    return (str(error).splitlines() or [type(error).__name__])[0]
