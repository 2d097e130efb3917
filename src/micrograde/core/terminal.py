"""Lines for a terminal: how wide they may be, which characters it can show, and where they are broken."""

import codecs
import contextlib
import os
import re
import sys
from typing import TextIO

from micrograde.core.printable import printable

_LEAST = 20  # columns; a narrower terminal breaks lines itself
_USUAL = 80  # columns of a terminal that does not report its width
_HANGING = re.compile(r"\S+ {2,}|\s+")  # a label or a margin; the lines that follow are indented to its end
_PLAIN = {
    "×": "x", "±": "+-", "…": "...", "─": "-", "━": "-", "–": "-", "—": "-", "−": "-", "·": "-", "•": "*",
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≈": "~", "∞": "inf", "µ": "u", "‘": "'", "’": "'",
    "“": '"', "”": '"', "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip


def use_plain_characters() -> None:
    """Make standard output and error replace characters that their encoding lacks, as ``spelled`` does.

    Otherwise the cross in a sweep's name, as in ``seed × learning_rate``, would end the program where the
    locale is ``C``. An error handler that the user has chosen with ``PYTHONIOENCODING=ascii:replace`` stays.
    """
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) in ("strict", "surrogateescape", "backslashreplace"):
            # The stream may not be one of Python's, or be closed, or its descriptor may have changed.
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.reconfigure(errors=_ERRORS)  # type: ignore[union-attr]


def terminal_width(stream: TextIO | None = None) -> int | None:
    """Return the width in columns, at least 20, of a stream's terminal; None if it writes to no terminal.

    The default stream is standard output. The environment variable ``COLUMNS`` comes first, as in other
    programs.
    """
    stream = stream or sys.stdout
    try:
        if not stream.isatty():
            return None
    except ValueError:  # it is closed
        return None
    told = os.environ.get("COLUMNS", "")
    if re.fullmatch(r"[0-9]{1,5}", told) and int(told):
        return max(int(told), _LEAST)
    return max(_size(stream).columns or _USUAL, _LEAST)


def terminal_lines(stream: TextIO | None = None) -> int:
    """Return the number of lines of a stream's terminal, by default standard output's; 0 if unknown."""
    return _size(stream or sys.stdout).lines


def moves_cursor(stream: TextIO) -> bool:
    """Return whether a line on this stream can be overwritten by another."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def spelled(text: str, stream: TextIO | None = None) -> str:
    r"""Return the text in characters that a stream can write: × as x, others as ``\u5b66``.

    The default stream is standard output.
    """
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, _ERRORS).decode(encoding)


def cells(text: str) -> int:
    """Return the number of columns a text takes on a terminal, where some characters take two, some none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int, more: str = "…") -> str:
    """Return the text in at most ``width`` columns; if it is longer, ``more`` replaces its middle."""
    if cells(text) <= width:
        return text
    room = width - cells(more)
    if room < 2:
        return _beginning(text, width)
    end = _beginning(text[::-1], room // 2)[::-1]
    return _beginning(text, room - cells(end)) + more + end


def cut_beginning(text: str, width: int, more: str = "…") -> str:
    """Return the text in at most ``width`` columns; if it is longer, ``more`` replaces its beginning."""
    if cells(text) <= width:
        return text
    return more + _beginning(text[::-1], max(width - cells(more), 0))[::-1]


def folded(line: str, width: int, hanging: int | None = None) -> list[str]:
    """Return the line broken between words into lines of at most ``width`` columns.

    A word stays whole even if it is longer, so that an id or a path can be copied. Every line but the first
    is indented by ``hanging`` columns, by default to the text after the label (``finding     ...``).
    """
    if cells(line) <= width:
        return [line]
    if hanging is None:
        label = _HANGING.match(line)
        hanging = label.end() if label and label.end() <= width // 2 else 0
    lines, place = [""], 0
    for phrase in re.findall(r" *[^ ]+(?: [^ ]+)*", line):  # text between double spaces is kept together
        fits = cells(phrase.lstrip(" ")) <= width - hanging
        for word in [phrase] if fits else re.findall(r" *[^ ]+", phrase):
            if place > hanging and place + cells(word) > width:
                lines.append(" " * hanging)
                word, place = word.lstrip(" "), hanging
            lines[-1] += word
            place += cells(word)
    return lines


def say(text: str, stream: TextIO | None = None, *, flush: bool = False) -> None:
    """Print a text; on a terminal its lines are broken between words.

    Control characters are escaped: names in the text may come from files and stores of others.
    """
    stream = stream or sys.stdout
    clear_status()
    lines = [spelled(printable(line), stream) for line in text.split("\n")]
    width = terminal_width(stream)
    if width:
        lines = [part for line in lines for part in folded(line, width)]
    print("\n".join(lines), file=stream, flush=flush)


def print_notice(notice: str) -> None:
    """Print a line for the user to standard error."""
    with contextlib.suppress(OSError, ValueError):  # it is closed; the calling thread must go on
        say(notice, sys.stderr, flush=True)


def show_status(text: str) -> None:
    """Write a line on standard error's terminal, until ``clear_status`` or the next output removes it."""
    global _status
    stream = sys.stderr
    width = (terminal_width(stream) or _USUAL) - 1  # in the last column some terminals begin a new line
    stream.write(f"\r\x1b[K{cut(spelled(printable(text), stream), width, '...')}")
    stream.flush()
    _status = stream


def clear_status() -> None:
    """Remove the line that ``show_status`` has written, if there is one."""
    global _status
    stream, _status = _status, None
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.write("\r\x1b[K")
            stream.flush()


_status: TextIO | None = None


def _size(stream: TextIO) -> os.terminal_size:
    try:
        return os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return os.terminal_size((0, 0))


def _beginning(text: str, width: int) -> str:
    place = 0
    for number, character in enumerate(text):
        place += cells(character)
        if place > width:
            return text[:number]
    return text


def _in_plain_characters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = (_PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode("ascii") for each in lacking)
    return "".join(plain), error.end


_ERRORS = "micrograde.plain"
codecs.register_error(_ERRORS, _in_plain_characters)
