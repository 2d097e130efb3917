"""Rows that are written by SQL: in every table what MLflow's client writes for the same events."""

import functools
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.narrowing import not_none

from micrograde.store import ModelDescription, local_store, server_store, sql_store, tags
from micrograde.store.backends import backend_of
from micrograde.store.calls import at_once
from micrograde.store.errors import BatchLostError
from micrograde.store.event_writer import Recording
from micrograde.store.mlflow_local import LocalStore
from micrograde.store.mlflow_server import ServerStore
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.mlflow_writer import MlflowWriter
from micrograde.store.sql_store import KNOWN_SCHEMAS, SqlStore, open_local, schema_of
from micrograde.store.sqlite_files import reason_of_sqlite
from micrograde.tracking import DatasetInput
from micrograde.tracking.events import (
    Event,
    MetricsLogged,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    StepMetricsLogged,
    TagsSet,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

LAUNCH, EARLIER = "2026-01-02_00-00-00_b", "2026-01-01_00-00-00_a"
RUNS = range(4)
MODEL = ModelDescription(
    "a_module", ["a==1"], {"x": "double", "ß🦉": "string"}, {"y": "string"}, [[1.0, "a"]]
)

# --- journals ------------------------------------------------------------------------------------------------

anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
some_name = anything.filter(bool)
long_texts = st.builds(lambda text, times: text * times, some_name, st.sampled_from([1, 1, 1, 700, 9000]))
keys = st.sampled_from(["a", "val/loss", "ä ö", "A", tags.SUPERSEDED, tags.REASON, "long key " * 27])
times = st.integers(0, 9)
values = st.floats() | st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), -float("inf")])
datasets = st.builds(
    DatasetInput, st.sampled_from(["d", "ß"]), st.sampled_from(["e", "f" * 50]), *[anything] * 3
)
tags_given = st.dictionaries(
    keys | st.sampled_from([tags.RUN_NAME, "mlflow.user", "no/../path", "two\nlines"]), long_texts, max_size=3
)
run_numbers = st.sampled_from(RUNS)
statuses = st.sampled_from(["FINISHED", "FAILED", "KILLED"])


@st.composite
def beginnings(draw: st.DrawFn, number: int) -> RunStarted:
    """A run that begins; a parent is one that has begun before it."""
    given_tags = draw(tags_given)
    return RunStarted(
        number,
        draw(times),
        draw(st.sampled_from(["toys", "çà, 🦉/.."])),
        given_tags.get(tags.RUN_NAME, draw(some_name)),
        draw(st.dictionaries(keys, long_texts, max_size=4)),
        given_tags,
        draw(st.none() | datasets),
        draw(st.sampled_from([None, *range(number)])),
    )


def stacked(runs: list[int], time: int, step: int, numbers: list[float]) -> StackMetricsLogged:
    """Values of several runs at a step."""
    return StackMetricsLogged(
        runs, time, step, {"loss": numbers[: len(runs)], "kept/x": numbers[-len(runs) :]}
    )


happenings: st.SearchStrategy[Event | int] = st.one_of(
    st.builds(MetricsLogged, run_numbers, times, times, st.dictionaries(keys, values, max_size=3)),
    st.builds(
        stacked,
        st.lists(run_numbers, min_size=1, max_size=4, unique=True),
        times,
        times,
        st.lists(values, min_size=4, max_size=4),
    ),
    st.builds(
        lambda time, value, other: StepMetricsLogged(
            [0, 1], time, [1, 2], {"val/loss": [[value, other], [other, value]]}
        ),
        times, values, values,
    ),
    st.builds(TagsSet, run_numbers, tags_given),
    st.builds(RunEnded, run_numbers, times, statuses, st.sampled_from([None, MODEL])),
    st.builds(ModelLogged, run_numbers),
    run_numbers,  # somebody deletes this run
)  # fmt: skip


@st.composite
def journals(draw: st.DrawFn) -> list[list[Event | int]]:
    """A launch's events, in batches; a number is a run that is deleted between the events."""
    events: list[Event | int] = [draw(beginnings(number)) for number in RUNS]
    events += draw(st.lists(happenings, max_size=12))
    if draw(st.booleans()):
        events += [RunEnded(number, 9, "FINISHED", MODEL) for number in RUNS]
        events += [ModelLogged(draw(run_numbers))]
    cuts = sorted(draw(st.lists(st.integers(0, len(events)), max_size=3)))
    return [events[start:end] for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True)]


