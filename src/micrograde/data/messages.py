"""Wording that this room's error lines share: one line of a bounded length, whatever a file holds."""

from collections.abc import Iterable, Sequence

_NAME = 60  # characters of a name, number or shape that are shown
_LIST = 200  # characters of a list, before it is cut
_ERROR = 200  # characters of another library's words


def shortened(value: object, most: int = _NAME) -> str:
    """A value as text without line ends or control characters, cut in its middle if it is long."""
    text = str(value)
    if len(text) > most:
        text = f"{text[: most - most // 3]}...{text[len(text) - most // 3 :]}"
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def quoted(name: object) -> str:
    """A name as Python writes it, cut if it is long."""
    text = str(name)
    return shortened(repr(text if len(text) <= _NAME else shortened(text)), 2 * _NAME)


def listed(names: Iterable[object], limit: int = 20) -> str:
    """Quoted names with commas between them, cut after ``limit``, or sooner if they are long."""
    return _joined([(name, "") for name in names], limit)


def counted(counts: Iterable[tuple[str, int]], limit: int = 10) -> str:
    """Names with their counts, ``'age' (3), 'height' (1)``, those above zero, cut as in ``listed``."""
    return _joined([(name, f" ({count})") for name, count in counts if count], limit)


def numbered(places: Sequence[int], limit: int = 5) -> str:
    """Rows by their numbers, counted from 1: ``row 3``, ``rows 3, 5 and 12 more``; of their places from 0."""
    shown = ", ".join(str(place + 1) for place in places[:limit])
    if len(places) == 1:
        return f"row {shown}"
    if len(places) > limit:
        return f"rows {shown} and {len(places) - limit} more"
    return f"rows {' and '.join(shown.rsplit(', ', 1))}"


def first_line(error: BaseException) -> str:
    """What another library's error says, cut to its first line."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return shortened(lines[0].strip(), _ERROR) if lines else type(error).__name__


def _joined(found: Sequence[tuple[object, str]], limit: int) -> str:
    shown: list[str] = []
    for name, suffix in found[:limit]:
        shown.append(quoted(name) + suffix)
        if sum(map(len, shown)) > _LIST:
            break
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return ", ".join(shown) + more
