"""A sweep whose jobs run on a Ray cluster and record to a server, as a user launches it."""

import signal
import time

import pytest
from tests.narrowing import of_type
from tests.waiting import wait_for

from micrograde.analysis import load_history, load_runs, load_sweeps
from micrograde.store import local_store
from micrograde.store.stored_sweeps import list_sweeps

SMALL = ("data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=3")
SWEEP = ("-m", *SMALL, "seed=range(12)", "optimizer.learning_rate=0.1,0.5", "experiment_name=cluster")


@pytest.fixture(scope="module")
def on_cluster(ray_cluster, server):
    """What has a sweep run on the cluster and be recorded by the server."""
    launcher = ("hydra/launcher=ray", f"hydra.launcher.ray.init.address={ray_cluster.address}")
    return (*launcher, "tracking=server", f"tracking.uri={server}")


@pytest.fixture(scope="module")
def somebody(make_user):
    return make_user("cluster")


@pytest.fixture(scope="module")
def shown(somebody, on_cluster):
    """What is shown of 24 runs in 4 jobs."""
    return somebody.run("train", *SWEEP, *on_cluster, "sweep.runs_per_job=6").stdout


def numbers(uri):
    """The last values and all values of each run of the latest sweep, by seed and learning rate."""
    runs = load_runs(uri, sweep="latest", experiment_name="cluster")
    history = load_history(uri, run_ids=list(runs["run_id"]))
    metrics = [str(name) for name in runs if name in set(history["metric"])]
    assert "test/accuracy" in metrics
    values = {
        run_id: sorted(zip(part["metric"], part["step"], part["value"], strict=True))
        for run_id, part in history.groupby("run_id", observed=True)
    }
    return {
        (run["seed"], run["optimizer.learning_rate"]): (run[metrics].to_dict(), values[run["run_id"]])
        for _, run in runs.iterrows()
    }


def values_by_name(uri, experiment_name):
    """All values of each run of the latest sweep, as texts, in which NaN equals NaN; by the run's name."""
    runs = load_runs(uri, sweep="latest", experiment_name=experiment_name)
    names = dict(zip(runs["run_id"], runs["run_name"], strict=True))
    history = load_history(uri, run_ids=list(names))
    return {
        names[run_id]: sorted(zip(part["metric"], part["step"], map(repr, part["value"]), strict=True))
        for run_id, part in history.groupby("run_id", observed=True)
    }


def test_all_runs_finish_under_one_parent_that_has_the_report(shown, server, client):
    assert "24 runs in 4 jobs for RayLauncher" in shown
    assert "finished    24 of 24 runs" in shown
    (look,) = [line for line in shown.splitlines() if line.startswith("look ")]
    assert f"tracking=server tracking.uri={server} " in look
    (sweep,) = load_sweeps(server, experiment_name="cluster").itertuples()
    assert (sweep.name, sweep.runs, sweep.status) == ("seed × learning_rate", 24, "FINISHED")
    assert sweep.varies == ("seed", "optimizer.learning_rate")
    runs = load_runs(server, sweep=of_type(str, sweep.run_id))
    assert list(runs["status"]) == ["FINISHED"] * 24
    assert set(runs["parent_run_id"]) == {sweep.run_id}
    assert set(runs["run_name"]) == {f"seed={s} learning_rate={r}" for s in range(12) for r in (0.1, 0.5)}
    assert runs["tags.micrograde.config_digest"].is_unique
    files = {each.path for each in client.list_artifacts(sweep.run_id)}
    assert files == {
        "summary.csv", "over_seeds.csv", "report.html", "figures", "importance.csv", "report.md", "settings.tex",
    }  # fmt: skip


@pytest.mark.usefixtures("shown")
def test_the_jobs_are_shared_among_the_nodes_and_leave_nothing_there(server, client, ray_cluster):
    runs = load_runs(server, sweep="latest", experiment_name="cluster")
    names = [client.get_run(run_id).data.tags["mlflow.user"] for run_id in runs["run_id"]]
    assert set(names) == {home.name for home in ray_cluster.homes}
    assert {names.count(name) % 6 for name in names} == {0}  # whole jobs
    files = [path for home in ray_cluster.homes for path in (home / "mlruns").rglob("*") if path.is_file()]
    assert {path.name for path in files} <= {"project.json"}  # the id of the folder, for later launches


@pytest.mark.usefixtures("shown")
def test_the_numbers_are_those_of_one_process(make_user, server):
    alone = make_user("alone")
    alone.run("train", *SWEEP)
    assert numbers(server) == numbers(local_store(alone.home).tracking_uri)