# --- the two writers -----------------------------------------------------------------------------------------


class Side:
    """A store of its own, with what writes to it."""

    def __init__(self, home: Path, empty: Path, *, by_sql: bool) -> None:
        shutil.copytree(empty, home)
        self.location, self.by_sql = local_store(home), by_sql
        self.numbers: dict[str, str] = {}
        self.names: dict[str, str] = {}

    @functools.cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client, which refuses a schema that is not its own."""
        from mlflow import MlflowClient

        return MlflowClient(self.location.tracking_uri)

    def writer(self, launch: str = LAUNCH, *, again: bool = False) -> MlflowWriter:
        """A writer of a launch whose runs 0 and 1 have files."""
        folder = self.location.folder / "launches" / launch
        for number in (0, 1):
            (folder / f"run-{number}" / "model").mkdir(parents=True, exist_ok=True)
            (folder / f"run-{number}" / "model" / "weights").write_text("0.5")
        recording = Recording(folder, {"mlflow.user": "me", tags.HOST: launch}, at_once, again)
        return MlflowWriter(self.store(), recording)

    def store(self) -> MlflowStore:
        """What is written to, by SQL or through MLflow's client."""
        if self.by_sql:
            return SqlStore(self.location, at_once)
        return LocalStore(self.client, self.location, at_once)

    def carry(self, writer: MlflowWriter, batches: list[list[Event | int]]) -> None:
        """Write batches of events, and delete runs where a number says it."""
        for batch in batches:
            waiting: list[Event] = []
            for each in batch:
                if not isinstance(each, int):
                    waiting.append(each)
                    continue
                writer.write(waiting)
                writer.flush()
                waiting = []
                if each in writer.run_ids:
                    self.client.delete_run(writer.run_ids[each][0])
            writer.write(waiting)
        writer.flush()
        for number, (run_id, _) in writer.run_ids.items():
            self.numbers.setdefault(run_id, f"{writer.recording.folder.name}:{number}")

    @contextmanager
    def select(self) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
        """Provide what returns the rows of a query."""
        with closing(sqlite3.connect(self.location.database)) as connection:
            yield lambda query: connection.execute(query).fetchall()

    tables = "select name from sqlite_master where type = 'table'"

    def content(self) -> dict[str, list[str]]:
        """Every row of every table, with ids that say whose they are."""
        with self.select() as select:
            names = dict(self.numbers)
            for table, described, key in (
                ("datasets", "experiment_id || name || digest", "dataset_uuid"),
                ("logged_models", "source_run_id || lifecycle_stage || status", "model_id"),
                ("inputs", "source_id || destination_id", "input_uuid"),
            ):
                for own, about in select(f"select {key}, {described} from {table}"):
                    names[own] = f"<{table} {ID.sub(lambda found: names.get(found[0], found[0]), about)}>"
            self.names = names
            return {
                table: sorted(self.told(repr(row)) for row in select(f"select * from {table}"))
                for (table,) in select(self.tables)
            }

    def told(self, text: str) -> str:
        """A text with what the ids in it stand for, after ``content`` has found that."""
        named = ID.sub(lambda found: self.names.get(found[0], found[0]), text)
        return named.replace(str(self.location.folder.parent), "HOME")

    def files(self) -> list[str]:
        """The files of runs and models."""
        root = self.location.folder / "artifacts"
        known = {**self.numbers}
        found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(ID.sub(lambda each: known.get(each[0], "model"), path) for path in found)


ID = re.compile(r"(?:m-)?[0-9a-f]{32}")


def two_sides(folder: str, empty_store: Path) -> tuple[Side, Side]:
    return tuple(Side(Path(folder) / f"{n}", empty_store, by_sql=n == 1) for n in range(2))  # type: ignore[return-value]


# Not made smaller when it fails: that takes minutes, and what differs is told by its rows.
@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.usefixtures("one_time")
@given(journal=journals(), earlier=journals(), data=st.data())
def test_every_table_is_as_mlflow_writes_it(empty_store, journal, earlier, data):
    part = data.draw(st.integers(0, len(journal)))
    goes_on = data.draw(st.booleans())
    with tempfile.TemporaryDirectory() as folder:
        sides = two_sides(folder, empty_store)
        for side in sides:
            first = side.writer(EARLIER)
            side.carry(first, earlier)
            broken_off = side.writer()
            side.carry(broken_off, journal[:part])
            again = side.writer(again=True)
            side.carry(again, journal)
            later = side.writer("2026-01-03_00-00-00_c")
            adopted = [RunAdopted(9 - number, again.run_ids[number][0], goes_on) for number in again.run_ids]
            side.carry(later, [[*adopted, TagsSet(9, {tags.SUPERSEDED: "true"}), RunEnded(9, 9, "FAILED")]])
            side.carry(side.writer(again=True), journal)  # the other launch has taken the runs over
        assert sides[1].content() == sides[0].content()
        assert sides[1].files() == sides[0].files()


