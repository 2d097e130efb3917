"""Formatting of values in error messages, as text of one line and bounded length, whatever a file holds."""

from collections.abc import Iterable, Sequence

_NAME = 60  # most characters shown of a name, number or shape
_LIST = 200  # characters after which a list is cut
_ERROR = 200  # most characters shown of another library's message


def shortened(value: object, most: int = _NAME) -> str:
    """Return a value as text without line ends or control characters, cut in the middle if it is long."""
    text = str(value)
    if len(text) > most:
        text = f"{text[: most - most // 3]}...{text[len(text) - most // 3 :]}"
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def quoted(name: object) -> str:
    """Return a name in quotes, as ``repr`` does, cut if it is long."""
    text = str(name)
    return shortened(repr(text if len(text) <= _NAME else shortened(text)), 2 * _NAME)


def listed(names: Iterable[object], limit: int = 20) -> str:
    """Return quoted names separated by commas, at most ``limit``, or fewer if they are long."""
    return _joined([(name, "") for name in names], limit)


def counted(counts: Iterable[tuple[str, int]], limit: int = 10) -> str:
    """Return names with their counts above zero, ``'age' (3), 'height' (1)``, cut as in ``listed``."""
    return _joined([(name, f" ({count})") for name, count in counts if count], limit)


def numbered(places: Sequence[int], limit: int = 5) -> str:
    """Return row numbers counted from 1, ``row 3`` or ``rows 3, 5 and 12 more``, for indices from 0."""
    shown = ", ".join(str(place + 1) for place in places[:limit])
    if len(places) == 1:
        return f"row {shown}"
    if len(places) > limit:
        return f"rows {shown} and {len(places) - limit} more"
    return f"rows {' and '.join(shown.rsplit(', ', 1))}"


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error message, or the error's type if it has none."""
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
