"""Sweeps as a user launches them: children under a parent, the same numbers as alone, started again, broken off."""

import json
import random
import signal
import time

import pandas as pd
import pytest
from tests.waiting import wait_for

from micrograde.analysis import load_history, load_runs, load_sweeps
from micrograde.store import local_store, tags

SMALL = ("data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=3")
SWEEP = ("-m", *SMALL, "seed=range(3)", "optimizer.learning_rate=0.1,0.5")


def uri(user):
    return local_store(user.home).tracking_uri


def numbers(user, **selection):
    """What was measured in each finished run, by seed and learning rate."""
    runs = load_runs(uri(user), status="FINISHED", **selection)
    history = load_history(uri(user), run_ids=list(runs["run_id"]))
    values = {
        run_id: sorted(zip(part["metric"], part["step"], part["value"], strict=True))
        for run_id, part in history.groupby("run_id", observed=True)
    }
    keys = zip(runs["seed"], runs["optimizer.learning_rate"], strict=True)
    return {key: values[run_id] for key, run_id in zip(keys, runs["run_id"], strict=True)}


def test_a_sweep_is_a_parent_with_a_run_for_each_job(user):
    shown = user.run("train", *SWEEP)
    assert "finished    6 of 6 runs" in shown.stdout
    (sweep,) = load_sweeps(uri(user)).itertuples()
    assert (sweep.name, sweep.runs, sweep.status) == ("seed × learning_rate", 6, "FINISHED")
    assert sweep.varies == ("seed", "optimizer.learning_rate")
    parent = user.client.get_run(sweep.run_id)
    runs = load_runs(uri(user), sweep="latest")
    metric = "kept/val/accuracy"
    means = runs.groupby("optimizer.learning_rate")[metric].agg(["mean", "std"]).sort_values("mean")
    measured = parent.data.metrics
    assert measured[f"best/{metric}"] == pytest.approx(means["mean"].iloc[-1])
    assert measured[f"best/{metric}_std"] == pytest.approx(means["std"].iloc[-1])
    assert (measured["best/runs"], measured["best/runs_without_value"]) == (3, 0)
    own = runs[runs["optimizer.learning_rate"] == means.index[-1]].sort_values(metric)
    middle = runs.set_index("run_id").loc[parent.data.tags[tags.BEST_RUN_ID]]
    assert middle["optimizer.learning_rate"] == means.index[-1]
    assert middle[metric] == own[metric].iloc[1]
    assert parent.data.params["seed"] == "range(3)"
    assert set(runs["run_name"]) == {f"seed={s} learning_rate={r}" for s in range(3) for r in (0.1, 0.5)}
    files = {each.path for each in user.client.list_artifacts(sweep.run_id)}
    assert files == {
        "summary.csv", "over_seeds.csv", "report.html", "figures", "importance.csv", "report.md", "settings.tex",
    }  # fmt: skip
    assert not [path for path in user.files() if "/launches/" in path or "multirun" in path]


@pytest.mark.slow
def test_each_run_has_the_numbers_params_and_files_that_it_has_alone(user):
    user.run("train", *SWEEP)
    user.run("train", *SMALL, "seed=2", "optimizer.learning_rate=0.5")
    together = load_runs(uri(user), sweep="latest", where=("seed=2", "optimizer.learning_rate=0.5")).iloc[0]
    alone = load_runs(uri(user)).iloc[0]
    assert alone["parent_run_id"] != together["parent_run_id"]
    other = ["run_id", "run_name", "start_time", "duration", "parent_run_id"]
    of_process = (tags.PROCESS_ID, tags.PROCESS_START, tags.PROCESS_TICKS)
    other += [f"tags.{tag}" for tag in (tags.ORIGIN, tags.LAUNCH, *of_process)]
    for column in set(alone.index) - set(other):
        assert alone[column] == together[column] or pd.isna([alone[column], together[column]]).all(), column
    history = load_history(uri(user), run_ids=[alone["run_id"], together["run_id"]])
    first, second = (
        part.drop(columns="run_id").reset_index(drop=True)
        for _, part in history.groupby("run_id", observed=True)
    )
    assert first.equals(second)

    def files(run_id, folder=None):
        found: list[str] = []
        for each in user.client.list_artifacts(run_id, folder):
            found += files(run_id, each.path) if each.is_dir else [each.path]
        return sorted(found)

    more = set(files(alone["run_id"])) - set(files(together["run_id"]))
    assert set(files(together["run_id"])) < set(files(alone["run_id"]))
    drawn = (
        "calibration decision_boundary greatest_losses histograms importances loss_surface "
        "partial_dependence precision_recall roc_curves"
    )
    figures = {f"figures/{name}.svg" for name in drawn.split()}
    assert more == {*figures, "figures/decision_boundary.gif", "importances.csv", "walkthrough.html"}


@pytest.mark.slow
def test_the_same_command_again_runs_nothing_and_resume_false_starts_anew(user):
    user.run("train", *SWEEP)
    before = numbers(user)
    again = user.run("train", *SWEEP)
    assert "6 of them from before" in again.stdout
    assert len(load_sweeps(uri(user))) == 1
    assert numbers(user) == before
    user.run("train", *SWEEP, "sweep.resume=false")
    assert list(load_sweeps(uri(user))["runs"]) == [6, 6]
    assert numbers(user, sweep="latest") == before


