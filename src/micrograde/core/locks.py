"""Lock files that tell whether a process is alive: the system releases them when it ends.

``filelock``, which locks the store and sweeps, makes a missing folder anew, and can only ask for a lock by
taking it. A folder that is gone must stay gone here, and several processes ask at once.
"""

import fcntl
import os
from pathlib import Path


class LockFile:
    """A lock file held until ``release``, or until this process ends."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock, asking by a shared lock, which others may take meanwhile."""
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
