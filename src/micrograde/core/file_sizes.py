"""How large files are: measured without following links, and in words."""

import os
import time
from pathlib import Path
from typing import NamedTuple


class Size(NamedTuple):
    """A number of files, and their bytes."""

    files: int = 0
    bytes: int = 0

    def plus(self, other: "Size") -> "Size":
        """Return the sum of both."""
        return Size(self.files + other.files, self.bytes + other.bytes)


def size_of(path: Path | str, until: float | None = None) -> Size:
    """Return the size of a file or of all files in a folder; a link counts as a file without content.

    What is gone, or cannot be read, counts as nothing. At the time ``until``, of ``time.monotonic``, it stops
    before the next folder, and what it has counted is less than there is.
    """
    files = total = 0
    try:
        if os.path.islink(path) or not os.path.isdir(path):
            return Size(1, 0 if os.path.islink(path) else os.lstat(path).st_size)
    except OSError:
        return Size()
    folders = [os.fspath(path)]
    while folders and (until is None or time.monotonic() < until):
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        files += 1
                        total += 0 if entry.is_symlink() else entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return Size(files, total)


def in_bytes(size: int) -> str:
    """Return a size in words: ``812 bytes``, ``12.3 kB``, ``1.2 GB``; a kB has 1,000 bytes."""
    if size < 1000:
        return f"{size} byte{'s' * (size != 1)}"
    value, units = size / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.95 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.1f} {units[0]}"
