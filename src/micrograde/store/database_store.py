"""A tracking server whose rows are written into its database, a batch in a transaction.

A server takes a request for each thing that happens to each run, and works on it for milliseconds; its
database takes the rows of hundreds of runs at once. What is not rows stays the server's: experiments, whose
addresses it chooses, files, and what is registered.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.store.entities import ExperimentRow, ModelRow, RunInfoRow, RunRow
from micrograde.store.location import StoreLocation
from micrograde.store.mlflow_server import ServerStore, client_of, open_server
from micrograde.store.postgresql_batch import PostgresqlBatch, for_libpq, may_pass
from micrograde.store.sql_client import TAG_LENGTH
from micrograde.store.sql_models import SqlModels
from micrograde.store.sql_rows import KNOWN_SCHEMAS, BatchLock, SqlRows
from micrograde.store.sql_writer import Param, Point
from micrograde.store.turns import Turns

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo

    from micrograde.store.calls import Caller

_CHECK_SECONDS = 2  # for an answer before anything is trained
_WHAT_TO_GIVE = "give what the server was started with as --backend-store-uri, or leave the key out"


class _Client(SqlModels):
    """Writes rows by SQL; experiments are made by the server."""

    def __init__(self, batch: PostgresqlBatch, server: "MlflowClient", location: StoreLocation) -> None:
        super().__init__(batch)
        self._server, self._location = server, location

    def get_experiment_by_name(self, name: str) -> ExperimentRow | None:
        """Return the server's experiment of this name, after looking whether the database has the same.

        Raises
        ------
        ValueError
            If it has not: it is another server's database.
        """
        asked = self._server.get_experiment_by_name(name)
        if asked is None:
            return None
        with self._batch.change() as connection:
            found = connection.execute(
                "select name, artifact_location, creation_time from experiments where experiment_id = ?",
                (int(asked.experiment_id),),
            ).fetchone()
        if found != (asked.name, asked.artifact_location, asked.creation_time):
            server = without_password(self._location.tracking_uri)
            raise ValueError(
                f"tracking.database: is not the database of {server}, whose experiment {name} it does not "
                f"have; {_WHAT_TO_GIVE}"
            )
        return self.get_experiment(str(asked.experiment_id))

    def create_experiment(self, name: str, artifact_location: str | None, tags: Mapping[str, str]) -> str:
        """Have the server create an experiment, whose address it chooses."""
        return str(self._server.create_experiment(name, artifact_location, dict(tags)))

    def create_run(
        self, experiment_id: str, start_time: int, tags: Mapping[str, str], run_name: str
    ) -> RunRow:
        """Create a run with these tags, each as long as PostgreSQL's column allows."""
        cut = {key: value[:TAG_LENGTH] for key, value in tags.items()}
        return super().create_run(experiment_id, start_time, cut, run_name)


class DatabaseStore(SqlRows, ServerStore):
    """A tracking server, and the PostgreSQL that has its rows."""

    def __init__(self, server: "MlflowClient", location: StoreLocation, make: "Caller") -> None:
        assert location.rows
        self.server = server
        self.batch = PostgresqlBatch(location.rows, make)
        self.sql = _Client(self.batch, server, location)
        super().__init__(self.sql, location, make)

    def make_turns(self) -> Turns:
        """Return turns without an end, each a batch of changes: the database sees to what others write."""
        return Turns(BatchLock(nullcontext(), self.batch), math.inf)

    def write_rows(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write all rows as a part of the batch."""
        self.insert(params, points)

    def keep_files(self, folder: Path, run: "RunInfo | RunInfoRow") -> None:
        """Send the files, and keep no transaction open meanwhile."""
        self.batch.commit()
        super().keep_files(folder, run)

    def keeps_model_file(self, model: "LoggedModel | ModelRow") -> Callable[[str], None]:
        """Return the function of the repository at the model's address; no transaction is left open."""
        self.batch.commit()
        return super().keeps_model_file(model)

    @contextmanager
    def registry(self) -> "Iterator[MlflowClient]":
        """Provide the server's client, which sees what has been written so far."""
        self.batch.commit()
        yield self.server


def open_with_database(location: StoreLocation, make: "Caller") -> ServerStore:
    """Return the server, whose rows are written into its database if one is named and its schema is known."""
    if not location.rows:
        return open_server(location, make)
    schema = make(lambda: schema_of(str(location.rows)))
    if schema in KNOWN_SCHEMAS:
        return DatabaseStore(client_of(location, make), location, make)
    print(
        f"{without_password(location.rows)}: its schema {schema} is none of {', '.join(KNOWN_SCHEMAS)}",
        file=sys.stderr,
        flush=True,
    )
    return open_server(location, make)


def schema_of(address: str) -> str | None:
    """Return the name of the database's schema; None if it has none, or experiments of other workspaces."""
    import psycopg

    with psycopg.connect(for_libpq(address), connect_timeout=_CHECK_SECONDS) as connection:
        named = connection.execute("select to_regclass('alembic_version')").fetchone()
        if not named or named[0] is None:
            return None
        found = connection.execute("select version_num from alembic_version").fetchall()
        if len(found) != 1 or found[0][0] not in KNOWN_SCHEMAS:
            return str(found[0][0]) if found else None
        others = "select 1 from experiments where workspace != 'default' limit 1"
        return None if connection.execute(others).fetchone() else str(found[0][0])


def check_database(address: str) -> None:
    """Raise ``InputError`` if the database refuses this user, or is none; one that is away is waited for."""
    import psycopg

    try:
        schema = schema_of(address)
    except psycopg.Error as error:
        if may_pass(error):
            return
        reason = without_password(" ".join(str(error).split()))
        raise InputError(f"tracking.database: {reason}") from error
    if schema is None:
        shown = without_password(address)
        raise InputError(
            f"tracking.database={shown}: has no tables of MLflow's, or several workspaces; {_WHAT_TO_GIVE}"
        )
