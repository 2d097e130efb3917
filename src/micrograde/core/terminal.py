"""What a terminal can show: how wide a line may be, and which characters there are."""

import codecs
import contextlib
import os
import re
import sys
from typing import TextIO

from micrograde.core.printable import printable

_LEAST = 20  # columns; a narrower terminal breaks lines itself
_USUAL = 80  # of one that does not tell its width
_HANGING = re.compile(r"\S+ {2,}|\s+")  # a label, or a margin: further lines stand below what follows it
_PLAIN = {
    "×": "x", "±": "+-", "…": "...", "─": "-", "━": "-", "–": "-", "—": "-", "−": "-", "·": "-", "•": "*",
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≈": "~", "∞": "inf", "µ": "u", "‘": "'", "’": "'",
    "“": '"', "”": '"', "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip


def use_plain_characters() -> None:
    """Have standard output and error write what their encoding lacks in plain characters, as ``spelled``.

    Otherwise the sign of a sweep, as in ``seed × learning_rate``, would end the program where the locale is
    ``C``. What the user has chosen by ``PYTHONIOENCODING=ascii:replace`` stays.
    """
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) in ("strict", "surrogateescape", "backslashreplace"):
            # It is none of Python's own, or closed, or its descriptor has become another one.
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.reconfigure(errors=_ERRORS)  # type: ignore[union-attr]


def terminal_width(stream: TextIO | None = None) -> int | None:
    """How many columns the terminal behind a stream (standard output) has; None where there is none.

    The variable ``COLUMNS`` decides, as for other programs. At least 20.
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
    """How many lines the terminal behind a stream (standard output) has; 0 if it does not tell."""
    return _size(stream or sys.stdout).lines


def moves_cursor(stream: TextIO) -> bool:
    """Whether a line on this stream can be written again, in the place of what it was."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def spelled(text: str, stream: TextIO | None = None) -> str:
    r"""The text in characters that the stream (standard output) can write: × as x, others as ``\u5b66``."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, _ERRORS).decode(encoding)


def cells(text: str) -> int:
    """How many columns the text takes on a terminal, where some characters take two, and some none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int, more: str = "…") -> str:
    """The text in at most so many columns: what is left out in its middle is ``more``."""
    if cells(text) <= width:
        return text
    room = width - cells(more)
    if room < 2:
        return _beginning(text, width)
    end = _beginning(text[::-1], room // 2)[::-1]
    return _beginning(text, room - cells(end)) + more + end


def cut_beginning(text: str, width: int, more: str = "…") -> str:
    """The text in at most so many columns: what is left out in the beginning is ``more``."""
    if cells(text) <= width:
        return text
    return more + _beginning(text[::-1], max(width - cells(more), 0))[::-1]


def folded(line: str, width: int, hanging: int | None = None) -> list[str]:
    """The line in lines of at most so many columns, broken between words.

    A word stays whole, so that an id or a path can be copied. Further lines begin below what follows the
    line's label (``finding     ...``), or in the column ``hanging``.
    """
    if cells(line) <= width:
        return [line]
    if hanging is None:
        label = _HANGING.match(line)
        hanging = label.end() if label and label.end() <= width // 2 else 0
    lines, place = [""], 0
    for phrase in re.findall(r" *[^ ]+(?: [^ ]+)*", line):  # what two spaces part stays together if it can
        fits = cells(phrase.lstrip(" ")) <= width - hanging
        for word in [phrase] if fits else re.findall(r" *[^ ]+", phrase):
            if place > hanging and place + cells(word) > width:
                lines.append(" " * hanging)
                word, place = word.lstrip(" "), hanging
            lines[-1] += word
            place += cells(word)
    return lines


def say(text: str, stream: TextIO | None = None, *, flush: bool = False) -> None:
    """Print lines, broken between words where a terminal would break them anywhere.

    Nothing in them is a character that a terminal would act on: names in them may be anybody's.
    """
    stream = stream or sys.stdout
    clear_status()
    lines = [spelled(printable(line), stream) for line in text.split("\n")]
    width = terminal_width(stream)
    if width:
        lines = [part for line in lines for part in folded(line, width)]
    print("\n".join(lines), file=stream, flush=flush)


def show_status(text: str) -> None:
    """Write a line on the terminal of standard error that ``clear_status``, or the next line, replaces."""
    global _status
    stream = sys.stderr
    width = (terminal_width(stream) or _USUAL) - 1  # in the last column some terminals begin a new line
    stream.write(f"\r\x1b[K{cut(spelled(printable(text), stream), width, '...')}")
    stream.flush()
    _status = stream


def clear_status() -> None:
    """Take away what ``show_status`` has written."""
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
