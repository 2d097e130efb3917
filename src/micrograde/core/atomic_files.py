"""Write files atomically: a file is complete or absent, even if the process dies while writing.

What is written is on the disk only once it is synchronised: until then a loss of power may leave a file that
is empty, although its name is there.
"""

import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path


def replace_file(path: Path, content: bytes | str, *, durable: bool = False) -> None:
    """Write a file under a temporary name beside it, then rename it; text is encoded as UTF-8.

    With ``durable`` the content is on the disk before the file is renamed, and the new name before this
    returns, so that it survives a loss of power.
    """
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    aside.replace(path)
    if durable:
        synchronise(path.parent)


def synchronise(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def synchronise_all(folders: Iterable[Path]) -> None:
    """Wait until everything in these folders, which lie on one disk, is on it.

    On Linux by one call for the whole file system: for 128 runs of 15 files that takes 13 ms, where
    synchronising each file takes 327, and for the 18 files of one run 13 where it takes 119.
    """
    folders = list(folders)
    whole = _syncfs()
    if whole is None:
        for folder in folders:
            for path in (folder, *folder.rglob("*")):
                if path.is_file() or path.is_dir():
                    synchronise(path)
        return
    for folder in folders[:1]:
        file = os.open(folder, os.O_RDONLY)
        try:
            if whole(file):
                os.fsync(file)  # raises the error, if there is one
        finally:
            os.close(file)


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the system's function that synchronises a file system by a file on it; None if it has none."""
    import ctypes

    try:
        found: Callable[[int], int] = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError, TypeError):
        return None
    return found
