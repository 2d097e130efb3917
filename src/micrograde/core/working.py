"""Announce work that takes longer than a moment, by a line that goes when the work is done.

So it does on a terminal and in a notebook; elsewhere the line stays.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html import escape
from typing import Literal

from micrograde.core.notebook import CellOutput, in_notebook, this_cell
from micrograde.core.terminal import clear_status, moves_cursor, say, show_status

MOMENT = 1.0
"""Seconds that work may take before it is announced."""

QUIET = "MICROGRADE_QUIET"
"""The environment variable that turns the line off in a pipe, for scripts that compare what is printed."""

Piped = Literal["stdout", "stderr", "nowhere"]

_bars: list[Callable[[str], None]] = []
_in_cells: dict[int, CellOutput] = {}  # of the last cell alone: it has one output for all such lines


@contextmanager
def working(what: str, piped: Piped = "stdout") -> Iterator[None]:
    """Print ``what`` is being done, followed by three dots, if that takes longer than ``MOMENT``.

    On a terminal and in a notebook the line goes away when the work is done; if there is a progress bar on a
    terminal, it stands beside that.

    Parameters
    ----------
    piped
        Where the line goes if there is no terminal: ``stdout``, where progress is printed, too; ``stderr``,
        for a command whose output is its result; or ``nowhere``.
    """
    guard, over, shown = threading.Lock(), threading.Event(), threading.Event()

    def show() -> None:
        with guard, suppress(OSError, ValueError):  # the stream may be closed by now
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
                _clear()


@contextmanager
def beside_bar(show: Callable[[str], None]) -> Iterator[None]:
    """Have ``working`` call ``show``, which writes a text beside a progress bar, while the context lasts."""
    _bars.append(show)
    try:
        yield
    finally:
        _bars.remove(show)


def _show(line: str, piped: Piped) -> None:
    if _bars:
        _bars[-1](line)
    elif in_notebook():
        _output_of_cell().show(line, f"<i>{escape(line)}</i>")
    elif moves_cursor(sys.stderr):
        show_status(line)
    elif piped != "nowhere" and not os.environ.get(QUIET):
        say(line, sys.stdout if piped == "stdout" else sys.stderr, flush=True)


def _clear() -> None:
    if this_cell() in _in_cells:
        _output_of_cell().show("", "")
    clear_status()


def _output_of_cell() -> CellOutput:
    cell = this_cell()
    if cell not in _in_cells:
        _in_cells.clear()
        _in_cells[cell] = CellOutput()
    return _in_cells[cell]
