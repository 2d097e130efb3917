"""Read small JSON files within bounds: somebody else may have written them, or put a pipe in their place."""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any


def read_json(path: Path, longest: int) -> Any:
    """Return the content of a JSON file.

    Raises
    ------
    OSError
        If there is no file, or it cannot be read.
    ValueError
        If it is not a regular file, is longer than ``longest`` bytes, is not JSON, or is nested too deep.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("is no file")
        content = stream.read(longest + 1)
    if len(content) > longest:
        raise ValueError(f"is longer than {longest:,} bytes")
    return parse_json(content)


def parse_json(content: bytes | str) -> Any:
    """Return the content of a JSON text.

    Raises
    ------
    ValueError
        If it is not JSON, or is nested too deep.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def canonical_digest(content: Any) -> str:
    """Return the SHA-256 of JSON content in 64 hexadecimal digits, whatever its layout and order of keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
