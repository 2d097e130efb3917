"""Write files atomically: a file is complete or absent, even if the process dies while writing."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes | str, *, durable: bool = False) -> None:
    """Write a file under a temporary name beside it, then rename it; text is encoded as UTF-8.

    With ``durable`` the content is on the disk before the file is renamed, and survives a loss of power.
    """
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    aside.replace(path)
