"""The project's own SQLite store, ``mlruns/mlflow.db``, with its files in ``mlruns/artifacts``."""

import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from micrograde.core.project import command_line
from micrograde.store import sql_reader
from micrograde.store.backends import BACKENDS, Backend, Pictures
from micrograde.store.event_writer import EventWriter, Recording
from micrograde.store.experiment_check import check_in_database
from micrograde.store.location import StoreLocation, StoreLock, local_store
from micrograde.store.moving import mend_addresses
from micrograde.store.reader import Reader
from micrograde.store.run_files import local_folder
from micrograde.store.settings import RegisteredName
from micrograde.store.stale_runs import end_in_database


@BACKENDS.register
@dataclass(frozen=True, kw_only=True)
class LocalTracking(Backend):
    """The project's own SQLite store.

    Parameters
    ----------
    pictures
        Which pictures are recorded: all, or the light ones, which take next to no time; auto is light in a
        sweep and all otherwise.
    register
        The name under which the run's model, of a sweep the best one, is registered; null for none.
    """

    name: Literal["local"] = "local"
    pictures: Pictures = "auto"
    register: RegisteredName | None = None

    # Runs are written to the SQLite file alone; Python also reads what MLflow keeps elsewhere by SQL.
    removed_by: ClassVar[None] = None
    schemes: ClassVar[tuple[str, ...]] = ("sqlite", "postgresql", "mysql", "mssql")

    def location(self, home: Path) -> StoreLocation:
        """Return ``mlruns/mlflow.db``; see ``local_store``."""
        return local_store(home)

    @classmethod
    def open_writer(cls, location: StoreLocation, recording: Recording) -> EventWriter:
        """Return the writer of MLflow's stores, after creating the store if there is none."""
        from micrograde.store.mlflow_writer import MlflowWriter
        from micrograde.store.sql_store import open_local

        return MlflowWriter(open_local(location, recording.make), recording)

    @classmethod
    def mlflow_module(cls, location: StoreLocation) -> str | None:
        """Return MLflow's own store if MLflow has to create the database, or its schema is not known."""
        from micrograde.store.sql_store import KNOWN_SCHEMAS, schema_of

        try:
            is_known = schema_of(location.database) in KNOWN_SCHEMAS
        except sqlite3.Error:  # there is no file, or one that ``open_writer`` has to judge
            is_known = False
        # Without it the client would import it when it opens a store.
        return None if is_known else "mlflow.store.tracking.sqlalchemy_store"

    @classmethod
    def may_pass(cls, error: Exception) -> bool:
        """Return whether another program keeps the file locked."""
        return "is locked" in str(error)

    @classmethod
    def between_tries(cls, location: StoreLocation) -> AbstractContextManager[None]:
        """Let go of the SQLite file's lock."""
        return StoreLock(location).released()

    @classmethod
    def check_experiment(cls, name: str, location: StoreLocation) -> None:
        """Raise ``InputError`` if the experiment has been deleted, or its address is none."""
        check_in_database(name, location)

    @classmethod
    def reader(cls) -> Reader:
        """Return the module that reads by SQL."""
        return sql_reader

    @classmethod
    def files_of(
        cls,
        run_id: str,
        address: str,
        location: StoreLocation,
        wanted: Collection[str],  # noqa: ARG003
    ) -> AbstractContextManager[Path]:
        """Provide the run's own folder in ``mlruns/``."""
        return nullcontext(local_folder(run_id, address, location))

    @classmethod
    def mend(cls, location: StoreLocation) -> None:
        """Make addresses lead to this ``mlruns/``."""
        mend_addresses(location)

    @classmethod
    def recover(
        cls,
        location: StoreLocation,
        send_dead: Callable[[], None],
        is_stale: Callable[[Mapping[str, str]], bool],
    ) -> None:
        """Correct addresses, send what is left, and end stale runs by SQL."""
        mend_addresses(location)
        send_dead()
        end_in_database(location, is_stale)

    @classmethod
    def described(cls, location: StoreLocation) -> str:
        """Return ``the store <path>``."""
        return f"the store {location.database}"

    @classmethod
    def typed(cls, address: str) -> tuple[str, ...]:  # noqa: ARG003
        """Return nothing: it is the default."""
        return ()

    @classmethod
    def web_page(cls, address: str) -> str:  # noqa: ARG003
        """Return the command that opens MLflow's pages."""
        return command_line("ui")

    @classmethod
    def noted(cls, location: StoreLocation) -> None:  # noqa: ARG003
        """Return None: launches note no address since the first version, and move with the store."""
        return

    @classmethod
    def located(cls, noted: str | None, home: Path) -> StoreLocation:  # noqa: ARG003
        """Return the project's store."""
        return local_store(home)
