"""Lock files that show whether a process is alive: the system releases its locks when it ends.

``filelock``, which locks the store and sweeps, creates missing folders, and can find out whether a lock is
held only by acquiring it. Here a deleted folder must stay deleted, and several processes check at once.
"""

import fcntl
import os
from pathlib import Path


class LockFile:
    """A lock that is held until ``release`` is called, or until this process ends."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock.

    It is tested with a shared lock, so that several processes can test at once.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
