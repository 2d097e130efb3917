"""Terminals of any width, to print on in the test's own process, and to run commands in."""

import fcntl
import io
import os
import re
import struct
import subprocess
import termios
from collections.abc import Iterable, Sequence
from typing import Any

from micrograde.core.terminal import cells

WIDTHS = (60, 80, 120, 200)


class Terminal(io.StringIO):
    """A stream that says it is a terminal of this size; what is printed stays in it."""

    encoding = "utf-8"

    def __init__(self, width: int, height: int = 40, encoding: str = "utf-8") -> None:
        super().__init__()
        self.encoding = encoding
        self._ours, self._theirs = open_terminal(width, height)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._theirs

    def write(self, text: str) -> int:
        text.encode(self.encoding)  # as a terminal would have it
        return super().write(text)

    def close(self) -> None:
        if not self.closed:
            os.close(self._ours)
            os.close(self._theirs)
        super().close()

    @property
    def lines(self) -> list[str]:
        return without_escapes(self.getvalue()).split("\n")


def open_terminal(width: int, height: int = 40) -> tuple[int, int]:
    """Both ends of a new terminal."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    return ours, theirs


def run_in_terminal(command: Sequence[str], width: int, **options: Any) -> tuple[str, int]:
    """A command in a terminal of its own: what stands there at the end, and the exit status."""
    ours, theirs = open_terminal(width)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, **options)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how a terminal says that nobody is at its other end any more
        pass
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n").replace("\r", "\n")  # what replaces a line is one, too
    return without_escapes(text), process.wait()


def without_escapes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def too_wide(lines: Iterable[str], width: int) -> list[str]:
    """The lines that a terminal would fold."""
    return [line for line in lines if cells(line) > width]
