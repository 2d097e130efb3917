"""A disk without space: how it is known, and the reserve that leaves room for the last words."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SIGNS = (
    "database or disk is full",
    "disk I/O error",  # SQLite's word for some of them
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
)
_RESERVE = 256 * 1024  # bytes

Holder = Literal["launch", "writer"]
"""Who keeps a reserve: the process that trains, and the one that writes to the store."""


def why_disk_is_full(error: BaseException | None) -> str | None:
    """What says that ``error`` comes from a full disk; None if it does not.

    Libraries wrap the system's error into their own, or keep no more than its words.
    """
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in _FULL:
            return f"{each.strerror}: {each.filename}" if each.filename else str(each.strerror)
        for sign in _SIGNS:
            if sign in str(each):
                return sign
    return None


def reserve_space(folder: Path) -> None:
    """Take space in a launch's folder that is given back when it is needed.

    Raises
    ------
    OSError
        If there is none.
    """
    for holder in ("launch", "writer"):
        with (folder / f"{holder}.reserve").open("wb") as file:
            file.write(bytes(_RESERVE))
            file.flush()
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, _RESERVE)


def release_reserve(folder: Path, holder: Holder) -> None:
    """Give the space back, if that has not been done."""
    with suppress(OSError):
        (folder / f"{holder}.reserve").unlink()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