@pytest.mark.slow
def test_runs_that_fail_are_told_of_and_the_others_go_on(user):
    command = ("-m", *SMALL, "model.batch_norm=false", "optimizer.learning_rate=0.1,1e38,-1")
    shown = user.run("train", *command, status=1)
    assert "1 of 3 runs, 2 FAILED" in shown.stdout
    runs = load_runs(uri(user), sweep="latest").set_index("run_name")
    reasons = runs["tags.micrograde.reason"]
    assert reasons["learning_rate=-1"] == "optimizer.learning_rate=-1: should be greater than 0"
    assert "loss" in reasons["learning_rate=1e+38"]
    again = user.run("train", *command, status=1)
    assert "3 of them from before" in again.stdout
    assert len(load_runs(uri(user))) == 3


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("optimizer.lerning_rate=1,2",), "optimizer.lerning_rate: there is no such key"),
        (("data=moons,nothing",), "data=nothing: there is no such choice"),
        (("optimizer.learning_rate=-1,-2",), "optimizer.learning_rate=-1: should be greater than 0"),
        (("seed=1,2", "sweep.resume=7"), "sweep.resume=7"),
    ],
)
def test_what_is_wrong_with_all_jobs_is_one_line_and_nothing_is_begun(user, command, line):
    shown = user.run("train", "-m", *command, status=2)
    assert shown.stderr.startswith(line)
    assert len(shown.stderr.splitlines()) == 1
    assert not user.runs()
    assert not [path for path in user.files() if "/launches/" in path or "/artifacts/" in path]


@pytest.mark.slow
def test_choices_of_groups_are_filed_together(user):
    user.run("train", "-m", "data=iris,wine", "training.num_epochs=2", "seed=0,1")
    runs = load_runs(uri(user), sweep="latest")
    assert set(runs["experiment_name"]) == {"iris+wine"}
    assert sorted(runs["data.name"]) == ["iris", "iris", "wine", "wine"]
    parent = user.client.get_run(load_sweeps(uri(user))["run_id"][0])
    assert json.loads(parent.data.tags["micrograde.sweep_varies"]) == ["data.name", "seed"]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic"])
def test_another_launcher_gives_the_same_numbers(user, launcher):
    user.run("train", *SWEEP)
    stacked = numbers(user, sweep="latest")
    user.run("train", *SWEEP, f"hydra/launcher={launcher}", "sweep.runs_per_job=2", "sweep.resume=false")
    assert len(load_sweeps(uri(user))) == 2
    assert numbers(user, sweep="latest") == stacked


def test_without_a_store_the_outcome_is_told(user):
    shown = user.run("train", *SWEEP, "tracking=disabled")
    assert "finished    6 of 6 runs, 0 FAILED" in shown.stdout
    assert not user.runs()


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_in_training_and_summarizes(user):
    short = [each for each in SWEEP if "num_epochs" not in each]
    command = (*short, "training.num_epochs=1500", "model.hidden_size=4,5,6,7")
    process = user.start("train", *command)
    launches = user.home / "mlruns" / "launches"
    wait_for(lambda: any('"val/loss"' in path.read_text() for path in launches.glob("*/journal.jsonl")))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130, stdout + stderr
    assert "finishing the runs in training" in stdout
    runs = load_runs(uri(user), sweep="latest")
    assert len(runs) in (6, 12, 18)  # whole stacks, and not all four
    assert set(runs["status"]) == {"FINISHED"}
    assert set(runs["val/accuracy"].notna()) == {True}
    assert "best " in stdout
    again = user.run("train", *command)
    assert f"{len(runs)} of them from before" in again.stdout
    assert list(load_runs(uri(user), sweep="latest")["status"]) == ["FINISHED"] * 24


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_no_run_running(user):
    # Two stacks on two threads; the second comes while a run is written down at its end.
    process = user.start(
        "train", "-m", "data=digits", "training.num_epochs=3", "seed=range(6)", "model.hidden_size=16,32"
    )
    launches = user.home / "mlruns" / "launches"
    wait_for(lambda: list(launches.glob("*/run-3")))
    process.send_signal(signal.SIGINT)
    wait_for(lambda: process.poll() is not None or list(launches.glob("*/run-*/model")))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130, stdout + stderr
    assert "RUNNING" not in stdout
    user.wait_until_written()
    statuses = [run.info.status for run in user.runs()]
    assert statuses
    assert set(statuses) <= {"FINISHED", "KILLED"}


@pytest.mark.slow
def test_v_says_how_each_run_ended(user):
    quiet, loud = user.run("train", *SWEEP), user.run("train", *SWEEP, "-v", "sweep.resume=false")
    line = "finished  seed=1 learning_rate=0.5  kept/val/accuracy"
    assert line not in quiet.stdout
    assert loud.stdout.count(line) == 1


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(3))
def test_a_sweep_that_was_killed_goes_on_and_counts_nothing_twice(user, attempt):
    rng = random.Random(attempt)
    process = user.start("train", *SWEEP, "model.hidden_size=4,5,6,7,8")
    time.sleep(rng.uniform(0.5, 4.0))
    process.kill()
    process.communicate()
    shown = user.run("train", *SWEEP, "model.hidden_size=4,5,6,7,8")
    assert "finished    30 of 30 runs" in shown.stdout
    runs = load_runs(uri(user))
    assert list(runs["status"]) == ["FINISHED"] * 30
    assert runs["tags.micrograde.config_digest"].is_unique
    assert list(load_sweeps(uri(user))["runs"]) == [30]
    running = [run for run in user.runs() if run.info.status == "RUNNING"]
    assert not running
