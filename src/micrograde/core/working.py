"""What is said of work that takes longer than a moment: a line that is replaced, or in a pipe stays."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from micrograde.core.terminal import clear_status, moves_cursor, say, show_status

MOMENT = 1.0
"""Seconds, after which it is said what takes so long."""

QUIET = "MICROGRADE_QUIET"
"""A variable by which nothing is said of it in a pipe, as scripts want it that compare what is printed."""

Piped = Literal["stdout", "stderr", "nowhere"]

_bars: list[Callable[[str], None]] = []


@contextmanager
def working(what: str, piped: Piped = "stdout") -> Iterator[None]:
    """Say ``what`` is being done if that is not over in a moment.

    On a terminal it is a line that goes when the work is done, or stands beside the bar if there is one; else
    a line that ends with three dots.

    Parameters
    ----------
    piped
        Where the line goes if there is no terminal: to standard output, where progress goes as well; of a
        command whose output is its result, to standard error; or nowhere, if only a line about a mistake
        should come of it.
    """
    guard, over, shown = threading.Lock(), threading.Event(), threading.Event()

    def show() -> None:
        with guard, suppress(OSError, ValueError):  # nobody reads it any more
            if not over.is_set():
                shown.set()
                _show(f"{what} ...", piped)

    timer = threading.Timer(MOMENT, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        over.set()
        with guard, suppress(OSError, ValueError):
            if shown.is_set():
                clear_status()


@contextmanager
def beside_bar(show: Callable[[str], None]) -> Iterator[None]:
    """While the context lasts a bar is on the terminal, and ``show`` writes a text beside it."""
    _bars.append(show)
    try:
        yield
    finally:
        _bars.remove(show)


def _show(line: str, piped: Piped) -> None:
    if _bars:
        _bars[-1](line)
    elif moves_cursor(sys.stderr):
        show_status(line)
    elif piped != "nowhere" and not os.environ.get(QUIET):
        say(line, sys.stdout if piped == "stdout" else sys.stderr, flush=True)
