"""What in a store needs the files of a run: registered models, runs that were made from them, launches."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from micrograde.core.locks import is_held
from micrograde.store import tags
from micrograde.store.left_out import shown
from micrograde.store.location import StoreLocation

_ID = re.compile(r"(?<![0-9a-f])(?:m-)?[0-9a-f]{32}(?![0-9a-f])")  # of a run or a logged model
_DIGEST = re.compile(r"[0-9a-f]{33,}")  # most values that are as long as an id
_LONGEST = 8000  # characters of a value in which ids are looked for
_MENTIONS = (tags.BEST_RUN_ID, tags.NOTE)  # tags that name runs without a need for their files


class Need(NamedTuple):
    """A run that is needed for as long as another one is there.

    Attributes
    ----------
    run, by
        The ids of both.
    what
        What the other one does, such as ``is nested under it``.
    """

    run: str
    by: str
    what: str


class References:
    """What the rows of a store, and launches, say about who needs which runs and logged models.

    Attributes
    ----------
    registered
        By the id of a run or logged model, the registered version that needs it.
    source
        By the id of a logged model, the run that it comes from.
    needs
        Which runs need others.
    """

    def __init__(self, connection: sqlite3.Connection, location: StoreLocation) -> None:
        self._connection, self._location = connection, location
        self.source = {
            str(model): str(run)
            for model, run in self._read("select model_id, source_run_id from logged_models")
            if run
        }
        self.registered = self._registered()
        self._launches: dict[str, set[str]] = {}
        for run, key, value in self._read(
            "select run_uuid, key, substr(value, 1, 200) from tags where key in (?, ?)",
            tags.LAUNCH,
            tags.ORIGIN,
        ):
            launch = str(value) if key == tags.LAUNCH else str(value).rpartition("-")[0]
            self._launches.setdefault(str(run), set()).add(launch)
        self._used: set[str] = set()
        self.needs = [*self._nested(), *self._named(), *self._in_folders()]
        self._experiments = {
            key: str(name)
            for name, address in self._read("select name, artifact_location from experiments")
            for key in _ID.findall(str(address))
        }

    def why_recorded(self, run: str) -> str | None:
        """Return why records of a run may still come; None if they cannot."""
        launches = self._location.folder / "launches"
        for launch in sorted(self._launches.get(run, ())):
            if launch and "/" not in launch and (launches / launch).is_dir():
                return f"launch {shown(launch)} has records of it that are not in the store yet"
        if is_held(self._location.folder / "claims" / f"{run}.launch"):
            return "a process resumes it"
        return None

    def is_in_use(self, model: str) -> bool:
        """Return whether a run names a logged model in its recipe, or has files in its folder."""
        return model in self._used

    def experiment_in(self, key: str) -> str | None:
        """Return the name of an experiment whose files are in the folder of a run or logged model."""
        return self._experiments.get(key)

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def _registered(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, version, run, *addresses in self._read(
            "select name, version, run_id, source, storage_location from model_versions "
            "where coalesce(current_stage, '') <> 'Deleted_Internal'"
        ):
            needed = {str(run)} | {key for address in addresses for key in _ID.findall(str(address))}
            found |= dict.fromkeys(needed, f"{shown(name)} version {shown(str(version))}")
        for model, run in self.source.items():  # a model has files in common with the run that it comes from
            if version := found.get(model, found.get(run)):
                found.setdefault(model, version)
                found.setdefault(run, version)
        return found

    def _nested(self) -> Iterator[Need]:
        for child, parent in self._read("select run_uuid, value from tags where key = ?", tags.PARENT):
            yield Need(str(parent), str(child), "is nested under it")

    def _named(self) -> Iterator[Need]:
        """Yield what runs name in their recipe, such as a file of another run that they were trained on."""
        mentions = ", ".join("?" * len(_MENTIONS))
        long = f"length(value) between 32 and {_LONGEST}"
        for run, key, value in self._read(
            f"select run_uuid, key, value from params where {long} union all "
            f"select run_uuid, key, value from tags where {long} and key not in ({mentions}) "
            f"and substr(key, 1, {len(tags.OWN)}) = ?",
            *_MENTIONS,
            tags.OWN,
        ):
            for key_of in (
                _ID.findall(value) if isinstance(value, str) and not _DIGEST.fullmatch(value) else ()
            ):
                self._used.add(key_of)
                yield Need(self.source.get(key_of, key_of), str(run), f"names it in {shown(key)}")

    def _in_folders(self) -> Iterator[Need]:
        """Yield runs in whose folder another run, or a logged model of another run, has its files."""
        addresses = [
            *self._read("select run_uuid, run_uuid, artifact_uri from runs"),
            *self._read("select model_id, source_run_id, artifact_location from logged_models"),
        ]
        for key, run, address in addresses:
            for named in _ID.findall(str(address)):
                if named != key:
                    self._used.add(named)
                    yield Need(self.source.get(named, named), str(run or key), "has files in its folder")
