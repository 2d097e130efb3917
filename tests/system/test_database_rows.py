"""Rows that are written into a server's PostgreSQL: in every table what MLflow's client writes, however often
the connection is lost, and none of them twice."""

import itertools
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.narrowing import not_none
from tests.store.test_sql_store import EARLIER, LAUNCH, MODEL, Side, journals, left_out_if_deleted

from micrograde.core.errors import InputError
from micrograde.store import server_store, tags
from micrograde.store.calls import at_once
from micrograde.store.database_store import DatabaseStore, check_database, open_with_database
from micrograde.store.event_writer import Recording
from micrograde.store.mlflow_server import ServerStore
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.mlflow_writer import MlflowWriter
from micrograde.store.postgresql_batch import PostgresqlBatch, for_libpq, may_pass
from micrograde.store.sql_writer import Point
from micrograde.tracking import DatasetInput
from micrograde.tracking.events import (
    Event,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    TagsSet,
)

EXPERIMENTS = ("toys", "çà, 🦉/..")
NOW = 1_790_000_000
numbers = itertools.count()


@pytest.fixture(scope="session")
def template(postgresql):
    """An address at which a name makes a database, which MLflow has made tables in."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    beginning = postgresql.rpartition("/")[0]
    with psycopg.connect(for_libpq(postgresql), autocommit=True) as connection:
        connection.execute("create database template_of_mlflow")
    store = SqlAlchemyStore(f"{beginning}/template_of_mlflow", "file:///nowhere")
    store.engine.dispose()
    return beginning


@pytest.fixture
def one_time(monkeypatch):
    """The clock stands still, as each side would have times of its own."""
    monkeypatch.setattr(time, "time", lambda: float(NOW))
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1_000_000_000)


class DatabaseSide(Side):
    """A PostgreSQL database of its own, with what writes to it; MLflow's client stands for the server."""

    tables = "select tablename from pg_tables where schemaname = 'public'"

    def __init__(self, home: Path, template: str, *, by_sql: bool) -> None:
        from mlflow import MlflowClient

        name = f"side_{next(numbers)}"
        with psycopg.connect(for_libpq(f"{template}/postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template template_of_mlflow".encode())
        self.address, self.by_sql = f"{template}/{name}", by_sql
        self.root = home / "root"
        self.location = server_store(self.address, home, str(self.root), self.address)
        self.client = MlflowClient(self.address)
        for experiment in EXPERIMENTS:
            self.client.create_experiment(experiment, str(self.root / "of an experiment"))
        self.numbers: dict[str, str] = {}
        self.names: dict[str, str] = {}

    @contextmanager
    def select(self) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
        with psycopg.connect(for_libpq(self.address)) as connection:
            yield lambda query: connection.execute(query.encode()).fetchall()

    def store(self) -> MlflowStore:
        kind = DatabaseStore if self.by_sql else ServerStore
        return kind(self.client, self.location, at_once)

    def files(self) -> list[str]:
        found = (path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())
        return sorted(found)

    def end(self) -> None:
        """Let go of the database."""
        self.client._tracking_client.store.engine.dispose()


def as_postgresql_takes(batches: list[list[Event | int]]) -> list[list[Event | int]]:
    """Return a journal without tags that are longer than the column; those of a new run MLflow does not cut."""
    return [
        [
            RunStarted(
                each.run,
                each.time,
                each.experiment_name,
                each.run_name[:250],
                each.params,
                {key: value[: 250 if key == tags.RUN_NAME else 8000] for key, value in each.tags.items()},
                each.dataset,
                each.parent,
            )
            if isinstance(each, RunStarted)
            else each
            for each in batch
        ]
        for batch in batches
    ]


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.usefixtures("one_time")
@given(journal=journals(), earlier=journals(), data=st.data())
def test_every_table_is_as_mlflow_writes_it(template, journal, earlier, data):
    journal, earlier = as_postgresql_takes(journal), as_postgresql_takes(earlier)
    part = data.draw(st.integers(0, len(journal)))
    goes_on = data.draw(st.booleans())
    with tempfile.TemporaryDirectory() as folder:
        sides = [DatabaseSide(Path(folder) / str(n), template, by_sql=n == 1) for n in range(2)]
        for side in sides:
            side.carry(side.writer(EARLIER), earlier)
            side.carry(side.writer(), journal[:part])
            again = side.writer(again=True)
            side.carry(again, journal)
            later = side.writer("2026-01-03_00-00-00_c")
            adopted = [RunAdopted(9 - number, again.run_ids[number][0], goes_on) for number in again.run_ids]
            side.carry(later, [[*adopted, TagsSet(9, {tags.SUPERSEDED: "true"}), RunEnded(9, 9, "FAILED")]])
            side.carry(side.writer(again=True), journal)
        found = [side.content() for side in sides]
        for side in sides:
            side.end()
        different = {
            table: (sorted({*found[1][table]} - {*rows}), sorted({*rows} - {*found[1][table]}))
            for table, rows in found[0].items()
            if rows != found[1][table]
        }
        assert not different  # by SQL, by the client


a_value = st.sampled_from([0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), -float("inf")])
a_point = st.tuples(st.sampled_from(["a", "b"]), a_value, st.integers(0, 2), st.integers(0, 2))


