"""The project's own store, whose rows are all written by SQL, and without importing MLflow.

That is for databases whose schema is known, as ``alembic_version`` names it; any other is left to MLflow's
client. MLflow makes and migrates the database, and writes what is registered.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from micrograde.store.calls import Caller
from micrograde.store.entities import ModelRow, RunInfoRow
from micrograde.store.library_environment import forget_servers
from micrograde.store.local_addresses import ADDRESSES, local_path
from micrograde.store.location import StoreLocation, make_store
from micrograde.store.mlflow_local import LocalStore, WriterLock
from micrograde.store.sql_batch import SqlBatch
from micrograde.store.sql_models import SqlModels
from micrograde.store.sql_rows import KNOWN_SCHEMAS as KNOWN_SCHEMAS
from micrograde.store.sql_rows import BatchLock, SqlRows
from micrograde.store.sqlite_files import open_database
from micrograde.store.turns import TURN_SECONDS, Turns

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo

_WAIT_SECONDS = 20.0  # for a database that another process writes to


class SqlStore(SqlRows, LocalStore):
    """The project's own SQLite file, written by SQL, and its folder of files."""

    def __init__(self, location: StoreLocation, make: Caller) -> None:
        self.batch = SqlBatch(location.database, make)
        self.sql = SqlModels(self.batch)
        super().__init__(self.sql, location, make)

    def make_turns(self) -> Turns:
        """Return the turns in which the SQLite file's lock is held, each with a batch of changes."""
        return Turns(BatchLock(WriterLock(self.location, self.make), self.batch), TURN_SECONDS)

    def move_files(self, folder: Path, run: "RunInfo | RunInfoRow") -> None:
        """Move the files once the run is in the store: else they would be those of a run that is not."""
        self.batch.commit()
        super().move_files(folder, run)

    def set_address(self, kind: Literal["run", "logged model"], key: str, folder: Path) -> None:
        """Set the address of a run's or a logged model's files to this folder."""
        with self.batch.change() as connection:
            connection.execute(ADDRESSES[kind], (folder.as_uri(), key))

    # --- logged models ---------------------------------------------------------------------------

    def get_ready_to_register(self) -> None:
        """Import MLflow, which takes a second or more."""
        import mlflow.store.model_registry.sqlalchemy_store
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    @contextmanager
    def registry(self) -> "Iterator[MlflowClient]":
        """Provide MLflow's client, which sees what has been written so far."""
        from mlflow import MlflowClient

        self.batch.commit()
        yield MlflowClient(self.location.tracking_uri)

    def keeps_model_file(self, model: "LoggedModel | ModelRow") -> Callable[[str], None]:
        """Return a function that copies a file into the model's folder."""
        folder = local_path(self.sql.get_logged_model(str(model.model_id)).artifact_location)
        assert folder  # ``place_model`` has seen to it
        folder.mkdir(parents=True, exist_ok=True)

        def keep(path: str) -> None:
            shutil.copy2(path, folder)

        return keep


def open_local(location: StoreLocation, make: Caller) -> LocalStore:
    """Return the project's own store, which MLflow creates if it does not exist.

    It is written by SQL if its schema is known, else by MLflow's client, which a line on standard error says.
    """
    forget_servers()
    with WriterLock(location, make):
        make(lambda: make_store(location))
        schema = make(lambda: schema_of(location.database))
        if schema in KNOWN_SCHEMAS:
            return SqlStore(location, make)
        print(
            f"{location.database}: its schema {schema} is none of {', '.join(KNOWN_SCHEMAS)}; MLflow's "
            "client writes to it, which takes longer",
            file=sys.stderr,
            flush=True,
        )
        from mlflow import MlflowClient

        client: MlflowClient = make(lambda: MlflowClient(location.tracking_uri))
        return LocalStore(client, location, make)


def schema_of(database: Path) -> str | None:
    """Return the name of the database's schema; None if it has experiments of other workspaces, or none.

    What MLflow keeps in workspaces is MLflow's to write, or to refuse.

    Raises
    ------
    sqlite3.Error
        If the file cannot be opened, or is not a plain MLflow store.
    """
    # Checked before anything of it is used, as MLflow would run code that is in the file.
    with closing(open_database(database, _WAIT_SECONDS, read_only=True)) as connection:
        has_one = "select 1 from sqlite_master where name = 'alembic_version' and type = 'table'"
        if not connection.execute(has_one).fetchone():
            return None
        found = connection.execute("select version_num from alembic_version").fetchall()
        if len(found) != 1 or found[0][0] not in KNOWN_SCHEMAS:
            return str(found[0][0]) if found else None
        others = "select 1 from experiments where workspace != 'default'"
        return None if connection.execute(others).fetchone() else str(found[0][0])
