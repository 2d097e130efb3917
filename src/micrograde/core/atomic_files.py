"""Files that are there whole or not at all, however a process ends."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes | str, *, durable: bool = False) -> None:
    """Write the file under another name beside it, then give it its own; text is UTF-8.

    ``durable`` waits until the disk has the content, which then survives a loss of power.
    """
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    aside.replace(path)
