"""Translate the file addresses in a local store into folders in ``mlruns/``.

MLflow stores absolute addresses. After a project has been moved or copied they lead to its former place;
those of an experiment that MLflow itself created lead to the folder where that was done. Files are read and
written in ``mlruns/`` only, whatever an address says.
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
_LONGEST = 4096  # characters of a path; the system opens no longer one, and resolving its links takes time
_ID = re.compile(r"(?:m-|tr-)?[0-9a-f]{32}")  # of a run, a logged model, or a trace
ADDRESSES = {
    "run": "update runs set artifact_uri = ? where run_uuid = ?",
    "logged model": "update logged_models set artifact_location = ? where model_id = ?",
}
"""The statements that set the address of a kind of thing, by its key."""


def folder_here(address: str, location: StoreLocation) -> Path | None:
    """Return the folder in ``mlruns/`` that an address means, links resolved; None if it means none.

    An address at a former place of the project, ``<anything>/mlruns/<tail>``, means ``<tail>`` in this
    project's ``mlruns/``, if that exists.
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
    """Return whether a path leads into ``mlruns/``, or into the folder that its ``artifacts`` link to."""
    real = Path(os.path.realpath(path))
    roots = (location.folder, location.artifact_root or location.folder)
    return any(real.is_relative_to(os.path.realpath(root)) for root in roots)


def exists_here(tail: Path, location: StoreLocation) -> bool:
    """Return whether ``mlruns/`` has a file or folder at this relative path."""
    return os.path.exists(location.folder / tail) and lies_here(location.folder / tail, location)


def local_path(address: str) -> Path | None:
    """Return the path that an address means on this machine; None if it means none.

    As in MLflow, percent escapes are decoded, whether the address begins with ``file:`` or not.
    """
    try:
        parts = urlparse(address)
    except ValueError:  # such as a bracket in the place of a host
        return None
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost") or not address:
        return None
    path = unquote(parts.path if parts.scheme else address)
    return None if "\0" in path or len(path) > _LONGEST else Path(path)


def is_readable_by_mlflow(address: str) -> bool:
    """Return whether MLflow can derive the addresses of runs and models from this one, wherever it leads."""
    try:
        parts = urlparse(address)
    except ValueError:
        return False
    return "\0" not in address and ".." not in unquote(unquote(parts.query))


def former_places(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each ``mlruns`` folder in a path, with the rest of the path; the longest rest first."""
    parts = path.parts
    if ".." in parts:
        return
    for place, part in enumerate(parts[:-1], start=1):
        if part == "mlruns":
            yield Path(*parts[:place]), Path(*parts[place:])


class OwnFolders:
    """Finds the folders in ``mlruns/`` that are a run's, a model's or a trace's own."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        roots = (location.folder, location.artifact_root or location.folder)
        self._roots = [os.path.realpath(root) for root in roots]
        self._lies_here: dict[Path, bool] = {}

    def find(self, address: object, key: str) -> Path | None:
        """Return the folder that is named ``key`` in an address; None if there is none.

        Links on the way to it are resolved, and must not lead out; it may itself be a link.
        """
        path = local_path(address) if isinstance(address, str) else None
        if path is None or not _ID.fullmatch(key) or ".." in path.parts:
            return None
        for place in (path, *(self._location.folder / tail for _, tail in former_places(path))):
            if place.is_absolute() and key in place.parts:
                folder = Path(*place.parts[: place.parts.index(key) + 1])
                if self._is_here(folder.parent):
                    return folder
        return None

    def _is_here(self, parent: Path) -> bool:
        if parent not in self._lies_here:
            real = Path(os.path.realpath(parent))
            self._lies_here[parent] = any(real.is_relative_to(root) for root in self._roots)
        return self._lies_here[parent]


def experiment_folder(experiment_name: str) -> str:
    """Return a folder's name for an experiment's files.

    It is the experiment's name, reduced to letters, digits, ``_`` and ``-``, and a digest that keeps names
    apart.
    """
    harmless = re.sub(r"[^A-Za-z0-9_-]+", "_", experiment_name)[:40]
    return f"{harmless}-{hashlib.sha256(experiment_name.encode()).hexdigest()[:8]}"


def set_address(
    location: StoreLocation, kind: Literal["run", "logged model"], key: str, folder: Path
) -> None:
    """Set the address of a run's or a logged model's files in the local store to this folder."""
    with closing(sqlite3.connect(location.database, timeout=_LOCKED_SECONDS)) as connection, connection:
        connection.execute(ADDRESSES[kind], (folder.as_uri(), key))
