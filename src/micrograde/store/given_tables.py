"""Tables in ``mlruns/data`` that Python gave, and who uses them.

The project's own store says which of its runs name a table. Of runs that are recorded elsewhere a file beside
the table is left, ``<digest>.elsewhere``; a process that has read a table holds a lock on it.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from micrograde.core.locks import locked_alone
from micrograde.store.location import StoreLocation

DIGEST = "data.digest"
"""The param that names a table."""

_NAME = re.compile(r"([0-9a-f]{64})\.parquet")


def is_table(digest: object) -> bool:
    """Return whether a param's value can name a table."""
    return isinstance(digest, str) and _NAME.fullmatch(f"{digest}.parquet") is not None


def table_file(location: StoreLocation, digest: str) -> Path:
    """Return the file of a table."""
    return location.folder / "data" / f"{digest}.parquet"


def given_tables(location: StoreLocation) -> list[str]:
    """Return the digests of the tables that are there."""
    try:
        names = sorted(os.listdir(location.folder / "data"))
    except OSError:
        return []
    return [found[1] for name in names if (found := _NAME.fullmatch(name))]


def note_use_elsewhere(location: StoreLocation, params: Mapping[str, str]) -> None:
    """Leave a note if a run, which is recorded in another store than the project's own, names a table."""
    digest = params.get(DIGEST)
    if location.artifact_root is None and digest and is_table(digest):
        with suppress(OSError):  # it cannot be written, or there is no such folder
            _note(location, digest).touch()


def why_used(location: StoreLocation, digest: str) -> str | None:
    """Return who uses a table besides the runs of the project's own store; None if nobody is known."""
    if _note(location, digest).exists():
        return "runs that are recorded in another store use it"
    with locked_alone(table_file(location, digest)) as alone:
        return None if alone else "a process that has read it is at work"


def remove_table(location: StoreLocation, digest: str) -> bool:
    """Remove a table, unless a process uses it; return whether it was removed."""
    file = table_file(location, digest)
    with locked_alone(file) as alone:
        if alone:
            file.unlink()
        return alone


def _note(location: StoreLocation, digest: str) -> Path:
    return table_file(location, digest).with_suffix(".elsewhere")