@pytest.mark.usefixtures("shown")
def test_the_same_command_again_runs_nothing(somebody, server, on_cluster):
    before = load_runs(server, experiment_name="cluster")
    again = somebody.run("train", *SWEEP, *on_cluster, "sweep.runs_per_job=6")
    assert "24 of them from before" in again.stdout
    assert "jobs for RayLauncher" not in again.stdout
    assert load_runs(server, experiment_name="cluster").equals(before)
    assert len(load_sweeps(server, experiment_name="cluster")) == 1


def test_a_forgotten_server_is_said_before_anything_is_recorded(make_user, ray_cluster):
    forgetful = make_user("forgetful")
    launcher = ("hydra/launcher=ray", f"hydra.launcher.ray.init.address={ray_cluster.address}")
    done = forgetful.run("train", *SWEEP, *launcher, status=2)
    (line,) = done.stderr.splitlines()
    assert "would record in a store of its own; add tracking=server tracking.uri=http://HOST:5000" in line
    assert not list_sweeps(local_store(forgetful.home).tracking_uri)


def test_a_table_need_not_be_on_the_nodes(make_user, somebody, server, on_cluster):
    alone = make_user("alone-with-a-table")
    for user in (alone, somebody):
        rows = [
            f"{number % 7},{number * number % 11},{'yes' if number % 3 else 'no'}" for number in range(90)
        ]
        (user.folder / "mine.csv").write_text("\n".join(["a,b,answer", *rows]))
    sweep = ("-m", "data=csv", "data.path=mine.csv", "data.target=answer", "data.seed=0,1", "seed=0,1")
    command = (*sweep, "training.num_epochs=2", "experiment_name=tables")
    shown = somebody.run("train", *command, *on_cluster, "sweep.runs_per_job=2").stdout
    assert "finished    4 of 4 runs" in shown
    alone.run("train", *command)
    there, here = (values_by_name(uri, "tables") for uri in (server, local_store(alone.home).tracking_uri))
    assert there.keys() == here.keys()
    assert [set(there[name]) ^ set(here[name]) for name in here] == [set()] * 4


def test_runs_that_fail_are_told_of_and_the_others_go_on(somebody, server, on_cluster):
    rates = "optimizer.learning_rate=0.1,1e300,-1"
    command = ("-m", *SMALL, "seed=0,1", rates, "experiment_name=failing", *on_cluster)
    done = somebody.run("train", *command, "sweep.runs_per_job=2", status=1)
    assert "4 runs in 2 jobs for RayLauncher" in done.stdout
    assert "2 of 6 runs, 4 FAILED" in done.stdout
    runs = load_runs(server, sweep="latest", experiment_name="failing").set_index("run_name")
    reasons = runs["tags.micrograde.reason"]
    for seed in (0, 1):
        assert runs["status"][f"seed={seed} learning_rate=0.1"] == "FINISHED"
        assert "is not finite" in reasons[f"seed={seed} learning_rate=1e+300"]
        impossible = "optimizer.learning_rate=-1: should be greater than 0"
        assert reasons[f"seed={seed} learning_rate=-1"] == impossible


def test_ctrl_c_twice_stops_the_jobs_in_training_and_the_others_never_begin(
    make_user, server, client, on_cluster, ray_cluster
):
    stopped = make_user("stopped")
    sweep = ("-m", "data=moons", "seed=range(12)", "training.num_epochs=20000", "experiment_name=stopped")
    launch = stopped.start("train", *sweep, *on_cluster, "sweep.runs_per_job=2", "training.diagnostics=false")
    # The nodes' journals: what is in training, before the server has heard of it.
    journals = [home / "mlruns" / "launches" for home in ray_cluster.homes]
    wait_for(
        lambda: any(
            '"val/loss"' in each.read_text() for at in journals for each in at.glob("*/journal.jsonl")
        )
    )
    launch.send_signal(signal.SIGINT)
    assert launch.stdout
    said = ""
    while "finishing the runs in training" not in said:
        said += launch.stdout.readline()
    time.sleep(1)  # two that come at once are one to Python
    launch.send_signal(signal.SIGINT)
    rest = launch.stdout.read()
    _, errors = launch.communicate()
    assert (launch.returncode, errors) == (130, ""), said + rest
    (line,) = [line for line in rest.splitlines() if line.startswith("finished ")]
    begun = int(line.partition("; ")[2].partition(" lost: stopped with Ctrl-C")[0])
    assert line == f"finished    0 of 12 runs; {begun} lost: stopped with Ctrl-C; {12 - begun} not run"
    assert begun in (2, 4)  # whole jobs, one for each node
    (sweep_row,) = load_sweeps(server, experiment_name="stopped").itertuples()
    assert sweep_row.status == "KILLED"
    experiment = client.get_experiment_by_name("stopped")

    def ended():
        runs = client.search_runs([experiment.experiment_id])
        return not any(run.info.status == "RUNNING" for run in runs)

    wait_for(ended)
    assert len(client.search_runs([experiment.experiment_id])) <= 1 + begun  # the sweep's own is the other
