"""A launch's journal, with a line for each event in order: one process appends, another follows.

What is appended is on the disk a second later, and survives a loss of power from then on. That a run has
ended is appended only when its files are on the disk (``Journal.append_ends``), so that no journal says of a
run that it has finished whose files are not there.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from micrograde.core.atomic_files import synchronise, synchronise_all
from micrograde.core.bounds import LONGEST_EVENT
from micrograde.tracking.events import (
    Event,
    LaunchEnded,
    LinesMissing,
    RunEnded,
    from_json_line,
    to_json_line,
)

_POLL_SECONDS = 0.02
_PIECE = 2**20  # bytes read at once: some fifty thousand values
_SYNCHRONISED_SECONDS = 1.0
_TOGETHER_SECONDS = 0.1  # within which runs that end are put on the disk together
_BEGINNING = b'{"event": "'
_LONGEST_WORD = len("-Infinity")  # of JSON, outside of a text
_LOST = b"\0"  # stands for a line that is too long

JOURNAL = "journal.jsonl"
"""The journal's name in a launch's folder."""


class Journal:
    """Appends events to a file, so that they survive this process; may be used by several threads.

    A thread synchronises the file once a second if it has grown.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._lock = threading.Lock()
        self._is_cut = False
        self._grown = False
        self._ends: list[RunEnded] = []
        self._of_ends = threading.Lock()  # held while runs that have ended are put on the disk
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._keep_synchronised, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether the journal has been closed."""
        return self._file is None

    @property
    def is_there(self) -> bool:
        """Whether the file still has its name: somebody may have deleted the launch's folder."""
        return self._path.exists()

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
            self._grown = True

    def append_end(self, event: RunEnded, folder: Path) -> None:
        """Write that a run has ended, as soon as the files in its ``folder`` are on the disk.

        That is done in another thread, for all runs that end within a tenth of a second at once; it is done
        after ``append_ends``.
        """
        if not self._ends and not _has_files(folder):
            self.append(event)
            return
        self._ends.append(event)
        self._wake.set()

    def append_ends(self, *, are_on_disk: bool = False) -> None:
        """Write what ``append_end`` has not written yet, after waiting for the disk unless they are on it.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with self._of_ends:
            ended = self._ends[:]
            if not ended:
                return
            if not are_on_disk:
                synchronise_all([self._path.parent])
            for event in ended:
                self.append(event)
                self._ends.remove(event)

    def close(self) -> None:
        """Close the file, which is on the disk then; no more events can be appended."""
        with suppress(OSError):
            self._synchronise()
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
        self._wake.set()

    def _keep_synchronised(self) -> None:
        with suppress(OSError):  # the launch's folder is new
            synchronise(self._path.parents[1])
        while not self.closed:
            if self._wake.wait(_SYNCHRONISED_SECONDS) and not self.closed:
                self._wake.clear()
                time.sleep(_TOGETHER_SECONDS)
                # If it fails, who waits for the ends is told.
                with suppress(OSError):
                    self.append_ends()
            with suppress(OSError):
                self._synchronise()

    def _synchronise(self) -> None:
        """Put the file on the disk if it has grown; appending does not wait for that."""
        with self._lock:
            if self._file is None or not self._grown:
                return
            self._grown = False
            file = os.dup(self._file)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def synchronise_journal(folder: Path) -> None:
    """Wait until the journal in a launch's folder is on the disk, as it is now."""
    with suppress(FileNotFoundError):  # the folder has been deleted; what was read goes to the store
        synchronise(folder / JOURNAL)


def follow(journal: Path, launch_is_gone: threading.Event) -> Iterator[list[Event]]:
    """Yield lists of the journal's events as they are appended, until the launch has ended or is gone.

    A list is empty if no events have been appended since the last one. For lines that are no events of this
    version's, as after a loss of power, there is a ``LinesMissing`` in their place. A line that was cut short
    by a full disk or a kill was never acknowledged, and is left out.
    """
    rest, too_long = b"", False
    with journal.open("rb") as lines:
        while True:
            gone = launch_is_gone.is_set()  # before reading, so that everything written until then is read
            is_last = False
            while not is_last:
                piece = lines.read(_PIECE)
                *complete, rest = (rest + piece).split(b"\n")
                if too_long and complete:
                    complete[0], too_long = _LOST, False
                if len(rest) > LONGEST_EVENT:
                    rest, too_long = b"", True
                events = [event for line in complete for event in _events(line)]
                is_last = len(piece) < _PIECE
                if is_last and gone:
                    events += _events(_LOST if too_long else rest)
                if events or is_last:
                    yield events
            if gone or (events and isinstance(events[-1], LaunchEnded)):
                return
            launch_is_gone.wait(_POLL_SECONDS)


def _events(line: bytes) -> list[Event]:
    """Return the event of a line; none for one that was cut short, and what is around zeros in it."""
    try:
        return [from_json_line(line.decode())]
    except json.JSONDecodeError as error:
        if b"\0" in line:  # no event has them; they may be in the place of whole lines
            around = [event for part in line.split(b"\0") if part for event in _events(part)]
            return [LinesMissing(1), *(event for event in around if event != LinesMissing(1))]
        return [] if _is_cut(line, error) else [LinesMissing(1)]
    except ValueError:  # no UTF-8, or JSON that is no event
        return [LinesMissing(1)]


def _is_cut(line: bytes, error: json.JSONDecodeError) -> bool:
    """Return whether a line is the beginning of an event."""
    if len(line) <= len(_BEGINNING):
        return _BEGINNING.startswith(line)
    ends = error.msg.startswith("Unterminated") or error.pos + _LONGEST_WORD >= len(error.doc)
    return line.startswith(_BEGINNING) and ends and line.count(_BEGINNING) == 1


def _has_files(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entries)
    except OSError:
        return False
