"""Wait for a lock that another process holds: who it is is said after 2 seconds, and waiting has an end."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from micrograde.core.errors import InputError
from micrograde.core.printable import printable

PATIENCE = 2.0
"""Seconds before the user is told for whom a command waits."""
LIMIT = 30.0
"""Seconds for a process that does nothing; one that is at work is waited for."""
_POLL = 0.02
_AT_WORK = 0.5  # seconds of a processor within ``LIMIT``; one that only waits itself needs a tenth of it
_LONGEST = 60  # characters of a command


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock.

    Attributes
    ----------
    command
        What was started, cut short.
    stopped
        Whether it was stopped, as by Ctrl-Z.
    worked
        The processor seconds that it has used.
    """

    process: int
    command: str
    stopped: bool
    worked: float

    def __str__(self) -> str:
        stopped = f", is stopped: kill -CONT {self.process} lets it go on" if self.stopped else ""
        return f"process {self.process} ({self.command}){stopped}"


def holder_of(path: Path) -> Holder | None:
    """Return the process that holds the lock of a file; None if that is not known, as on another machine."""
    try:
        about = os.stat(path)
        locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    place = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    for line in locks:
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK" and words[5] == place and words[4].isdigit():
            return process_of(int(words[4]))
    return None


def process_of(number: int) -> Holder | None:
    """Return what is known of a process; None if there is none, or it cannot be seen."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(number)
        words = process.cmdline()
        named = [os.path.basename(word) if word.startswith("/") else word for word in words if word != "-P"]
        command = " ".join(named)[:_LONGEST] or process.name()
        times = process.cpu_times()
        stopped = process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
        return Holder(number, printable(command), stopped, times.user + times.system)
    return None


def wait_for_lock(
    acquire: Callable[[], bool],
    path: Path,
    on_wait: Callable[[str], None],
    limit: float | None = None,
) -> None:
    """Return when ``acquire``, which tries once, has succeeded.

    Parameters
    ----------
    path
        The file whose lock it is.
    on_wait
        Called once after 2 seconds, with what is waited for: a process, or the file.
    limit
        Seconds after which it is an error if the holder does nothing; by default 30.

    Raises
    ------
    InputError
        If the process that holds it is stopped, idle or not known, and ``limit`` seconds have passed.
    """
    limit = LIMIT if limit is None else limit
    start = since = time.monotonic()
    told, before = False, None
    while not acquire():
        now = time.monotonic()
        if now - start >= min(PATIENCE, limit) and not told:
            told, before = True, holder_of(path)
            on_wait(str(before or path))
        if now - since >= limit:
            holder = holder_of(path)
            if not _is_at_work(holder, before, limit):
                who = holder or "another process"
                raise InputError(f"{path}: has been locked for {now - start:.0f} seconds by {who}")
            since, before = now, holder
        time.sleep(_POLL)


def _is_at_work(now: Holder | None, before: Holder | None, seconds: float) -> bool:
    """Return whether a lock's holder has worked in these seconds, or has got the lock in them."""
    if now is None or now.stopped:
        return False
    if before is None or now.process != before.process:
        return True
    return now.worked - before.worked >= _AT_WORK * seconds / LIMIT
