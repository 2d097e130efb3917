"""Remove from the project's own store, for good, what ``garbage`` has found: first files, then rows.

A run's row goes last. So whoever is killed meanwhile repeats the command, and nothing is left behind.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.errors import InputError
from micrograde.core.file_sizes import Size, in_bytes, size_of
from micrograde.store.garbage import Garbage, Removal, is_launch_waiting
from micrograde.store.given_tables import remove_table, table_file
from micrograde.store.left_out import shown
from micrograde.store.library_environment import forget_servers, quiet_libraries
from micrograde.store.location import StoreLocation, StoreLock
from micrograde.store.sqlite_files import open_database, reason_of_sqlite
from micrograde.store.temporary_folders import temporary_folder

if TYPE_CHECKING:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

_WAIT_SECONDS = 20.0  # for a database that another process writes to
_HELD_SECONDS = 0.5  # for which the store's lock is held at once
_PAUSE_SECONDS = 0.05  # in which others may take it
_WORTHWHILE = 1_000_000  # bytes of free pages, from which they are given back
_SHARE = 0.1  # of the file, likewise


_STAGES = {
    "run": "select lifecycle_stage from runs where run_uuid = ?",
    "model": "select lifecycle_stage from logged_models where model_id = ?",
    "experiment": "select lifecycle_stage from experiments where experiment_id = ?",
}


@dataclass
class Removed:
    """What was removed, and a line for each thing that could not be."""

    runs: int = 0
    models: int = 0
    experiments: int = 0
    tables: int = 0
    size: Size = field(default_factory=Size)
    failed: list[str] = field(default_factory=list)


def remove(location: StoreLocation, agreed: Garbage, find: Callable[[], Garbage]) -> Removed:
    """Remove what was agreed upon, as far as ``find`` still finds it.

    It is asked again each time after others have changed the store.

    Raises
    ------
    InputError
        If MLflow cannot open the store, or it cannot be read any more.
    """
    store = _open(location)
    removed, left = Removed(), set(agreed.keys)
    garbage, seen = Garbage(), -1
    try:
        while True:
            with StoreLock(location):
                start = time.monotonic()
                number = _changes_of_others(store)
                if number != seen or not any(kind == "run" for kind, _ in left):  # then tables may go, too
                    garbage, seen = find(), number
                seconds = max(
                    _HELD_SECONDS, time.monotonic() - start
                )  # of thousands of runs it takes as long
                if not _batch(location, store, garbage, removed, left, seconds):
                    return removed
            time.sleep(_PAUSE_SECONDS)
    finally:
        store.engine.dispose()


def _open(location: StoreLocation) -> "SqlAlchemyStore":
    forget_servers()
    with quiet_libraries():
        from mlflow.exceptions import MlflowException
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        assert location.artifact_root
        try:
            with StoreLock(location):
                root = location.artifact_root.as_uri()
                return SqlAlchemyStore(location.tracking_uri, root)  # type: ignore[no-untyped-call]
        except MlflowException as error:
            raise InputError(f"{location.database}: {str(error).splitlines()[0]}") from None


def _changes_of_others(store: "SqlAlchemyStore") -> int:
    """Return a number that changes whenever the database is changed by others than MLflow here."""
    with store.engine.connect() as connection:
        return int(connection.exec_driver_sql("pragma data_version").scalar_one())


def _batch(
    location: StoreLocation,
    store: "SqlAlchemyStore",
    garbage: Garbage,
    removed: Removed,
    left: set[tuple[str, str]],
    seconds: float,
) -> bool:
    """Remove some of what is ``left`` for some seconds, and take it out; return whether there may be more."""
    store_: Any = store  # MLflow's functions have no types
    work: list[tuple[str, Removal, Callable[[str], Any]]] = [
        *(("run", each, store_._hard_delete_run) for each in garbage.runs),
        *(("model", each, store_._hard_delete_logged_model) for each in garbage.models),
        *(("experiment", each, store_._hard_delete_experiment) for each in garbage.experiments),
    ]
    until, before = time.monotonic() + seconds, removed.runs
    with closing(open_database(location.database, _WAIT_SECONDS)) as connection:
        for kind, thing, delete_rows in work:
            if (kind, thing.key) not in left:
                continue
            if time.monotonic() > until:
                return True
            left.discard((kind, thing.key))
            if connection.execute(_STAGES[kind], (thing.key,)).fetchone() != ("deleted",):
                continue  # restored in MLflow's pages, which know nothing of the lock
            try:
                if kind == "experiment":
                    _check_empty(connection, thing.key)
                for each in (*thing.models, thing):
                    _remove_files(each, removed)
                _remove_links(store, [each.key for each in (*thing.models, thing)])
                for model in thing.models:
                    store_._hard_delete_logged_model(model.key)
                    removed.models += 1
                delete_rows(thing.key)
                _remove_empty(thing)
            except Exception as error:  # each is dealt with by itself, and MLflow's errors are of many kinds
                removed.failed.append(f"{kind} {shown(thing.key)} ({thing.name}): {_reason(error)}")
                continue
            setattr(removed, f"{kind}s", getattr(removed, f"{kind}s") + 1)
    named = _remove_tables(location, garbage, removed, left)
    return bool(named and removed.runs > before)  # then no run may name them any more


def _remove_tables(
    location: StoreLocation, garbage: Garbage, removed: Removed, left: set[tuple[str, str]]
) -> bool:
    """Remove tables that no run names any more, and return whether there are others."""
    named = False
    for digest in garbage.tables:
        if ("table", digest) not in left:
            continue
        if digest in garbage.named:
            named = True
            continue
        left.discard(("table", digest))
        try:
            size = size_of(table_file(location, digest))
            if not is_launch_waiting(location) and remove_table(location, digest):
                removed.tables, removed.size = removed.tables + 1, removed.size.plus(size)
        except OSError as error:
            removed.failed.append(f"data {digest}: {_reason(error)}")
    return named


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())[:200]


def _check_empty(connection: sqlite3.Connection, experiment: str) -> None:
    """Raise ``ValueError`` if an experiment has a run: MLflow would remove its rows, and leave its files."""
    (runs,) = connection.execute(
        "select count(*) from runs where experiment_id = ?", (experiment,)
    ).fetchone()
    if runs:
        raise ValueError(f"{runs:,} run{'s' * (runs != 1)} of it could not be removed")


def _remove_files(thing: Removal, removed: Removed) -> None:
    for folder in thing.folders:
        _remove_path(folder, removed)


def _remove_empty(thing: Removal) -> None:
    for folder in thing.emptied:
        with suppress(OSError):  # it is not there, or there is more in it
            folder.rmdir()


def _remove_path(path: Path, removed: Removed) -> None:
    """Remove a file, a link, or a folder with what is in it; links are not followed."""
    if not os.path.lexists(path):
        return
    size = size_of(path)
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)
    removed.size = removed.size.plus(size)


def _remove_links(store: "SqlAlchemyStore", keys: Sequence[str]) -> None:
    """Remove the rows that link datasets and models to runs or models, for which MLflow has no function.

    All in one transaction: with the disk's part, one takes as long as all else that is done for a run.
    """
    of_key = "from inputs where source_id = ? or destination_id = ?"
    with store.engine.begin() as connection:
        for key in keys:
            connection.exec_driver_sql(
                f"delete from input_tags where input_uuid in (select input_uuid {of_key})", (key, key)
            )
            connection.exec_driver_sql(f"delete {of_key}", (key, key))


def shrink_database(location: StoreLocation) -> str | None:
    """Give free pages of the database back to the disk if that is worthwhile; return a line about it."""
    database = location.database
    if not database.exists() or database.stat().st_size == 0:
        return None
    before = database.stat().st_size
    try:
        with closing(open_database(database, _WAIT_SECONDS)) as connection:
            (page,), (free,) = (
                connection.execute(f"pragma {name}").fetchone() for name in ("page_size", "freelist_count")
            )
            if page * free < max(_WORTHWHILE, _SHARE * before):
                return None
            room = shutil.disk_usage(location.folder).free
            if room < 2 * before:
                return f"{in_bytes(before)}, as before: to shrink it takes {in_bytes(2 * before)} on the disk"
            with StoreLock(location), temporary_folder(location.folder) as aside:
                # Else SQLite's copy would be in the system's folder for temporary files.
                connection.execute(
                    f"pragma temp_store_directory = '{str(aside).replace(chr(39), chr(39) * 2)}'"
                )
                connection.set_progress_handler(None, 0)  # it may take longer than a query
                try:
                    connection.execute("vacuum")
                finally:
                    connection.execute("pragma temp_store_directory = ''")
    except (sqlite3.Error, OSError) as error:
        return f"{in_bytes(before)}, as before: it could not be shrunk ({reason_of_sqlite(error)})"
    return f"{in_bytes(database.stat().st_size)}, before {in_bytes(before)}"
