"""Small JSON files that somebody else may have written: read within bounds, whatever is in their place."""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any


def read_json(path: Path, longest: int) -> Any:
    """What a JSON file says.

    Raises
    ------
    OSError
        If there is no file that can be read.
    ValueError
        If it is longer than ``longest`` bytes, or holds no JSON; also if that is nested too deep.
    """
    # What is no file, such as a pipe, would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("is no file")
        content = stream.read(longest + 1)
    if len(content) > longest:
        raise ValueError(f"is longer than {longest:,} bytes")
    return parse_json(content)


def parse_json(content: bytes | str) -> Any:
    """The same of a text.

    Raises
    ------
    ValueError
        If it is no JSON, or nested too deep.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def canonical_digest(content: Any) -> str:
    """Return the SHA-256 of all that the JSON says, whatever its layout, in 64 hexadecimal digits."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
