"""What can be removed from the project's own store for good: what was deleted in MLflow, and its files.

A run that was deleted in MLflow's pages is still in the store, marked, with all its files. What goes and what
stays is decided here, from the rows of the store; ``removing`` does it.
"""

import os
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograde.core.errors import InputError
from micrograde.metrics import KEPT, ranking_metrics
from micrograde.store.given_tables import DIGEST, given_tables, is_table, table_file, why_used
from micrograde.store.left_out import shown
from micrograde.store.local_addresses import OwnFolders, lies_here, local_path
from micrograde.store.location import StoreLocation
from micrograde.store.references import References
from micrograde.store.sqlite_files import open_database, reason_of_sqlite

_WAIT_SECONDS = 20.0  # for a database that another process writes to
_AT_WORK = ("RUNNING", "SCHEDULED")
_DEFAULT = 0  # MLflow's own experiment, which it makes in an empty store only
_RANKED = (*ranking_metrics("val"), *ranking_metrics("train"), "val/loss", "train/loss")
_KEPT = tuple(KEPT + name for name in _RANKED)
_SHORT = 12  # digits of a digest that are shown


@dataclass(frozen=True)
class DeletedRun:
    """A run that was deleted; its metrics are the last values, and NaN is left out."""

    run_id: str
    name: str
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
    emptied
        Of an experiment: folders that go with it if nothing is left in them.
    """

    key: str
    name: str
    folders: tuple[Path, ...] = ()
    models: tuple["Removal", ...] = ()
    emptied: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Garbage:
    """What goes, and why the rest stays.

    Attributes
    ----------
    runs, models, experiments
        What goes, in this order; runs that others are nested under come after those.
    tables
        Digests of the tables in ``mlruns/data`` that no run names but those that go.
    named
        Those of the tables that runs which go still name: they come last.
    stays
        A line for each thing that was deleted and stays.
    """

    runs: tuple[Removal, ...] = ()
    models: tuple[Removal, ...] = ()
    experiments: tuple[Removal, ...] = ()
    tables: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    stays: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.models or self.experiments or self.tables)

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """The kind and the key of each thing that goes."""
        kinds = {"run": self.runs, "model": self.models, "experiment": self.experiments}
        things = {(kind, thing.key) for kind, those in kinds.items() for thing in those}
        return frozenset(things | {("table", digest) for digest in self.tables})

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


def is_launch_waiting(location: StoreLocation) -> bool:
    """Return whether a launch is at work, or has left records that are not in their store yet."""
    try:
        return any(entry.is_dir() for entry in os.scandir(location.folder / "launches"))
    except OSError:
        return False


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
        self.runs = {
            str(row[0]): row
            for row in self.read(
                "select run_uuid, name, status, lifecycle_stage, deleted_time, experiment_id, artifact_uri "
                "from runs order by start_time, rowid"
            )
        }
        self.models = self.read(
            "select model_id, name, source_run_id, lifecycle_stage, last_updated_timestamp_ms, "
            "experiment_id, artifact_location from logged_models"
        )
        self.references = References(connection, location)
        self.own_folders = OwnFolders(location)

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()

    def found(self) -> Garbage:
        going = self._going_runs()
        of_run: dict[str, list[Removal]] = {}
        models = []
        for row in self.models:
            key, name, run = str(row[0]), row[1], str(row[2])
            if run in going:
                of_run.setdefault(run, []).append(Removal(key, shown(name), self._folders(key, row[6])))
            elif self._model_goes(row):
                models.append(Removal(key, shown(name), self._folders(key, row[6])))
        runs = [
            Removal(
                key,
                shown(self.runs[key][1]),
                self._folders(key, self.runs[key][6]),
                tuple(of_run.get(key, ())),
            )
            for key in going
        ]
        gone = {each.key for each in (*runs, *models, *(model for run in runs for model in run.models))}
        experiments = list(self._experiments(gone))
        tables, named = self._tables(set(going))
        if self.young:
            self.stays.append(f"{self.young:,} deleted later than that, or it is not known when")
        return Garbage(
            tuple(runs), tuple(models), tuple(experiments), tuple(tables), named, tuple(self.stays)
        )

    def _going_runs(self) -> list[str]:
        """Return the ids of the runs that go, those nested under others before these."""
        deleted = [key for key, row in self.runs.items() if row[3] == "deleted"]
        best = self._best(deleted)
        reasons: dict[str, str] = {}
        going: dict[str, None] = {}
        for key in deleted:
            if not self._is_old(self.runs[key][4]):
                self.young += 1
            elif reason := self._reason(key, best):
                reasons[key] = reason
            else:
                going[key] = None
        needs = self.references.needs
        needed_by: dict[str, list[tuple[str, str]]] = {}
        for run, by, what in needs:
            if run in going and run != by:
                needed_by.setdefault(by, []).append((run, what))
        models = {str(row[0]) for row in self.models if row[3] != "deleted"}
        staying = deque(by for by in needed_by if by not in going and (by in self.runs or by in models))
        while staying:
            by = staying.popleft()
            for run, what in needed_by.get(by, ()):
                if run in going:
                    del going[run]
                    reasons[run] = f"run {shown(by)}, which stays, {what}"
                    staying.append(run)
        self.stays += [
            f"run {shown(key)} ({shown(self.runs[key][1])}): {why}" for key, why in reasons.items()
        ]
        parents = {need.run for need in needs}
        return sorted(going, key=lambda key: key in parents)

    def _reason(self, key: str, best: Collection[str]) -> str | None:
        """Return why a deleted run stays, whatever becomes of other runs; None if it does not."""
        if self.runs[key][2] in _AT_WORK:
            return f"it is {self.runs[key][2]}"
        if key in self.references.registered:
            return f"its model is registered as {self.references.registered[key]}"
        if recorded := self.references.why_recorded(key):
            return recorded
        if experiment := self.references.experiment_in(key):
            return f"experiment {shown(experiment)} has its files in its folder"
        return "it is one of the best of those deleted" if key in best else None

    def _best(self, deleted: Sequence[str]) -> set[str]:
        if self.best is None:
            return set()
        metrics: dict[str, dict[str, float]] = {}
        for run, key, value in self.read(
            "select m.run_uuid, m.key, m.value from latest_metrics m join runs r on r.run_uuid = m.run_uuid "
            "where r.lifecycle_stage = 'deleted' and m.is_nan = 0 and m.key in "
            f"({', '.join(map(repr, (*_RANKED, *_KEPT)))}) and typeof(m.value) <> 'text'"
        ):
            metrics.setdefault(str(run), {})[key] = float(value)
        for values in metrics.values():  # of runs that recorded no values of the kept model: the last ones
            for kept, last in zip(_KEPT, _RANKED, strict=True):
                if kept not in values and last in values:
                    values[kept] = values[last]
        groups: dict[int, list[DeletedRun]] = {}
        for key in deleted:
            row = self.runs[key]
            groups.setdefault(row[5], []).append(DeletedRun(key, str(row[1]), metrics.get(key, {})))
        return {key for group in groups.values() for key in self.best(group)}

    def _model_goes(self, row: tuple[Any, ...]) -> bool:
        """Return whether a logged model, whose run stays or is not there, goes by itself."""
        key, name, run = str(row[0]), row[1], self.runs.get(str(row[2]))
        if row[3] != "deleted" or (run is not None and run[2] in _AT_WORK):
            return False
        if not self._is_old(row[4]):
            self.young += 1
            return False
        if key in self.references.registered:
            registered = self.references.registered[key]
            self.stays.append(f"model {shown(key)} ({shown(name)}): is registered as {registered}")
            return False
        if self.references.is_in_use(key):
            self.stays.append(f"model {shown(key)} ({shown(name)}): a run uses its files")
            return False
        return True

    def _tables(self, going: Collection[str]) -> tuple[list[str], frozenset[str]]:
        """Return the tables that go, and which of them runs that go name."""
        users: dict[str, list[str]] = {}
        for run, digest in self.read("select run_uuid, value from params where key = ?", DIGEST):
            if is_table(digest) and str(run) in self.runs:
                users.setdefault(digest, []).append(str(run))
        waiting = is_launch_waiting(self.location)
        gone = []
        for digest in given_tables(self.location):
            of_table = users.get(digest, [])
            stay = sum(run not in going for run in of_table)
            if of_table and stay == len(of_table):
                continue  # nothing that was deleted has to do with it
            why = f"{stay:,} run{'s' * (stay != 1)} that stay{'s' * (stay == 1)} use{'s' * (stay == 1)} it"
            if not stay:
                why = "a launch is at work, or waits for micrograde sync" if waiting else ""
            if not why:
                with suppress(FileNotFoundError):
                    why = why_used(self.location, digest) or ""
            if why:
                self.stays.append(f"data {digest[:_SHORT]}: {why}")
            else:
                gone.append(digest)
        return gone, frozenset(users).intersection(gone)

    def _experiments(self, gone: Collection[str]) -> Iterator[Removal]:
        """Yield the experiments that go: nothing stays in them."""
        runs = Counter(row[5] for key, row in self.runs.items() if key not in gone)
        models = Counter(
            row[5]
            for row in self.models
            if str(row[0]) not in gone and (row[2] is not None or str(row[0]) in self.references.registered)
        )
        for key, name, changed, address in self.read(
            "select experiment_id, name, last_update_time, artifact_location from experiments "
            "where lifecycle_stage = 'deleted'"
        ):
            staying = [
                f"{number[key]:,} {what}{'s' * (number[key] != 1)}"
                for number, what in ((runs, "run"), (models, "logged model"))
                if number[key]
            ]
            if not self._is_old(changed):
                self.young += 1
            elif staying:
                verb = "stays" if runs[key] + models[key] == 1 else "stay"
                self.stays.append(f"experiment {shown(name)}: {' and '.join(staying)} of it {verb}")
            elif key == _DEFAULT:
                self.stays.append(f"experiment {shown(name)}: is MLflow's own, which it does not make again")
            else:
                own = [(str(row[0]), row[6]) for row in self.models if row[5] == key]
                own += self._traces(key)
                folders = [path for each, place in own for path in self._folders(each, place)]
                yield Removal(str(key), shown(name), tuple(folders), emptied=self._emptied(address))

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
        folder = self.own_folders.find(address, key)
        if folder is not None:
            return (folder,)
        path = local_path(address) if isinstance(address, str) else None
        if isinstance(address, str) and (path is None or os.path.lexists(path)):
            self.stays.append(
                f"files of {shown(key)}: are not in a folder of their own in mlruns, but at {shown(address)}"
            )
        return ()

    def _emptied(self, address: object) -> tuple[Path, ...]:
        """Return the folders that an experiment's runs, models and traces leave, the innermost first."""
        folder = local_path(address) if isinstance(address, str) else None
        roots = (self.location.folder, self.location.artifact_root)
        if (
            folder is None
            or not folder.is_absolute()
            or folder in roots
            or not lies_here(folder, self.location)
        ):
            return ()
        return (folder / "models", folder / "traces", folder)

    def _is_old(self, deleted: object) -> bool:
        return self.any_age or (isinstance(deleted, int) and deleted <= self.before)
