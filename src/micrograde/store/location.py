"""A store's address, the folder that holds ``mlruns/``, and the files of the project's own store."""

import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from micrograde.core.atomic_files import synchronise, synchronise_all
from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.core.terminal import print_notice
from micrograde.core.waiting import wait_for_lock
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.path_kinds import check_database, check_writable
from micrograde.store.temporary_folders import temporary_folder

PSYCOPG = "postgresql+psycopg:"
"""How an address begins that SQLAlchemy opens with the library that writes rows."""

_PATIENCE_OF_TRY = 0.2  # seconds, in which it is tried every 10 ms


@dataclass(frozen=True)
class StoreLocation:
    """A store, and the folder where a launch keeps its files until they are in the store.

    Attributes
    ----------
    tracking_uri
        The store's address, whose beginning says which backend it is: ``sqlite:///...``, or a server's.
    artifact_root
        The folder where a local store keeps files; None for any other, which decides itself.
    folder
        ``mlruns/`` of the project: nothing is written outside it.
    artifacts
        The address, from the config, where a server's runs may have their files besides at the server itself.
    rows
        The address, from the config, of a server's database, into which rows are written; it may have a
        password.
    """

    tracking_uri: str
    artifact_root: Path | None
    folder: Path
    artifacts: str | None = None
    rows: str | None = None

    def __repr__(self) -> str:
        return f"StoreLocation({without_password(self.tracking_uri)!r}, {str(self.folder)!r})"

    @property
    def read_at(self) -> str:
        """The address at which runs are read: a database answers for all of a sweep's at once.

        It may have a password, and is for those who read alone: whoever types uses ``tracking_uri``.
        """
        return re.sub(r"^postgresql(\+\w+)?:", PSYCOPG, self.rows) if self.rows else self.tracking_uri

    @property
    def database(self) -> Path:
        """The SQLite file of the project's own store."""
        return self.folder / "mlflow.db"


def local_store(home: Path) -> StoreLocation:
    """Return the project's own store: ``mlruns/mlflow.db`` and ``mlruns/artifacts``.

    Raises
    ------
    InputError
        If MLflow or SQLite cannot open a database at this path.
    """
    folder = home / "mlruns"
    if re.search("[%?]", str(folder)):  # they have a meaning in SQLAlchemy's addresses, which versions change
        raise InputError(f"{home}: MLflow has no store in a folder with % or ? in its path; choose another")
    check_database(folder / "mlflow.db")
    return StoreLocation(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts", folder)


def server_store(
    uri: str, home: Path, artifacts: str | None = None, rows: str | None = None
) -> StoreLocation:
    """Return a tracking server as a store.

    ``artifacts`` is where its files are if not at the server, ``rows`` its database if rows go there.
    """
    return StoreLocation(uri, None, home / "mlruns", artifacts, rows)


@contextmanager
def making_launch_folder(location: StoreLocation) -> Iterator[Path]:
    """Provide a folder in which a launch's folder is made aside, to be moved by ``place_launch_folder``.

    It has the launch's name, and its user alone can read it.
    """
    with temporary_folder(location.folder) as aside:
        yield Path(tempfile.mkdtemp(prefix=f"{datetime.now():%Y-%m-%d_%H-%M-%S}_", dir=aside))


def place_launch_folder(made: Path, location: StoreLocation) -> Path:
    """Put what was made on the disk, and move it among the launches: it is there whole, or not at all."""
    launches = location.folder / "launches"
    if not launches.exists():
        launches.mkdir(parents=True, exist_ok=True)
        synchronise(location.folder)
    synchronise_all([made])
    return made.rename(launches / made.name)


class StoreLock:
    """A lock to hold while the SQLite store is created or written, so that no process finds it half-made.

    MLflow's first start migrates the schema, and two processes that migrate at once break each other's
    migration. SQLite also refuses, without waiting, a transaction that goes from reading to writing while
    another one writes. A context manager, which may be entered again while it is held. Entering it says after
    2 seconds which process holds it, and is an ``InputError`` if that does nothing for 30 seconds.
    """

    def __init__(self, location: StoreLocation) -> None:
        from filelock import FileLock

        location.folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(location.folder / "mlflow.lock", poll_interval=0.01, is_singleton=True)

    def __enter__(self) -> Self:
        wait_for_lock(
            partial(self.enter_within, _PATIENCE_OF_TRY),
            self.path,
            lambda who: print_notice(f"the store is locked; waiting for {who}"),
        )
        return self

    @property
    def path(self) -> Path:
        """The file that is locked."""
        return Path(self._lock.lock_file)

    def enter_within(self, seconds: float) -> bool:
        """Return whether it could be entered within this time."""
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=seconds)
        except Timeout:
            return False
        return True

    def __exit__(self, *exception: object) -> None:
        self._lock.release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock, if it is held, while the context lasts."""
        held = self._lock.lock_counter
        if held:
            self._lock.release(force=True)
        try:
            yield
        finally:
            for _ in range(held):
                self.__enter__()


def make_store(location: StoreLocation) -> None:
    """Create the local store if there is none.

    It is created in a temporary folder and then moved to its place, so that a process killed meanwhile does
    not leave a half-made store.
    """
    database = location.database
    if _is_made(database):  # an existing store may be in a folder that is read-only
        return
    check_writable(location.folder)
    with StoreLock(location):
        if _is_made(database):
            return
        with quiet_libraries(), temporary_folder(location.folder) as aside:
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            # Otherwise MLflow prints a line for each step of the migration.
            logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
            made = aside / database.name
            # Not through MlflowClient, which puts the files of MLflow's own experiment, Default, under the
            # working directory.
            root = (location.folder / "artifacts").as_uri()
            store = SqlAlchemyStore(f"sqlite:///{made}", root)  # type: ignore[no-untyped-call]
            store.engine.dispose()
            made.replace(database)
            synchronise(location.folder)


def _is_made(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0