def test_a_run_is_read_by_mlflow_as_it_was_told(home):
    location = local_store(home)
    launch = location.folder / "launches" / LAUNCH
    launch.mkdir(parents=True)
    writer = MlflowWriter(open_local(location, at_once), Recording(launch))
    assert isinstance(writer._store, SqlStore)
    writer.write(
        [
            RunStarted(
                0, 5, "toys 🦉", "a run", {"p": "ß" * 65_000}, {"t": "ü" * 9000}, DatasetInput(*"abcde")
            ),
            *(MetricsLogged(0, step, step, {"loss": 1 / step, "odd": float("nan")}) for step in range(1, 4)),
            RunEnded(0, 9, "FINISHED"),
        ]
    )
    from mlflow import MlflowClient

    client = MlflowClient(location.tracking_uri)
    (run,) = client.search_runs([not_none(client.get_experiment_by_name("toys 🦉")).experiment_id])
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", 5, 9)
    assert (run.data.params["p"], run.data.tags["t"]) == ("ß" * 6000, "ü" * 9000)
    assert run.data.metrics["loss"] == 1 / 3
    assert run.data.metrics["odd"] != run.data.metrics["odd"]
    assert [each.value for each in client.get_metric_history(run.info.run_id, "loss")] == [1, 1 / 2, 1 / 3]
    (dataset,) = not_none(run.inputs).dataset_inputs
    assert (dataset.dataset.name, dataset.tags[0].value) == ("a", "training")


def left_out_if_deleted(side: Side) -> None:
    """One of two runs is deleted while values of both wait: nothing more of it is written."""
    writer, told = side.writer(), list[str]()
    writer.recording = replace(writer.recording, tell=told.append)
    writer.write([RunStarted(run, 1, "toys", f"r{run}", {"p": "q"}, {}) for run in (0, 1)])
    writer.flush()
    writer.write([stacked([0, 1], 1, 1, [0.5, 1.5])])
    side.client.delete_run(writer.run_ids[0][0])
    writer.flush()
    writer.write([stacked([0, 1], 2, 2, [2.5, 3.5]), *(RunEnded(run, 3, "FINISHED") for run in (0, 1))])
    gone, kept = (side.client.get_run(writer.run_ids[run][0]) for run in (0, 1))
    assert (gone.info.status, gone.data.params, gone.data.metrics) == ("RUNNING", {"p": "q"}, {})
    assert (kept.info.status, kept.data.metrics) == ("FINISHED", {"loss": 3.5, "kept/x": 3.5})
    assert writer.left_out == {0: None}
    assert writer.failure is None
    assert told == [f"run {gone.info.run_id} was deleted in the store; nothing more of it is recorded"]


@pytest.mark.parametrize("by_sql", [True, False])
def test_values_that_wait_when_a_run_is_deleted_are_left_out(empty_store, tmp_path, by_sql):
    left_out_if_deleted(Side(tmp_path / "home", empty_store, by_sql=by_sql))


def test_no_file_is_moved_before_its_run_is_in_the_store(home, monkeypatch):
    """Else a loss of power leaves the files to a run that is not there."""
    side = Side.__new__(Side)
    side.location, side.by_sql = local_store(home), True
    writer, seen = side.writer(), []
    move = shutil.move

    def watched(*arguments, **options):
        with closing(sqlite3.connect(f"file:{side.location.database}?mode=ro", uri=True)) as connection:
            seen.extend(connection.execute("select status from runs").fetchall())
        return move(*arguments, **options)

    monkeypatch.setattr(shutil, "move", watched)
    writer.write([RunStarted(0, 1, "toys", "r", {}, {}), RunEnded(0, 2, "FINISHED")])
    assert set(seen) == {("RUNNING",)}


