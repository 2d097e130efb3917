"""Runs whose process has died, and runs whose process has not, before the eyes of the next command."""

import signal

import psutil
import pytest
from tests.waiting import wait_for

from micrograde.analysis import load_history
from micrograde.store import local_store

pytestmark = pytest.mark.slow  # each of them runs commands

ENDLESS = ("training.num_epochs=1000000", "training.batch_size=5")  # few epochs a second
SWEEP = ("-m", "data=moons", "training.num_epochs=3", "seed=range(2)")


def start(user, *arguments):
    """A run in training that the store knows of, and the epochs that its journal has."""
    process = user.start("train", *ENDLESS, *arguments)
    wait_for(lambda: user.runs() and len(journal(user)) > 20)
    return process


def kill_both(process):
    """The process that trains and its writer, as when a machine goes down."""
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGSTOP)
    for child in children:
        child.kill()
    process.kill()
    process.communicate()


def journal(user):
    """The epochs that it holds."""
    (path,) = (user.home / "mlruns" / "launches").glob("*/journal.jsonl")
    *lines, _ = path.read_text().split("\n")
    return [line for line in lines if '"StackMetricsLogged"' in line]


@pytest.mark.slow
@pytest.mark.parametrize("command", [("compare",), ("train", *SWEEP)], ids=["compare", "sweep"])
def test_a_run_whose_processes_were_killed_is_killed_with_all_that_was_measured(user, command):
    process = start(user)
    kill_both(process)
    measured = len(journal(user))
    (before,) = user.runs()
    assert before.info.status == "RUNNING"
    user.run(*command)
    after = user.client.get_run(before.info.run_id)
    assert after.info.status == "KILLED"
    assert after.data.tags["micrograde.reason"] == "the training process died without a word"
    assert int(after.data.tags["micrograde.process_id"]) == process.pid
    history = load_history(
        local_store(user.home).tracking_uri, run_ids=[before.info.run_id], metrics=["val/loss"]
    )
    assert list(history["step"]) == list(range(1, measured + 1))
    assert not list((user.home / "mlruns" / "launches").iterdir())


@pytest.mark.slow
def test_what_is_left_of_a_launch_that_cannot_be_read_is_in_the_way_once(user):
    left = user.home / "mlruns" / "launches" / "2026-01-01_00-00-00_x"
    (left / "run-0").mkdir(parents=True)
    (left / "run-0" / "train.log").write_text("so far")
    place = user.home / "mlruns" / "incomplete" / left.name
    said = user.run("sync", status=1).stdout
    assert said == f"{left}: has no launch.json that can be read; what is left is in {place}\n"
    assert (place / "run-0" / "train.log").read_text() == "so far"
    assert user.run("sync").stdout == "nothing is waiting\n"


def test_a_run_that_goes_on_is_left_alone(user):
    process = start(user)
    try:
        for _ in range(2):
            assert "RUNNING" in user.run("compare").stdout
        assert user.run("sync").stdout == "nothing is waiting\n"
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    (run,) = user.runs()
    assert run.data.tags["micrograde.reason"] == "stopped with Ctrl-C"


@pytest.mark.slow
def test_a_run_on_a_server_is_marked_there(user, server):
    from mlflow import MlflowClient

    to_server = ("tracking=server", f"tracking.uri={server.address}")
    client = MlflowClient(server.address)
    process = user.start("train", *ENDLESS, *to_server)

    def runs():
        return client.search_runs([each.experiment_id for each in client.search_experiments()])

    wait_for(lambda: any("val/accuracy" in run.data.metrics for run in runs()))
    assert "RUNNING" in user.run("compare", *to_server).stdout
    kill_both(process)
    measured = len(journal(user))
    assert "KILLED" in user.run("compare", *to_server).stdout
    (run,) = runs()
    assert run.info.status == "KILLED"
    assert len(client.get_metric_history(run.info.run_id, "val/loss")) == measured
