"""`micrograde gc` as it is typed: its question and answers, while others train, and killed."""

import os
import signal
import subprocess
import sys

import pytest
from tests.conftest import ROOT, User
from tests.store.deletions import Deletions
from tests.waiting import wait_for

from micrograde.store import local_store

SMALL = ("data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=2")


def answered(user: User, answer: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command with an answer in a pipe."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "pipelines" / "gc.py"), *arguments],
        cwd=user.folder, env=user.environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = process.communicate(answer)
    return subprocess.CompletedProcess([], process.returncode, stdout, stderr)


@pytest.mark.slow
def test_without_an_answer_nothing_goes(user: User) -> None:
    store = Deletions(local_store(user.home))
    run = store.run(deleted=True)
    silent = user.run("gc", status=2)  # its standard input is /dev/null
    assert "goes        1 run, 1 file, 7 bytes" in silent.stdout
    assert silent.stderr == (
        "nothing removed: nobody has answered; without a terminal type --yes, or --dry-run\n"
    )
    assert "this is a dry run" in user.run("gc", "--dry-run").stdout
    assert store.going() == {run}
    assert store.files(run).exists()
    assert "removed     1 run, 1 file, 7 bytes" in user.run("gc", "--yes").stdout
    assert store.execute("select count(*) from runs") == [(0,)]


@pytest.mark.slow
def test_a_piped_answer_counts_and_the_rest_replays_identical(user: User) -> None:
    rows = "\n".join(f"{number % 11},{'pq'[number % 11 > 5]}" for number in range(90))
    (user.folder / "t.csv").write_text(f"x,y\n{rows}\n")
    table = ("data=csv", "data.path=t.csv", "data.target=y", "training.num_epochs=2")
    for seed in range(2):
        user.run("train", *table, f"seed={seed}")
    user.run("train", *table, "seed=9", "tracking.register=kept")
    runs = {run.data.params["seed"]: run for run in user.runs()}
    gone, kept = runs["0"], runs["1"]
    for run in (gone, runs["9"]):
        user.client.delete_run(run.info.run_id)
    done = answered(user, "y\n")
    assert done.returncode == 0
    assert "its model is registered as kept version 1" in done.stdout
    assert "removed     1 run, 1 logged model" in done.stdout
    assert not user.artifacts(gone).parent.exists()
    assert user.artifacts(runs["9"]).exists()
    assert "identical" in user.run("replay", f"run_id={kept.info.run_id}").stdout


@pytest.mark.slow
def test_a_sweep_trains_meanwhile(user: User) -> None:
    store = Deletions(local_store(user.home))
    runs = [store.run("old") for _ in range(6)]
    sweep = user.start("train", "-m", *SMALL, "seed=range(12)", "experiment_name=old")
    removed = 0
    while sweep.poll() is None and runs:
        for run in runs[:2]:
            store.client.delete_run(run)
        removed += "removed     2 runs" in user.run("gc", "--yes").stdout
        runs = runs[2:]
    assert sweep.wait() == 0, sweep.communicate()[1]
    user.wait_until_written()
    assert removed
    for run in runs:
        store.client.delete_run(run)
    user.run("gc", "--yes")
    left = user.runs()
    assert {run.info.status for run in left} == {"FINISHED"}
    assert len(left) == 1 + 12
    trained = [run for run in left if "micrograde.sweep_digest" not in run.data.tags]
    assert len(trained) == 12
    assert all((user.artifacts(run) / "train.log").exists() for run in trained)
    assert "12 finished" in user.run("compare", "sweep=latest").stdout


@pytest.mark.slow
def test_killed_and_given_again(user: User) -> None:
    user.run("train", *SMALL)
    user.wait_until_written()
    store = Deletions(local_store(user.home))
    for _ in range(20):
        store.run(metrics={"val/loss": 1.0}, deleted=True)
    command = user.start("gc", "--yes")
    wait_for(lambda: store.execute("select count(*) from runs")[0][0] < 21)
    os.kill(command.pid, signal.SIGKILL)
    command.communicate()
    (left,) = store.execute("select count(*) from runs")[0]
    assert 1 < left < 21
    with (store.location.folder / "large").open("wb") as file:
        file.truncate(2 * 10**9)  # a hole, which takes no room
    compared = user.run("compare")
    assert "1 run" in compared.stdout
    assert "mlruns has grown to " in compared.stderr
    assert "2.0 GB: large 2.0 GB; " in compared.stderr
    assert f"gc removes {left - 1} deleted runs" in compared.stderr
    assert user.run("gc", "--yes").stdout.count(f"removed     {left - 1} runs") == 1
    assert len(list((store.location.folder / "artifacts" / "digits").iterdir())) == 0
    assert "identical" in user.run("replay", "run_id=latest").stdout
