"""Where runs are recorded: the project's own SQLite store, or a tracking server."""

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.path_kinds import check_database, check_writable
from micrograde.store.temporary_folders import temporary_folder


@dataclass(frozen=True)
class StoreLocation:
    """A store and the folder where a launch keeps its files until they are in it.

    Attributes
    ----------
    tracking_uri
        For MLflow: ``sqlite:///...`` or a server's address.
    artifact_root
        Where a local store keeps files; None lets the server decide.
    folder
        ``mlruns/`` of the project: nothing is written outside it.
    artifacts
        Where a server's runs may have their files, besides at the server itself: what the config says.
    """

    tracking_uri: str
    artifact_root: Path | None
    folder: Path
    artifacts: str | None = None

    def __repr__(self) -> str:
        return f"StoreLocation({without_password(self.tracking_uri)!r}, {str(self.folder)!r})"

    @property
    def database(self) -> Path | None:
        """The file of a local store; None with a server."""
        return self.folder / "mlflow.db" if self.artifact_root else None


def project_home() -> Path:
    """The folder that holds ``mlruns/``, whatever the working directory.

    ``MICROGRADE_HOME`` if it is set, else the checkout that this file lies in, else the working
    directory (for an installed package).

    Raises
    ------
    InputError
        If ``MICROGRADE_HOME`` is an address, of which a path would be made.
    """
    given = os.environ.get("MICROGRADE_HOME")
    _refuse_address(given or "")
    try:
        # Not Path.resolve, which raises for links that lead to themselves.
        return Path(os.path.realpath(given)) if given else checkout() or Path.cwd()
    except FileNotFoundError:
        raise InputError(
            "the working directory has been deleted; go to another, or set MICROGRADE_HOME to a whole path"
        ) from None


def _refuse_address(home: str) -> None:
    if re.match("[A-Za-z][A-Za-z0-9+.-]+:/", home):
        raise InputError(f"MICROGRADE_HOME={home[:200]}: should be a folder, not an address")


def checkout() -> Path | None:
    """The checkout of micrograde that this file lies in; None for a package installed without one."""
    folder = Path(__file__).resolve().parents[3]
    return folder if (folder / "conf" / "train.yaml").exists() else None


def local_store(home: Path) -> StoreLocation:
    """The project's own store: ``mlruns/mlflow.db`` and ``mlruns/artifacts``.

    Raises
    ------
    InputError
        If it cannot be there.
    """
    folder = home / "mlruns"
    if re.search("[%?]", str(folder)):  # SQLAlchemy takes them for parts of an address, each version others
        raise InputError(f"{home}: MLflow has no store in a folder with % or ? in its path; choose another")
    check_database(folder / "mlflow.db")
    return StoreLocation(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts", folder)


def server_store(uri: str, home: Path, artifacts: str | None = None) -> StoreLocation:
    """A tracking server, which keeps the files as well, unless they are in a store of their own."""
    return StoreLocation(uri, None, home / "mlruns", artifacts)


def make_launch_folder(location: StoreLocation) -> Path:
    """A new folder of this launch's own, also when two start in the same instant."""
    launches = location.folder / "launches"
    launches.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{datetime.now():%Y-%m-%d_%H-%M-%S}_", dir=launches))


class StoreLock:
    """Held while a process makes or writes the SQLite store, so that none finds it locked or half-made.

    MLflow's first start migrates the schema, and two processes that migrate at once break each other's;
    SQLite also refuses at once, without waiting, a reader that turns writer beside another. Servers
    look after themselves. A context manager, which may be entered again while it is held.
    """

    def __init__(self, location: StoreLocation) -> None:
        self._lock = None
        if location.artifact_root is not None:
            from filelock import FileLock

            location.folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(location.folder / "mlflow.lock", poll_interval=0.01, is_singleton=True)

    def __enter__(self) -> Self:
        if self._lock:
            self._lock.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._lock:
            self._lock.release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let others have it for as long as the context lasts, if it is held."""
        held = self._lock.lock_counter if self._lock else 0
        if self._lock and held:
            self._lock.release(force=True)
        try:
            yield
        finally:
            for _ in range(held):
                self.__enter__()


def make_store(location: StoreLocation) -> None:
    """Make the local store if there is none; a server's is the server's business.

    It is made aside and then moved to its place, so that a process killed meanwhile leaves no half of one.
    """
    database = location.database
    if database is None or _is_made(database):  # which is also looked at where nobody may write
        return
    check_writable(location.folder)
    with StoreLock(location):
        if _is_made(database):
            return
        with quiet_libraries(), temporary_folder(location.folder) as aside:
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # not a line for each step
            made = aside / database.name
            # Not through MlflowClient: it puts the files of MLflow's own experiment, Default, under the
            # working directory.
            root = (location.folder / "artifacts").as_uri()
            store = SqlAlchemyStore(f"sqlite:///{made}", root)  # type: ignore[no-untyped-call]
            store.engine.dispose()
            made.replace(database)


def _is_made(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0
