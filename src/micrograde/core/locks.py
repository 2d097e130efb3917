"""Lock files that show whether a process is alive: the system releases its locks when it ends.

``filelock``, which locks the store and sweeps, creates missing folders, and can find out whether a lock is
held only by acquiring it. Here a deleted folder must stay deleted, and several processes check at once.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from micrograde.core.errors import InputError
from micrograde.core.waiting import wait_for_lock


class LockFile:
    """A lock that is held until ``release`` is called, or until this process ends.

    Parameters
    ----------
    content
        Written to the file, in place of what was in it.
    on_wait
        Called if another process holds it for 2 seconds, see ``wait_for_lock``.
    """

    def __init__(
        self, path: Path, content: bytes | None = None, on_wait: Callable[[str], None] = lambda _: None
    ) -> None:
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        file = self._file
        try:
            wait_for_lock(lambda: _is_taken(file, fcntl.LOCK_EX), path, on_wait)
        except InputError:
            self.release()
            raise
        if content is not None:
            os.ftruncate(self._file, 0)
            os.write(self._file, content)

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class SharedLock:
    """A lock on a file that exists, which any number of processes hold at once; held like a ``LockFile``.

    Raises
    ------
    OSError
        If the file is not there, or was removed while it was being locked.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH)
            if not os.fstat(self._file).st_nlink:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Release the lock; to be called once."""
        os.close(self._file)


def wait_until_free(path: Path, on_wait: Callable[[str], None]) -> None:
    """Wait until no process holds the lock, if there is one; raises as ``wait_for_lock``."""
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDONLY)
        try:
            wait_for_lock(lambda: _is_taken(file, fcntl.LOCK_SH), path, on_wait)
        finally:
            os.close(file)


def _is_taken(file: int, kind: int) -> bool:
    """Return whether this process now has the lock."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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


@contextmanager
def locked_alone(path: Path) -> Iterator[bool]:
    """Lock an existing file while the context lasts; False, without a lock, if it has a ``SharedLock``."""
    file = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
