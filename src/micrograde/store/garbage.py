"""What can be removed from the project's own store for good: what was deleted in MLflow, and its files.

A run that was deleted in MLflow's pages is still in the store, marked, with all its files. What goes and what
stays is decided here, from the rows of the store alone; ``removing`` does it.
"""

import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograde.core.errors import InputError
from micrograde.store import tags
from micrograde.store.left_out import shown
from micrograde.store.local_addresses import former_places, local_path
from micrograde.store.location import StoreLocation
from micrograde.store.sqlite_files import open_database, reason_of_sqlite

_WAIT_SECONDS = 20.0  # for a database that another process writes to
_ID = re.compile(r"(?:m-|tr-)?[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DATA_DIGEST = "data.digest"  # the param that names a table in mlruns/data
_DEFAULT = 0  # MLflow's own experiment, which it makes in an empty store only


@dataclass(frozen=True)
class DeletedRun:
    """A run that was deleted; its metrics are the last values, and NaN is left out."""

    run_id: str
    name: str
    experiment_id: int
    metrics: dict[str, float] = field(default_factory=dict)


Best = Callable[[Sequence[DeletedRun]], Collection[str]]
"""Returns the ids of the best of an experiment's deleted runs, which stay."""


@dataclass(frozen=True)
class Removal:
    """A run, a logged model or an experiment that goes.

    Attributes
    ----------
    folders
        Its own folders and files, which go with it.
    models
        Of a run: its logged models, which go before it.
    table
        Of a run: the digest of the table in ``mlruns/data`` that it was trained on.
    """

    key: str
    name: str
    folders: tuple[Path, ...] = ()
    models: tuple["Removal", ...] = ()
    table: str | None = None


@dataclass(frozen=True)
class Garbage:
    """What goes, and why the rest stays.

    Attributes
    ----------
    runs, models, experiments
        What goes, in this order; runs that others are nested under come after those.
    tables
        Digests of the tables in ``mlruns/data`` that only runs that go have used.
    users
        How many runs of the store name each table.
    stays
        A line for each thing that was deleted and stays.
    """

    runs: tuple[Removal, ...] = ()
    models: tuple[Removal, ...] = ()
    experiments: tuple[Removal, ...] = ()
    tables: tuple[str, ...] = ()
    users: Counter[str] = field(default_factory=Counter)
    stays: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.models or self.experiments)

    def paths(self, location: StoreLocation) -> list[Path]:
        """Return all files and folders that go."""
        models = [model for run in self.runs for model in run.models]
        things = (*self.runs, *models, *self.models, *self.experiments)
        tables = [table_file(location, digest) for digest in self.tables]
        return [*(path for thing in things for path in thing.folders), *tables]


def find_garbage(location: StoreLocation, older_than: float = 0, best: Best | None = None) -> Garbage:
    """Return what can be removed from the local store.

    Parameters
    ----------
    older_than
        Seconds that must have passed since it was deleted.

    Raises
    ------
    InputError
        If the store cannot be read.
    """
    database = location.database
    if not database.exists() or database.stat().st_size == 0:
        return Garbage()
    try:
        with closing(open_database(database, _WAIT_SECONDS, read_only=True)) as connection:
            connection.execute("begin")
            return _Search(connection, location, older_than, best).found()
    except sqlite3.Error as error:
        raise InputError(f"{database}: cannot be read ({reason_of_sqlite(error)})") from None


def table_file(location: StoreLocation, digest: str) -> Path:
    """Return the file of a table that Python gave."""
    return location.folder / "data" / f"{digest}.parquet"


def is_launch_waiting(location: StoreLocation) -> bool:
    """Return whether a launch is at work, or has left records that are not in their store yet."""
    try:
        return any(entry.is_dir() for entry in os.scandir(location.folder / "launches"))
    except OSError:
        return False


def own_folder(address: object, key: str, location: StoreLocation) -> Path | None:
    """Return the folder in ``mlruns/`` that is named ``key`` in an address; None if there is none.

    Links on the way to it are resolved, and must not lead out; it may itself be a link.
    """
    path = local_path(address) if isinstance(address, str) else None
    if path is None or not _ID.fullmatch(key) or ".." in path.parts:
        return None
    roots = [os.path.realpath(root) for root in (location.folder, location.artifact_root or location.folder)]
    for place in (path, *(location.folder / tail for _, tail in former_places(path))):
        if not place.is_absolute() or key not in place.parts:
            continue
        folder = Path(*place.parts[: place.parts.index(key) + 1])
        parent = Path(os.path.realpath(folder.parent))
        if any(parent.is_relative_to(root) for root in roots):
            return folder
    return None


