"""MLflow with what was written by SQL: it migrates it, finds its runs, and answers to its UI, as with its own."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.test_sql_store import MODEL, Side

from micrograde.store import tags
from micrograde.store.sql_store import KNOWN_SCHEMAS, schema_of
from micrograde.tracking import DatasetInput
from micrograde.tracking.events import (
    Event,
    MetricsLogged,
    ModelLogged,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    TagsSet,
)

DATASET = DatasetInput("toys", "d" * 36, '{"path": "toys.csv"}', '{"mlflow_colspec": []}', '{"rows": 9}')
EVENTS: list[Event | int] = [
    RunStarted(0, 1, "toys 🦉", "sweep", {"n": "2"}, {"mlflow.note.content": "a *sweep*"}),
    RunStarted(1, 2, "toys 🦉", "first", {"rate": "0.1", "ß": "ü" * 7000}, {"t": "ü" * 9000}, DATASET, 0),
    RunStarted(2, 3, "toys 🦉", "second", {"rate": "0.3"}, {}, DATASET, 0),
    RunStarted(3, 4, "others", "alone", {"rate": "1"}, {}, DATASET),
    *(
        StackMetricsLogged([1, 2], 10 + step, step, {"val/loss": [1 / step, float("inf")], "a": [0, -1]})
        for step in range(1, 6)
    ),
    MetricsLogged(3, 7, 1, {"val/loss": float("nan"), "kept/val/loss": 0.25}),
    TagsSet(3, {tags.REASON: "it had to"}),
    RunEnded(1, 20, "FINISHED", MODEL),
    RunEnded(2, 21, "FINISHED"),
    RunEnded(3, 22, "FAILED"),
    ModelLogged(1),
    RunEnded(0, 30, "FINISHED"),
]
API = "/ajax-api/2.0/mlflow"


@pytest.fixture
def told(empty_store: Path, tmp_path: Path) -> Callable[..., Side]:
    """Make a store in which those events were told, by SQL or by MLflow's client."""

    def make(name: str, *, by_sql: bool, empty: Path = empty_store) -> Side:
        side = Side(tmp_path / name, empty, by_sql=by_sql)
        side.carry(side.writer(), [EVENTS])
        return side

    return make


def make_earlier(empty_store: Path, home: Path, revision: str) -> None:
    """Make a store of an earlier schema, by MLflow's own migrations, with the experiment that each has."""
    import sqlalchemy
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    database = home / "mlruns" / "mlflow.db"
    database.parent.mkdir(parents=True)
    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    Base.metadata.create_all(engine)
    command.upgrade(_get_alembic_config(f"sqlite:///{database}"), revision)
    engine.dispose()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("attach ? as newest", (str(empty_store / "mlruns" / "mlflow.db"),))
        columns = ", ".join(row[1] for row in connection.execute("pragma main.table_info('experiments')"))
        connection.execute("delete from main.experiments")
        connection.execute(
            f"insert into main.experiments ({columns}) select {columns} from newest.experiments"
        )


@pytest.mark.slow
@pytest.mark.usefixtures("one_time")
@pytest.mark.parametrize("schema", KNOWN_SCHEMAS)
def test_a_store_of_each_schema_is_upgraded_to_what_the_newest_client_writes(
    told, empty_store, tmp_path, schema
):
    import mlflow.db
    from alembic.script import ScriptDirectory
    from click.testing import CliRunner

    scripts = ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations"))
    if schema not in {script.revision for script in scripts.walk_revisions()}:
        pytest.skip(f"this MLflow, {mlflow.__version__}, has no schema {schema}")
    make_earlier(empty_store, tmp_path / "empty", schema)
    side = told("sql", by_sql=True, empty=tmp_path / "empty")
    assert schema_of(side.location.database) == schema
    done = CliRunner().invoke(mlflow.db.commands, ["upgrade", side.location.tracking_uri])
    assert (done.exit_code, done.exception) == (0, None)
    assert schema_of(side.location.database) == scripts.get_current_head()
    with closing(sqlite3.connect(side.location.database)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma foreign_key_check").fetchall() == []
    assert side.content() == told("client", by_sql=False).content()
    assert len(side.client.search_runs(["1", "2"])) == 4
    side.carry(side.writer("2026-01-05_00-00-00_e"), [EVENTS])  # and goes on in it
    assert len(side.client.search_runs(["1", "2"])) == 8


@pytest.mark.usefixtures("one_time")
def test_a_search_and_the_ui_s_answers_are_those_of_a_store_that_the_client_wrote(told, monkeypatch):
    written, expected = told("sql", by_sql=True), told("client", by_sql=False)
    assert written.content() == expected.content()
    assert list(frame_of(written)) == list(frame_of(expected))
    answers, of_client = list(answers_of(written, monkeypatch)), list(answers_of(expected, monkeypatch))
    assert len(answers) > 20
    for (asked, answer), other in zip(answers, of_client, strict=True):
        assert (asked, answer) == other


def frame_of(side: Side) -> Iterator[str]:
    """The runs as a data frame, row by row."""
    import mlflow

    mlflow.set_tracking_uri(side.location.tracking_uri)
    found = mlflow.search_runs(search_all_experiments=True, order_by=["start_time"])
    assert len(found) == 4
    yield repr(sorted(found.columns))
    for _, row in found[sorted(found.columns)].iterrows():
        yield side.told(repr(row.to_dict()))


def answers_of(side: Side, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """What the UI asks for, and MLflow's answers."""
    from mlflow.server import app, handlers
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(side.location.tracking_uri, (side.location.folder / "artifacts").as_uri())
    monkeypatch.setattr(handlers, "_tracking_store", store)
    web = app.test_client()

    def ask(path: str, given: dict[str, object]) -> tuple[str, str]:
        is_get = path.endswith(("/get", "/get-history", "/list", "bulk-interval"))
        said = (
            web.get(f"{API}/{path}", query_string=given) if is_get else web.post(f"{API}/{path}", json=given)
        )
        assert said.status_code == 200, (path, said.text)
        return f"{path} {side.told(repr(given))}", side.told(repr(in_order(said.get_json())))

    yield ask("experiments/search", {"max_results": 25})
    newest = ["attributes.start_time DESC"]
    yield ask("runs/search", {"experiment_ids": ["1", "2"], "order_by": newest, "max_results": 100})
    best = ["metrics.`val/loss` ASC", *newest]
    for filter_string in ("metrics.`val/loss` > 0.1", "params.rate = '0.3'", "dataset.name = 'toys'"):
        asked = {"experiment_ids": ["1", "2"], "order_by": best, "filter": filter_string}
        yield ask("runs/search", {**asked, "max_results": 100})
    yield ask("logged-models/search", {"experiment_ids": ["1", "2"]})
    for run_id in sorted(side.numbers, key=side.numbers.__getitem__):
        yield ask("runs/get", {"run_id": run_id})
        yield ask("artifacts/list", {"run_id": run_id})
        for metric in ("val/loss", "a", "kept/val/loss"):
            yield ask("metrics/get-history", {"run_id": run_id, "metric_key": metric})
            yield ask("metrics/get-history-bulk-interval", {"run_ids": run_id, "metric_key": metric})


def in_order(answer: object) -> object:
    """An answer whose tags, params and metrics are ordered by name, as the UI shows them."""
    if isinstance(answer, dict):
        return {key: in_order(value) for key, value in sorted(answer.items())}
    if isinstance(answer, list):
        inner = [in_order(each) for each in answer]
        named = all(isinstance(each, dict) and "key" in each and "step" not in each for each in inner)
        return sorted(inner, key=repr) if named else inner
    return answer