def test_every_value_is_as_mlflow_writes_it(template, tmp_path):
    """Also the sign of a zero: MLflow keeps that of the latest value before it, if that was a zero."""
    side = DatabaseSide(tmp_path, template, by_sql=True)
    stores = [kind(side.client, side.location, at_once) for kind in (DatabaseStore, ServerStore)]
    experiment = not_none(side.client.get_experiment_by_name("toys")).experiment_id

    @settings(max_examples=60, deadline=None)
    @example([[("a", -0.0, 0, 0)], [("a", 0.0, 0, 1)]])
    @example([[("a", 0.0, 0, 0)], [("a", -0.0, 1, 1), ("b", -0.0, 0, 0)]])
    @example([[("a", -0.0, 0, 0)], [("a", float("nan"), 0, 1)], [("a", 1.0, 1, 1)], [("a", -0.0, 2, 2)]])
    @given(st.lists(st.lists(a_point, min_size=1, max_size=5), max_size=4))
    def check(batches):
        found = []
        for store in stores:
            run_id = side.client.create_run(experiment).info.run_id
            for batch in batches:
                store.write_rows([], [Point(run_id, *each) for each in batch])
            if isinstance(store, DatabaseStore):
                store.batch.commit()
            with side.select() as select:
                found.append(
                    [
                        sorted(
                            map(repr, select(f"select {columns} from {table} where run_uuid = '{run_id}'"))
                        )
                        for table in ("metrics", "latest_metrics")
                    ]
                )
        assert found[0] == found[1]

    columns = "key, value, timestamp, step, is_nan"
    check()
    side.end()


@pytest.mark.parametrize("by_sql", [True, False])
def test_values_that_wait_when_a_run_is_deleted_are_left_out(template, tmp_path, by_sql):
    side = DatabaseSide(tmp_path, template, by_sql=by_sql)
    left_out_if_deleted(side)
    side.end()


# --- a connection that is lost -------------------------------------------------------------------------------


class BadConnection(PostgresqlBatch):
    """Loses the connection before or after one statement in so many, so that its answer is lost, too."""

    chance = random.Random(0)
    lost = 0

    def _run(self, statement):
        fate = self.chance.choice(["before", "after", *["well"] * 58])
        if fate == "well":
            return super()._run(statement)
        if fate == "after":
            super()._run(statement)
        type(self).lost += 1
        assert self._connection is not None
        self._connection.pgconn.finish()
        raise psycopg.OperationalError("the connection was lost")


def again_and_again(call):
    while True:
        try:
            return call()
        except Exception as error:
            if not may_pass(error):
                raise


def stack() -> list[list[Event | int]]:
    """What a stack of ten runs does, in three batches."""
    runs = list(range(10))
    dataset = DatasetInput("digits", "d" * 36, "{}", "{}", "{}")
    started: list[Event | int] = [
        RunStarted(run, 1, "toys", f"seed={run}", {"seed": str(run)}, {"a": "b"}, dataset) for run in runs
    ]
    measured: list[Event | int] = [
        StackMetricsLogged(runs, step, step, {"loss": [run / step for run in runs], "kept/x": [1.0] * 10})
        for step in range(1, 6)
    ]
    ended: list[Event | int] = [RunEnded(run, 9, "FINISHED", MODEL) for run in runs]
    return [started, [*measured, TagsSet(3, {"a": "c"})], [*ended, ModelLogged(1)]]