def test_what_sqlite_takes_back_is_no_run_s_own_failure(home):
    side = Side.__new__(Side)
    side.location, side.by_sql = local_store(home), True
    writer = side.writer()
    store = writer._store
    assert isinstance(store, SqlStore)
    with store.turns:
        writer.write([RunStarted(0, 1, "toys", "r", {}, {})])
        store.batch.connection.execute("rollback")  # as after an error of the disk
        with pytest.raises(BatchLostError):
            writer.write([TagsSet(0, {"a": "b"})])


def test_of_a_schema_that_is_not_known_mlflow_s_client_writes_and_the_log_says_so(home, capsys, monkeypatch):
    location = local_store(home)
    schema = schema_of(location.database)
    assert schema in KNOWN_SCHEMAS
    monkeypatch.setattr(sql_store, "KNOWN_SCHEMAS", ("of the past",))
    assert backend_of(location).mlflow_module(location) == "mlflow.store.tracking.sqlalchemy_store"
    launch = location.folder / "launches" / LAUNCH
    launch.mkdir(parents=True)
    writer = backend_of(location).open_writer(location, Recording(launch))
    assert isinstance(writer, MlflowWriter)
    assert type(writer._store) is LocalStore
    assert (
        f"{location.database}: its schema {schema} is none of of the past; MLflow's client writes to it"
        in (capsys.readouterr().err)
    )
    writer.write([RunStarted(0, 1, "toys", "r", {"a": "b"}, {}), MetricsLogged(0, 1, 1, {"loss": 0.5})])
    writer.write([RunEnded(0, 2, "FINISHED")])
    run = writer._client.get_run(writer.run_ids[0][0])
    assert (run.info.status, run.data.params, run.data.metrics) == ("FINISHED", {"a": "b"}, {"loss": 0.5})


def test_what_belongs_to_workspaces_is_left_to_mlflow(home, capsys):
    location = local_store(home)
    with closing(sqlite3.connect(location.database)) as connection, connection:
        connection.execute(
            "insert into experiments (name, lifecycle_stage, workspace) values ('x', 'active', 'y')"
        )
    assert schema_of(location.database) is None
    with pytest.raises(Exception, match="workspaces"):  # MLflow's own message
        open_local(location, at_once)
    assert "MLflow's client" in capsys.readouterr().err
    with closing(sqlite3.connect(location.database)) as connection, connection:
        connection.execute("update alembic_version set version_num = 'of the future'")
    assert schema_of(location.database) == "of the future"


def test_to_a_server_mlflow_s_client_writes_and_the_log_says_so(tmp_path, capsys):
    from mlflow import MlflowClient

    location = server_store("http://me:secret@localhost:9", tmp_path)
    assert backend_of(location).mlflow_module(location) == "mlflow.tracking"
    writer = backend_of(location).open_writer(location, Recording(tmp_path))
    assert isinstance(writer, MlflowWriter)
    assert type(writer._client) is MlflowClient
    assert type(writer._store) is ServerStore
    said = capsys.readouterr().err
    assert "localhost:9: MLflow's client writes to it" in said
    assert "secret" not in said


def test_a_transaction_in_whose_middle_a_process_died_is_taken_back(home):
    database = local_store(home).database
    died = home / "copied in the middle.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("pragma cache_size = 5")  # so that it goes to the disk before it is committed
        other.execute("begin immediate")
        rows = [(f"key {number}", "x" * 100) for number in range(1000)]
        other.executemany("insert into experiment_tags (key, value, experiment_id) values (?, ?, 0)", rows)
        shutil.copyfile(database, died)
        shutil.copyfile(f"{database}-journal", f"{died}-journal")
        other.execute("rollback")
    read_only = sqlite3.connect(f"{died.as_uri()}?mode=ro", uri=True)
    with (
        closing(read_only),
        pytest.raises(sqlite3.OperationalError, match="attempt to write a readonly database"),
    ):
        read_only.execute("select 1 from experiment_tags")
    assert schema_of(died) in KNOWN_SCHEMAS
    with closing(sqlite3.connect(died)) as connection:
        assert connection.execute("select count(*) from experiment_tags").fetchone() == (0,)


def test_a_database_that_is_moved_away_meanwhile_is_not_called_read_only(home):
    database = local_store(home).database
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("select 1 from runs")
        database.rename(database.with_name("elsewhere.db"))
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("delete from runs")
    assert reason_of_sqlite(raised.value) == "its file was moved or removed while it was written to"


def test_every_schema_of_this_mlflow_on_is_known():
    """Where this fails, MLflow has a newer schema: compare its tables, and add it."""
    import mlflow
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations"))
    assert scripts.get_current_head() in KNOWN_SCHEMAS
