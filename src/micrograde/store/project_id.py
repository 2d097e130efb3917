"""The id of an ``mlruns``: a random text in the file ``mlruns/project.json``, also a tag of its runs.

A run of this project whose launch has no folder any more is not in training, wherever its process was: what
a launch does is in its folder until it is over. A copy of the project is another one, whose launches are not
the original's: the file says which folder it was made for.
"""

import json
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

from micrograde.core.bounds import LONGEST_NOTE
from micrograde.core.json_files import read_json

_FILE = "project.json"
_ID = re.compile("[0-9a-f]{32}")


def project_id(mlruns: Path) -> str:
    """Return the id, which is made if there is none; empty if it cannot be written."""
    found = known_project_id(mlruns)
    if found:
        return found
    content = json.dumps({"id": uuid.uuid4().hex, "folder": _number(mlruns)})
    aside, path = mlruns / f".{_FILE}.{uuid.uuid4().hex}", mlruns / _FILE
    with suppress(OSError):
        aside.write_text(content, encoding="utf-8")
        try:
            if path.exists():  # damaged, or a copy of another project's
                aside.replace(path)
            else:  # of two processes at once, the first one's stays
                with suppress(FileExistsError):
                    os.link(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return known_project_id(mlruns) or ""


def known_project_id(mlruns: Path) -> str | None:
    """Return the id; None if there is none, it cannot be read, or it was made for another folder."""
    try:
        content = read_json(mlruns / _FILE, LONGEST_NOTE)
        found, folder = content["id"], content["folder"]
        sound = isinstance(found, str) and _ID.fullmatch(found) is not None
        return found if sound and folder == _number(mlruns) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _number(mlruns: Path) -> int:
    """Return what the folder keeps when it is moved, and a copy does not have."""
    return os.stat(mlruns).st_ino