@pytest.mark.usefixtures("one_time")
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_with_connections_that_are_lost(template, tmp_path, monkeypatch, seed):
    undisturbed = DatabaseSide(tmp_path / "undisturbed", template, by_sql=True)
    undisturbed.carry(undisturbed.writer(), stack())
    monkeypatch.setattr(BadConnection, "chance", random.Random(seed))
    monkeypatch.setattr(BadConnection, "lost", 0)
    monkeypatch.setattr("micrograde.store.database_store.PostgresqlBatch", BadConnection)
    monkeypatch.setattr(
        DatabaseSide, "store", lambda side: DatabaseStore(side.client, side.location, again_and_again)
    )
    disturbed = DatabaseSide(tmp_path / "disturbed", template, by_sql=True)
    writer = disturbed.writer()
    monkeypatch.setattr(writer, "_make", again_and_again)
    disturbed.carry(writer, stack())
    found, wanted = disturbed.content(), undisturbed.content()
    for side in (undisturbed, disturbed):
        side.end()
    assert BadConnection.lost > 3
    assert found == wanted
    assert not writer.left_out


def test_a_batch_waits_for_a_database_that_ends_connections(template, tmp_path):
    """As it does when it is started again: also between the changes of a batch."""
    side = DatabaseSide(tmp_path, template, by_sql=True)
    store = DatabaseStore(side.client, side.location, again_and_again)
    writer = MlflowWriter(store, Recording(tmp_path / LAUNCH, make=again_and_again))
    with psycopg.connect(for_libpq(f"{template}/postgres"), autocommit=True) as other:
        for batch in stack()[:2]:
            writer.write([each for each in batch if not isinstance(each, int)])
            name = side.address.rpartition("/")[2]
            ended = other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            ).fetchall()
            assert ended
    writer.flush()
    with side.select() as select:
        assert select("select count(*) from metrics") == [(100,)]
        assert select("select count(*) from runs") == [(10,)]


# --- a database that is not the server's ---------------------------------------------------------------------


def test_another_server_s_database_is_refused(template, tmp_path):
    side, other = (DatabaseSide(tmp_path / name, template, by_sql=True) for name in ("one", "two"))
    with psycopg.connect(for_libpq(other.address), autocommit=True) as connection:
        connection.execute("update experiments set creation_time = creation_time + 1")
    location = server_store(side.address, tmp_path, str(side.root), other.address)
    writer = MlflowWriter(DatabaseStore(side.client, location, at_once), Recording(tmp_path))
    writer.write([RunStarted(0, 1, "toys", "r", {}, {})])
    assert "is not the database of" in str(writer.failure)
    with other.select() as select:
        assert select("select count(*) from runs") == [(0,)]


def test_a_schema_that_is_not_known_is_left_to_the_server(template, tmp_path, capsys):
    side = DatabaseSide(tmp_path, template, by_sql=True)
    with psycopg.connect(for_libpq(side.address), autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = 'of the future'")
    location = server_store("http://127.0.0.1:1", tmp_path, None, side.address)
    assert type(open_with_database(location, at_once)) is ServerStore
    assert "its schema of the future is none of" in capsys.readouterr().err


def test_a_database_that_refuses_is_an_error_before_anything_is_trained(postgresql, template):
    with pytest.raises(InputError, match=r"role .* does not exist"):
        check_database(postgresql.replace("mlflow@", "nobody@"))
    with pytest.raises(InputError, match=r"database .* does not exist"):
        check_database(f"{template}/missing")
    with closing(psycopg.connect(for_libpq(postgresql), autocommit=True)) as connection:
        connection.execute("create database without_tables")
    with pytest.raises(InputError, match="has no tables of MLflow's"):
        check_database(f"{template}/without_tables")
    check_database("postgresql://mlflow@127.0.0.1:1/away")  # is waited for
