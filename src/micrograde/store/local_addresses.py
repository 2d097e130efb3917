"""The addresses of files that a local store keeps, and the folders in ``mlruns/`` that they mean.

MLflow keeps absolute addresses. Those of a project that has been moved or copied lead to where it was, those
of an experiment that MLflow itself has made to wherever that was done. Files are read in ``mlruns/`` alone
and written in ``mlruns/`` alone, whatever an address says.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlparse

from micrograde.store.location import StoreLocation

_LOCKED_SECONDS = 20.0
_LONGEST = 4096  # characters of a path; the system opens no longer one, and links in it take time
_SET = {
    "run": "update runs set artifact_uri = ? where run_uuid = ?",
    "logged model": "update logged_models set artifact_location = ? where model_id = ?",
}


def folder_here(address: str, location: StoreLocation) -> Path | None:
    """The folder in ``mlruns/`` that an address means, links resolved; None if it means none.

    Of a former place of the project, ``<anything>/mlruns/<tail>``, that is ``<tail>`` here, if it is there.
    """
    path = local_path(address)
    if path is None:
        return None
    if lies_here(path, location):
        return Path(os.path.realpath(path))
    for _, tail in former_places(path):
        if exists_here(tail, location):
            return Path(os.path.realpath(location.folder / tail))
    return None


def lies_here(path: Path, location: StoreLocation) -> bool:
    """Whether a path leads into ``mlruns/``, or to where its ``artifacts`` are a link to."""
    real = Path(os.path.realpath(path))
    roots = (location.folder, location.artifact_root or location.folder)
    return any(real.is_relative_to(os.path.realpath(root)) for root in roots)


def exists_here(tail: Path, location: StoreLocation) -> bool:
    """Whether there is such a file or folder in ``mlruns/``."""
    return os.path.exists(location.folder / tail) and lies_here(location.folder / tail, location)


def local_path(address: str) -> Path | None:
    """The path of an address on this machine, as MLflow reads it: unquoted with ``file:`` and without."""
    try:
        parts = urlparse(address)
    except ValueError:  # such as a bracket in the place of a host
        return None
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost") or not address:
        return None
    path = unquote(parts.path if parts.scheme else address)
    return None if "\0" in path or len(path) > _LONGEST else Path(path)


def is_readable_by_mlflow(address: str) -> bool:
    """Whether MLflow can make addresses of runs and models from this one, wherever it leads."""
    try:
        parts = urlparse(address)
    except ValueError:
        return False
    return "\0" not in address and ".." not in unquote(unquote(parts.query))


def former_places(path: Path) -> Iterator[tuple[Path, Path]]:
    """Each ``mlruns`` that a path leads through and what follows it there, the longest first."""
    parts = path.parts
    if ".." in parts:
        return
    for place, part in enumerate(parts[:-1], start=1):
        if part == "mlruns":
            yield Path(*parts[:place]), Path(*parts[place:])


def experiment_folder(experiment_name: str) -> str:
    """A folder for an experiment's files: its name made harmless, and a digest to keep names apart."""
    harmless = re.sub(r"[^A-Za-z0-9_-]+", "_", experiment_name)[:40]
    return f"{harmless}-{hashlib.sha256(experiment_name.encode()).hexdigest()[:8]}"


def set_address(
    location: StoreLocation, kind: Literal["run", "logged model"], key: str, folder: Path
) -> None:
    """Have the local store say that the files of a run or a logged model are in this folder."""
    assert location.database
    with closing(sqlite3.connect(location.database, timeout=_LOCKED_SECONDS)) as connection, connection:
        connection.execute(_SET[kind], (folder.as_uri(), key))
