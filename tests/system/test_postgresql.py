"""What is recorded through a server whose store is PostgreSQL: read both ways, compared, gone on with."""

from typing import Any

import numpy as np
import psycopg
import pytest
from benchmarks.servers import Proxy
from pandas.testing import assert_frame_equal
from tests.narrowing import not_none, of_type

from micrograde.analysis import best_setting, load_history, load_runs, load_sweeps
from micrograde.store import find_sweep
from micrograde.store.postgresql_batch import for_libpq

NAME = "postgresql"
SMALL = ("data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=3")
HERE = (*SMALL, f"experiment_name={NAME}")
SWEEP = ("-m", *HERE, "seed=range(3)", "optimizer.learning_rate=0.1,0.5")


@pytest.fixture(scope="module")
def somebody(make_user):
    return make_user("postgresql")


@pytest.fixture(scope="module")
def to_server(server):
    return ("tracking=server", f"tracking.uri={server}")


@pytest.fixture(scope="module")
def recorded(somebody, to_server, client):
    """A run alone, one that diverges, six of a sweep; what is not a number, as a program may record it."""
    somebody.run("train", *HERE, "seed=7", *to_server)
    rate = "optimizer.learning_rate=1e300"
    somebody.run("train", *HERE, rate, "model.batch_norm=false", *to_server, status=1)
    run = client.create_run(client.get_experiment_by_name(NAME).experiment_id)
    for step, value in enumerate((1.5, np.nan, np.inf, -np.inf, np.nan)):
        client.log_metric(run.info.run_id, "odd", value, step=step)
        client.log_metric(run.info.run_id, "large", -value, step=step)
    client.log_metric(run.info.run_id, "large", np.inf, step=9)
    client.set_terminated(run.info.run_id)
    somebody.run("train", *SWEEP, *to_server)
    return run.info.run_id


def test_runs_are_the_same_through_the_server_as_by_sql(recorded, server, postgresql):
    runs = load_runs(server, experiment_name=NAME)
    assert_frame_equal(runs, load_runs(postgresql, experiment_name=NAME), check_exact=True)
    assert runs["status"].value_counts().to_dict() == {"FINISHED": 8, "FAILED": 1}
    (failed,) = runs[runs["status"] == "FAILED"]["tags.micrograde.reason"]
    assert "is not finite" in failed
    odd = runs.set_index("run_id").loc[recorded]
    assert np.isnan(odd["odd"])
    assert odd["large"] == np.inf
    assert runs["training.num_epochs"].dropna().unique() == [3]


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    "selection",
    [
        {"status": "FAILED"},
        {"where": ["seed>=1", "val/accuracy>0"]},
        {"sweep": "latest"},
        {"sweep": "latest", "where": ["optimizer.learning_rate=0.5"]},
    ],
)
def test_a_choice_of_runs_is_the_same(server, postgresql, selection):
    runs = load_runs(server, experiment_name=NAME, **selection)
    assert len(runs)
    assert_frame_equal(runs, load_runs(postgresql, experiment_name=NAME, **selection), check_exact=True)