class _Search:
    """The rows of a store, and what follows from them."""

    def __init__(
        self, connection: sqlite3.Connection, location: StoreLocation, older_than: float, best: Best | None
    ) -> None:
        self.connection, self.location, self.best = connection, location, best
        self.before = time.time() * 1000 - older_than * 1000
        self.any_age = older_than == 0
        self.stays: list[str] = []
        self.young = 0
        read = self.read
        self.runs = {
            str(row[0]): row
            for row in read(
                "select run_uuid, name, status, lifecycle_stage, deleted_time, experiment_id, artifact_uri "
                "from runs order by start_time, rowid"
            )
        }
        self.models = read(
            "select model_id, name, source_run_id, lifecycle_stage, last_updated_timestamp_ms, "
            "experiment_id, artifact_location from logged_models"
        )
        self.parent = dict(read("select run_uuid, value from tags where key = ?", tags.PARENT))
        self.launch = dict(read("select run_uuid, value from tags where key = ?", tags.LAUNCH))
        self.table = {
            run: digest
            for run, digest in read("select run_uuid, value from params where key = ?", _DATA_DIGEST)
            if isinstance(digest, str) and _DIGEST.fullmatch(digest)
        }
        self.registered = self._registered()
        self.in_folder_of = self._borrowed()

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()

    def _registered(self) -> dict[str, str]:
        """Return the registered version that needs each run or logged model, by its id."""
        found: dict[str, str] = {}
        for name, version, run, *addresses in self.read(
            "select name, version, run_id, source, storage_location from model_versions "
            "where coalesce(current_stage, '') <> 'Deleted_Internal'"
        ):
            needed = {str(run)} | {key for address in addresses for key in _ID.findall(str(address))}
            found |= dict.fromkeys(needed, f"{shown(name)} version {shown(str(version))}")
        for model in self.models:
            if model[0] in found and model[2]:
                found.setdefault(str(model[2]), found[model[0]])
            elif model[2] in found:
                found.setdefault(str(model[0]), found[str(model[2])])
        return found

    def _borrowed(self) -> dict[str, str]:
        """Return, for an id in the address of another run's or model's files, that other's id."""
        addresses = [(key, row[6]) for key, row in self.runs.items()]
        addresses += [(str(row[0]), row[6]) for row in self.models]
        return {
            named: key
            for key, address in addresses
            if isinstance(address, str)
            for named in _ID.findall(address)
            if named != key
        }

    def found(self) -> Garbage:
        going = self._going_runs()
        of_run: dict[str, list[Removal]] = {}
        models = []
        for row in self.models:
            key, name, run = str(row[0]), row[1], row[2]
            if run in going:
                of_run.setdefault(str(run), []).append(Removal(key, shown(name), self._folders(key, row[6])))
            elif self._model_goes(row):
                models.append(Removal(key, shown(name), self._folders(key, row[6])))
        users = Counter(digest for run, digest in self.table.items() if run in self.runs)
        runs = [
            Removal(
                key,
                shown(self.runs[key][1]),
                self._folders(key, self.runs[key][6]),
                tuple(of_run.get(key, ())),
                self.table.get(key),
            )
            for key in going
        ]
        tables = self._tables(going, users)
        gone = {each.key for each in (*runs, *models, *(model for run in runs for model in run.models))}
        experiments = self._experiments(gone)
        if self.young:
            self.stays.append(f"{self.young} more: deleted later than that, or it is not known when")
        return Garbage(
            tuple(runs), tuple(models), tuple(experiments), tuple(tables), users, tuple(self.stays)
        )

    def _going_runs(self) -> list[str]:
        """Return the ids of the runs that go, those nested under others before these."""
        deleted = [key for key, row in self.runs.items() if row[3] == "deleted"]
        best = self._best(deleted)
        reasons: dict[str, str] = {}
        going: list[str] = []
        for key in deleted:
            if not self._is_old(self.runs[key][4]):
                self.young += 1
            elif reason := self._reason(key, best):
                reasons[key] = reason
            else:
                going.append(key)
        children: dict[str, list[str]] = {}
        for child, parent in self.parent.items():
            if child in self.runs:
                children.setdefault(str(parent), []).append(child)
        while True:  # a run that stays makes the one that it is nested under stay
            stay = set(self.runs).difference(going)
            held = {key: child for key in going for child in children.get(key, ()) if child in stay}
            if not held:
                break
            for key, child in held.items():
                going.remove(key)
                reasons[key] = f"run {shown(child)}, which stays, is nested under it"
        self.stays += [
            f"run {shown(key)} ({shown(self.runs[key][1])}): {why}" for key, why in reasons.items()
        ]
        return sorted(going, key=lambda key: key in children)

    def _reason(self, key: str, best: Collection[str]) -> str | None:
        """Return why a deleted run stays; None if it does not."""
        if self.runs[key][2] == "RUNNING":
            return "it is RUNNING"
        if key in self.registered:
            return f"its model is registered as {self.registered[key]}"
        launch = self.launch.get(key)
        if isinstance(launch, str) and launch and (self.location.folder / "launches" / launch).is_dir():
            return f"launch {shown(launch)} has records of it that are not in the store yet"
        if key in self.in_folder_of:
            return f"{shown(self.in_folder_of[key])} has files in its folder"
        return "it is one of the best of those deleted" if key in best else None

    def _best(self, deleted: Sequence[str]) -> set[str]:
        if self.best is None:
            return set()
        metrics: dict[str, dict[str, float]] = {}
        for run, key, value in self.read(
            "select m.run_uuid, m.key, m.value from latest_metrics m join runs r on r.run_uuid = m.run_uuid "
            "where r.lifecycle_stage = 'deleted' and m.is_nan = 0 and m.key in "
            "('val/accuracy', 'train/accuracy', 'val/loss', 'train/loss') and typeof(m.value) <> 'text'"
        ):
            metrics.setdefault(str(run), {})[key] = float(value)
        groups: dict[int, list[DeletedRun]] = {}
        for key in deleted:
            row = self.runs[key]
            run = DeletedRun(key, str(row[1]), row[5], metrics.get(key, {}))
            groups.setdefault(row[5], []).append(run)
        return {key for group in groups.values() for key in self.best(group)}

    def _model_goes(self, row: tuple[Any, ...]) -> bool:
        """Return whether a logged model, whose run stays or is not there, goes by itself."""
        key, name, run = str(row[0]), row[1], self.runs.get(str(row[2]))
        if row[3] != "deleted" or (run is not None and run[2] == "RUNNING"):
            return False
        if not self._is_old(row[4]):
            self.young += 1
            return False
        if key in self.registered:
            self.stays.append(f"model {shown(key)} ({shown(name)}): is registered as {self.registered[key]}")
            return False
        return key not in self.in_folder_of

    def _tables(self, going: Iterable[str], users: Counter[str]) -> list[str]:
        """Return the tables that go with the last runs that name them."""
        leaving = Counter(self.table[key] for key in going if key in self.table)
        waiting = is_launch_waiting(self.location)
        gone = []
        for digest, number in leaving.items():
            if not table_file(self.location, digest).exists():
                continue
            if waiting:
                self.stays.append(f"data {digest[:12]}: a launch is at work, or waits for micrograde sync")
            elif users[digest] > number:
                others = users[digest] - number
                verb = "uses" if others == 1 else "use"
                self.stays.append(f"data {digest[:12]}: {others} run{'s' * (others > 1)} that stay {verb} it")
            else:
                gone.append(digest)
        return gone

    def _experiments(self, gone: Collection[str]) -> list[Removal]:
        found = []
        held = Counter(row[5] for key, row in self.runs.items() if key not in gone)
        held.update(row[5] for row in self.models if str(row[0]) not in gone and str(row[2]) not in gone
                    and (row[2] is not None or str(row[0]) in self.registered))  # fmt: skip
        for (
            key,
            name,
            changed,
        ) in self.read(
            "select experiment_id, name, last_update_time from experiments where lifecycle_stage = 'deleted'"
        ):
            if not self._is_old(changed):
                self.young += 1
            elif held[key]:
                what = f"{held[key]} run{'s' * (held[key] > 1)} or models of it stay"
                self.stays.append(f"experiment {shown(name)}: {what}")
            elif key == _DEFAULT:
                self.stays.append(f"experiment {shown(name)}: is MLflow's own, which it does not make again")
            else:
                own = [(str(row[0]), row[6]) for row in self.models if row[5] == key]
                own += self._traces(key)
                folders = [path for model, address in own for path in self._folders(model, address)]
                found.append(Removal(str(key), shown(name), tuple(folders)))
        return found

    def _traces(self, experiment: int) -> list[tuple[str, object]]:
        return [
            (str(trace), address)
            for trace, address in self.read(
                "select t.request_id, g.value from trace_info t join trace_tags g "
                "on g.request_id = t.request_id and g.key = 'mlflow.artifactLocation' "
                "where t.experiment_id = ?",
                experiment,
            )
        ]

    def _folders(self, key: str, address: object) -> tuple[Path, ...]:
        folder = own_folder(address, key, self.location)
        if folder is not None:
            return (folder,)
        path = local_path(address) if isinstance(address, str) else None
        if isinstance(address, str) and (path is None or os.path.lexists(path)):
            self.stays.append(f"files of {shown(key)}: are not in mlruns, but at {shown(address)}")
        return ()

    def _is_old(self, deleted: object) -> bool:
        return self.any_age or (isinstance(deleted, int) and deleted <= self.before)
