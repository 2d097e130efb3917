"""Finding the file that a config key names."""

import os
from pathlib import Path, PurePath

from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password

_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
_LONGEST_NAME = 250


def existing_file(value: str, key: str) -> Path:
    """Return the path of the readable file ``value``, relative to the working directory; ``~`` is expanded.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read; the message names ``key`` and the path.
    """
    try:
        path = Path(value).expanduser()
        is_folder, is_there = path.is_dir(), path.exists()
    except (OSError, RuntimeError) as error:  # such as a name too long, a folder without permission, ~nobody
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{key}={value}: cannot be read ({reason})") from None
    if is_folder:
        raise InputError(f"{key}={value}: is a directory; needs a file")
    if not is_there:
        where = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise InputError(f"{key}={value}: there is no such file{where}")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise InputError(f"{key}={value}: cannot be read; needs a regular file with read permission")
    return path


def name_of_file(path: str) -> str:
    """Return a file's name without its ending, such as ``.csv`` or ``.csv.gz``, as the name of an experiment.

    Characters that a terminal does not show are replaced, and passwords hidden; empty if nothing is left.
    """
    name = PurePath(path)
    if name.suffix.lower() in _COMPRESSED:
        name = PurePath(name.stem)
    text = "".join(each if each.isprintable() else "_" for each in name.stem)
    text = without_password(text)[:_LONGEST_NAME].strip()
    return text if without_password(text) == text else ""
