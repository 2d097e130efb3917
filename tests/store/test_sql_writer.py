"""Values written as rows are those that MLflow's own client would have written."""

import sqlite3
from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograde.store import local_store, make_store
from micrograde.store.errors import NotActiveError
from micrograde.store.sql_writer import Param, Point, calls_of_client, write_to_sqlite


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store, and MLflow's client of it."""
    from mlflow import MlflowClient

    location = local_store(tmp_path_factory.mktemp("home"))
    make_store(location)
    client = MlflowClient(location.tracking_uri)
    client.create_experiment("points", (location.folder / "artifacts").as_uri())
    return location.folder / "mlflow.db", client


def rows(database, run_id):
    with sqlite3.connect(database) as connection:
        return {
            table: sorted(
                connection.execute(
                    f"select key, value, timestamp, step, is_nan from {table} where run_uuid = ?", [run_id]
                )
            )
            for table in ("metrics", "latest_metrics")
        }


def through_client(client, params, points):
    for call in calls_of_client(client, params, points):
        call()


one = st.tuples(st.sampled_from(["a", "b/c"]), st.floats(), st.integers(0, 3), st.integers(0, 3))


@given(st.lists(st.lists(one, max_size=8), max_size=3))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_rows_are_those_of_mlflows_client(store, batches):
    database, client = store
    experiment = client.get_experiment_by_name("points").experiment_id
    ours, theirs = (client.create_run(experiment).info.run_id for _ in range(2))
    for batch in batches:
        write_to_sqlite(database, [Param(ours, "p", "x" * 9000)], [Point(ours, *each) for each in batch])
        through_client(client, [Param(theirs, "p", "x" * 9000)], [Point(theirs, *each) for each in batch])
    assert rows(database, ours) == rows(database, theirs)
    params = [client.get_run(run_id).data.params for run_id in (ours, theirs)]
    assert params[0] == params[1] == ({"p": "x" * 6000} if batches else {})


def test_many_points_of_many_runs_go_through_the_client(store):
    _, client = store
    experiment = client.get_experiment_by_name("points").experiment_id
    ids = [client.create_run(experiment).info.run_id for _ in range(2)]
    through_client(client, [], [Point(ids[n % 2], "a", n, 1, n) for n in range(2200)])
    for row, run_id in enumerate(ids):
        history = client.get_metric_history(run_id, "a")
        assert [point.value for point in history] == list(range(row, 2200, 2))


def test_a_call_holds_as_much_as_mlflow_takes():
    sent = []

    class Client:
        def log_batch(self, run_id, metrics, params):
            sent.append((run_id, len(metrics), len(params)))

    params = [Param(run_id, f"p{number}", "") for run_id in "xy" for number in range(130)]
    through_client(Client(), params, [Point("x", "a", 0.0, 1, step) for step in range(2000)])
    assert sent == [("x", 900, 100), ("x", 970, 30), ("x", 130, 0), ("y", 0, 100), ("y", 0, 30)]


@given(st.lists(one, min_size=1, max_size=8), st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_call_whose_answer_was_lost_is_made_again_only_if_its_values_are_not_there(store, points, written):
    _, client = store
    experiment = client.get_experiment_by_name("points").experiment_id
    run_id = client.create_run(experiment).info.run_id
    calls = []

    class Client:
        get_run = client.get_run

        def log_batch(self, run_id, metrics, params):
            calls.append(run_id)
            if written or len(calls) > 1:
                client.log_batch(run_id, metrics, params)
            if len(calls) == 1:
                raise ConnectionError

    def twice(call):
        with suppress(ConnectionError):
            return call()
        return call()

    (of_run,) = calls_of_client(cast(Any, Client()), [], [Point(run_id, *each) for each in points], twice)
    of_run()
    assert len(calls) == (1 if written else 2)
    assert {each for each, *_ in points} == client.get_run(run_id).data.metrics.keys()


def test_of_a_run_that_is_not_there_nothing_is_written(store):
    database, client = store
    experiment = client.get_experiment_by_name("points").experiment_id
    run_id = client.create_run(experiment).info.run_id
    with pytest.raises(sqlite3.IntegrityError):
        write_to_sqlite(database, [], [Point(run_id, "a", 1.0, 1, 1), Point("0" * 32, "a", 1.0, 1, 1)])
    assert rows(database, run_id) == {"metrics": [], "latest_metrics": []}


def test_of_a_run_that_was_deleted_nothing_is_written(store):
    """As MLflow refuses it; also of one among more runs than are asked about at once."""
    database, client = store
    experiment = client.get_experiment_by_name("points").experiment_id
    ids = [client.create_run(experiment).info.run_id for _ in range(3)]
    client.delete_run(ids[1])
    points = [Point(run_id, "a", 1.0, 1, 1) for run_id in ids]
    missing = [Point(f"{number:032x}", "a", 1.0, 1, 1) for number in range(1200)]
    for rows_of in ([points[1]], points, [*missing, *points]):
        with pytest.raises(NotActiveError, match=f"run {ids[1]} has been deleted"):
            write_to_sqlite(database, [], rows_of)
    with pytest.raises(NotActiveError):
        write_to_sqlite(database, [Param(ids[1], "p", "x")], [])
    with pytest.raises(Exception, match="must be in the 'active' state"):
        through_client(client, [], [points[1]])
    assert [rows(database, run_id)["metrics"] for run_id in ids] == [[], [], []]
