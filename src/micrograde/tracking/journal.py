"""A launch's journal, with a line for each event in order: one process appends, another follows."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from micrograde.core.bounds import LONGEST_EVENT
from micrograde.tracking.events import Event, LaunchEnded, from_json_line, to_json_line

_POLL_SECONDS = 0.02
_PIECE = 2**24  # bytes read at once


class Journal:
    """Appends events to a file, so that they survive this process; may be used by several threads."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._lock = threading.Lock()
        self._is_cut = False

    @property
    def closed(self) -> bool:
        """Whether the journal has been closed."""
        return self._file is None

    def append(self, event: Event) -> None:
        """Write the event.

        Raises
        ------
        OSError
            If it cannot be written; the next event then begins on a new line.
        """
        line = to_json_line(event).encode() + b"\n"
        with self._lock:
            assert self._file is not None
            rest = b"\n" + line if self._is_cut else line
            self._is_cut = True
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._is_cut = False

    def close(self) -> None:
        """Close the file; no more events can be appended."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def follow(journal: Path, launch_is_gone: threading.Event) -> Iterator[list[Event]]:
    """Yield lists of the journal's events as they are appended, until the launch has ended or is gone.

    A list is empty if no events have been appended since the last one.

    Raises
    ------
    ValueError
        If a complete line is not an event of this version's, or a line is too long: another program has
        written into the journal.
    """
    rest = b""
    with journal.open("rb") as lines:
        while True:
            gone = launch_is_gone.is_set()  # before reading, so that everything written until then is read
            is_last = False
            while not is_last:
                piece = lines.read(_PIECE)
                *complete, rest = (rest + piece).split(b"\n")
                if len(rest) > LONGEST_EVENT:
                    raise ValueError(f"a line of {journal.name} has more than {LONGEST_EVENT:,} bytes")
                events = [event for line in complete if (event := _event(line)) is not None]
                is_last = len(piece) < _PIECE
                if events or is_last:
                    yield events
            if gone or (events and isinstance(events[-1], LaunchEnded)):
                return
            launch_is_gone.wait(_POLL_SECONDS)


def _event(line: bytes) -> Event | None:
    """Return the event of a line; None for a line cut short by a full disk, which was never acknowledged."""
    try:
        return from_json_line(line.decode("utf-8", "replace"))
    except json.JSONDecodeError:
        return None