def test_history_is_the_same_through_the_server_as_by_sql(recorded, server, postgresql):
    history = load_history(server, experiment_name=NAME)
    assert_frame_equal(history, load_history(postgresql, experiment_name=NAME), check_exact=True)
    odd = history[history["run_id"] == recorded]
    values = {name: list(part["value"]) for name, part in odd.groupby("metric", observed=True)}
    np.testing.assert_array_equal(values["odd"], [1.5, np.nan, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(values["large"], [-1.5, np.nan, -np.inf, np.inf, np.nan, np.inf])
    chosen: dict[str, Any] = {"run_ids": list(history["run_id"].unique()[1:3]), "metrics": ["val/loss"]}
    assert_frame_equal(load_history(server, **chosen), load_history(postgresql, **chosen), check_exact=True)


@pytest.mark.usefixtures("recorded")
def test_sweeps_are_the_same_through_the_server_as_by_sql(server, postgresql):
    sweeps = load_sweeps(server)
    assert_frame_equal(sweeps, load_sweeps(postgresql), check_exact=True)
    (sweep,) = sweeps[sweeps["experiment"] == NAME].itertuples()
    assert (sweep.name, sweep.runs, sweep.status) == ("seed × learning_rate", 6, "FINISHED")


@pytest.mark.usefixtures("recorded")
def test_a_sweep_is_compared_on_the_server(somebody, server, to_server):
    done = somebody.run("compare", "sweep=latest", f"experiment_name={NAME}", "metric=val/loss", *to_server)
    sweep = find_sweep(server, "latest", experiment_name=NAME)
    runs = load_runs(server, sweep=sweep.run_id)
    best = not_none(best_setting(runs, "val/loss", varies=sweep.varies))
    assert "6 finished" in done.stdout
    assert f"best      {best.lines()[0][1]}" in done.stdout
    assert f"model     of run {best.run_id}" in done.stdout
    (page,) = (somebody.home / "mlruns" / "reports").rglob("report.html")
    assert str(page) in done.stdout


@pytest.mark.usefixtures("recorded")
def test_a_sweep_goes_on_where_it_was(somebody, server, to_server):
    before = load_runs(server, sweep="latest", experiment_name=NAME)
    again = somebody.run("train", *SWEEP, *to_server)
    assert "6 of them from before" in again.stdout
    assert_frame_equal(load_runs(server, sweep="latest", experiment_name=NAME), before)
    assert len(load_sweeps(server, experiment_name=NAME)) == 1


def test_a_run_of_a_sweep_that_was_not_finished_is_run_again(somebody, server, to_server, client):
    command = ("-m", *SMALL, "experiment_name=gone on with", "seed=range(3)", *to_server)
    somebody.run("train", *command)
    first = load_runs(server, sweep="latest", experiment_name="gone on with").set_index("run_name")
    broken = first["run_id"]["seed=1"]
    client.set_terminated(broken, "KILLED")
    again = somebody.run("train", *command)
    assert "3 of 3 runs, 2 of them from before" in again.stdout
    runs = load_runs(server, sweep="latest", experiment_name="gone on with").set_index("run_name")
    assert len(load_sweeps(server, experiment_name="gone on with")) == 1
    assert set(first["run_id"]) - set(runs["run_id"]) == {broken}
    assert runs["val/loss"]["seed=1"] == first["val/loss"]["seed=1"]
    assert client.get_run(broken).data.tags["micrograde.superseded"] == "true"


def test_a_search_is_recorded_and_goes_on(somebody, server, postgresql, to_server, client):
    more = ("hydra/sweeper=optuna", "search=sgd", "hydra.sweeper.n_jobs=2", "experiment_name=search")
    command = ("-m", *SMALL[:2], SMALL[-1], *more, *to_server)
    done = somebody.run("train", *command, "hydra.sweeper.n_trials=4")
    assert "finished    4 of 4 runs" in done.stdout
    (sweep,) = load_sweeps(server, experiment_name="search").itertuples()
    run_id = of_type(str, sweep.run_id)
    runs = load_runs(server, sweep=run_id)
    assert_frame_equal(runs, load_runs(postgresql, sweep=run_id), check_exact=True)
    assert list(runs["status"]) == ["FINISHED"] * 4
    assert runs["optimizer.learning_rate"].nunique() == 4
    files = {each.path for each in client.list_artifacts(sweep.run_id)}
    assert {"report.html", "summary.csv", "optimization_results.yaml"} <= files
    again = somebody.run("train", *command, "hydra.sweeper.n_trials=4")
    assert "4 of 4 runs, 4 of them from before" in again.stdout
    assert set(load_runs(server, experiment_name="search")["run_id"]) == set(runs["run_id"])


# --- rows that are there already -----------------------------------------------------------------------------


class Log:
    """PostgreSQL's log from now on."""

    def __init__(self, path):
        self.path, self.start = path, path.stat().st_size

    def twice(self):
        """The keys of rows that somebody has inserted a second time."""
        with self.path.open() as log:
            log.seek(self.start)
            lines = log.read().splitlines()
        assert not [line for line in lines if "ERROR" in line and "duplicate key" not in line]
        return [line.partition("Key ")[2] for line in lines if "already exists" in line]


@pytest.fixture
def log(postgresql_log):
    return Log(postgresql_log)


def test_a_sweep_into_the_database_is_that_of_the_server_and_writes_no_row_twice(
    somebody, server, postgresql, to_server, log
):
    command = ("-m", *SMALL, "seed=range(20)", *to_server)
    database = f"tracking.database={postgresql}"
    asked: list[str] = []
    with Proxy(int(server.rpartition(":")[2]), lambda _, path: asked.append(path)) as proxy:
        where = f"tracking.uri={proxy.address}"
        direct = somebody.run("train", *command, "experiment_name=direct", database, where)
    assert "20 of 20 runs" in direct.stdout
    assert not [path for path in asked if "get-history" in path or "log-batch" in path]
    assert not log.twice()
    again = somebody.run("train", *command, "experiment_name=direct", database)
    assert "20 of 20 runs, 20 of them from before" in again.stdout
    somebody.run("train", *command, "experiment_name=by requests")
    ours, theirs = (load_runs(server, experiment_name=name) for name in ("direct", "by requests"))
    measured = ("kept/", "val/", "train/")
    same = [name for name in theirs if name == "seed" or str(name).startswith(measured)]
    assert_frame_equal(
        ours[same].sort_values("seed", ignore_index=True), theirs[same].sort_values("seed", ignore_index=True)
    )
    assert set(ours["status"]) == {"FINISHED"}
    assert not [name for name in ours if str(name).startswith("tracking.database")]
    history = load_history(server, experiment_name="direct")
    assert not history.duplicated(["run_id", "metric", "step"]).any()


def test_a_password_of_the_database_is_nowhere_afterwards(
    somebody, server, postgresql, to_server, postgresql_log
):
    """This PostgreSQL asks for none, and takes any."""
    secret = "swordfish"
    database = f"tracking.database={postgresql.replace('mlflow@', f'mlflow:{secret}@')}"
    command = ("-m", *SMALL, "seed=0,1", *to_server, "experiment_name=with a password", database)
    for done in (somebody.run("train", *command), somebody.run("train", *command)):
        assert secret not in done.stdout + done.stderr
    for path in (*somebody.home.rglob("*"), *somebody.folder.rglob("*"), postgresql_log):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    with psycopg.connect(for_libpq(postgresql)) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        for (table,) in tables:
            found = connection.execute(
                f"select count(*) from {table} t where t::text like %s".encode(), [f"%{secret}%"]
            )
            assert found.fetchone() == (0,), table
    runs = load_runs(server, experiment_name="with a password")
    assert list(runs["status"]) == ["FINISHED"] * 2


def test_an_answer_that_is_lost_writes_no_row_twice(somebody, server, log):
    """But for the model's values, which MLflow gives to the run, too, whatever it has."""
    asked = 0

    def loses(_, path):
        nonlocal asked
        asked += path.endswith("runs/log-batch")
        return "lose" if path.endswith("runs/log-batch") and asked % 3 == 0 else None

    with Proxy(int(server.rpartition(":")[2]), loses) as proxy:
        where = ("tracking=server", f"tracking.uri={proxy.address}")
        done = somebody.run("train", "-m", *SMALL, "seed=range(8)", "experiment_name=lost answers", *where)
    assert "8 of 8 runs" in done.stdout
    assert proxy.counts["lose"] >= 3
    assert len(log.twice()) <= 1
    history = load_history(server, experiment_name="lost answers")
    assert not history.duplicated(["run_id", "metric", "step"]).any()
    assert history["run_id"].nunique() >= 8
