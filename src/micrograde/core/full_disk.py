"""A full disk, or a file that may grow no larger: recognise it, and keep a reserve for the last records."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

_ENDED = (errno.ENOSPC, errno.EDQUOT)
_FULL = (*_ENDED, errno.EFBIG)
_MESSAGES = (
    "database or disk is full",
    "disk I/O error",  # SQLite's message in some of these cases
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
)
_RESERVE = 256 * 1024  # bytes

Holder = Literal["launch", "writer"]
"""Who keeps a reserve: the process that trains, and the one that writes to the store."""


def why_disk_is_full(error: BaseException | None) -> str | None:
    """Return the message that shows that ``error`` comes from a full disk; None if it does not.

    The causes of ``error`` are searched, too: libraries wrap the system's error in one of their own, or keep
    only its message.
    """
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in _FULL:
            return f"{each.strerror}: {each.filename}" if each.filename else str(each.strerror)
        for message in _MESSAGES:
            if message in str(each):
                return message
    return None


def say_full(why: str) -> str:
    """Return what to say of a full disk, for the reason of ``why_disk_is_full``.

    With ``ulimit -f`` the system refuses a file that would be larger, and SQLite tells the two apart no more
    than that the disk has failed.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY or any(os.strerror(each) in why for each in _ENDED):
        return f"the disk is full ({why})"
    return f"no file may be larger than {limit / 1024:,.0f} KiB here ({why})"


def what_to_do(why: str) -> str:
    """Return what makes room, for the reason of ``why_disk_is_full``."""
    if say_full(why).startswith("the disk"):
        return "free some space"
    return allow_larger_files()


def allow_larger_files() -> str:
    """Return how a shell allows larger files, if it may: who has lowered the limit cannot raise it."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if most == resource.RLIM_INFINITY:
        return "allow larger files: ulimit -f unlimited"
    return "allow larger files, in another shell: ulimit -f unlimited"


def reserve_space(folder: Path) -> None:
    """Reserve space in a launch's folder, to be released when it is needed.

    Raises
    ------
    OSError
        If there is no space left.
    """
    for holder in ("launch", "writer"):
        with (folder / f"{holder}.reserve").open("wb") as file:
            file.write(bytes(_RESERVE))
            file.flush()
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, _RESERVE)


def release_reserve(folder: Path, holder: Holder) -> None:
    """Release a holder's reserved space; do nothing if that has been done."""
    with suppress(OSError):
        (folder / f"{holder}.reserve").unlink()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, then its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
