"""Searches as a user launches them: Optuna chooses, a batch trains as a stack, the same command goes on."""

import signal
import sqlite3
import time
from contextlib import closing

import pytest
from tests.waiting import wait_for

from micrograde.analysis import load_runs, load_sweeps
from micrograde.store import local_store

pytestmark = pytest.mark.slow  # each of them runs commands

SMALL = ("data=moons", "data.samples=100", "training.num_epochs=3")
SEARCH = ("-m", *SMALL, "hydra/sweeper=optuna", "hydra.sweeper.n_jobs=4")
RATE = "optimizer.learning_rate=interval(0.01,1)"


def runs(user):
    return load_runs(local_store(user.home).tracking_uri, sweep="latest")


def rates(user):
    table = runs(user)
    return sorted(table.loc[table["status"] == "FINISHED", "optimizer.learning_rate"])


@pytest.mark.slow
def test_a_search_goes_on_where_it_was_and_comes_out_the_same(user):
    shown = user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=6")
    assert "finished    6 of 6 runs" in shown.stdout
    assert shown.stderr == ""
    first = rates(user)
    assert len(set(first)) == 6
    assert all(0.01 <= rate <= 1 for rate in first)
    table = runs(user)
    best = table.sort_values("kept/val/accuracy", ascending=False).iloc[0]
    assert f"best        kept/val/accuracy {best['kept/val/accuracy']:.4f}" in shown.stdout

    more = user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=9")
    assert "finished    9 of 9 runs, 6 of them from before" in more.stdout
    assert set(first) < set(rates(user))
    again = user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=9")
    assert "finished    9 of 9 runs, 9 of them from before" in again.stdout
    (sweep,) = load_sweeps(local_store(user.home).tracking_uri).itertuples()
    files = {each.path for each in user.client.list_artifacts(sweep.run_id)}
    assert {"report.html", "optimization_results.yaml"} <= files
    assert not [path for path in user.files() if "/mlruns/sweeps/" in path]

    user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=6", "sweep.resume=false")
    assert rates(user) == first
    assert len(load_sweeps(local_store(user.home).tracking_uri)) == 2


@pytest.mark.slow
def test_a_search_that_was_killed_asks_again_for_what_it_was_at(user):
    command = ("train", *SEARCH, RATE, "training.num_epochs=400", "hydra.sweeper.n_trials=12")
    process = user.start(*command)
    store = user.home / "mlruns" / "search.db"
    wait_for(store.exists)
    time.sleep(1.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "finished    12 of 12 runs" in user.run(*command).stdout
    assert len(set(rates(user))) == 12


@pytest.mark.slow
def test_a_second_launch_of_the_same_search_is_refused_and_does_no_harm(user):
    command = ("train", *SEARCH, RATE, "training.num_epochs=400", "hydra.sweeper.n_trials=8")
    process = user.start(*command)
    wait_for(lambda: list((user.home / "mlruns").glob("claims/*.owner")))
    process.send_signal(signal.SIGSTOP)
    refused = user.run(*command, status=2)
    assert f"this sweep is going on in process {process.pid}; wait" in refused.stderr
    process.send_signal(signal.SIGCONT)
    shown, _ = process.communicate()
    assert "finished    8 of 8 runs" in shown


@pytest.mark.slow
@pytest.mark.parametrize("space", ["sgd", "adam", "network"])
def test_the_ready_spaces(user, space):
    shown = user.run("train", *SEARCH, f"search={space}", "hydra.sweeper.n_trials=4")
    assert "finished    4 of 4 runs" in shown.stdout
    assert len(runs(user)) == 4


def test_by_another_metric_it_is_another_study(user):
    user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=2")
    shown = user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=3", "sweep.metric=val/loss")
    assert "best        val/loss" in shown.stdout
    with closing(sqlite3.connect(user.home / "mlruns" / "search.db")) as store:
        studies = dict(store.execute("select study_id, count(value) from trials join trial_values using (trial_id) group by study_id"))  # fmt: skip
    assert studies == {1: 2, 2: 3}
    named = (*SEARCH, RATE, "hydra.sweeper.study_name=mine", "hydra.sweeper.n_trials=1")
    user.run("train", *named)
    for metric, direction in (("train/accuracy", "maximize"), ("val/loss", "minimize")):
        refused = user.run("train", *named, f"sweep.metric={metric}", status=2)
        assert refused.stderr == (
            "hydra.sweeper.study_name=mine: is a study of kept/val/accuracy (maximize), "
            f"not of {metric} ({direction}); leave it out or give another name\n"
        )


def test_a_folder_of_the_users_for_hydras_files_keeps_what_is_in_it(user):
    (user.folder / "mine").mkdir()
    for name in ("notes.yaml", "thesis.txt"):
        (user.folder / "mine" / name).write_text("precious")
    user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=2", "hydra.sweep.dir=mine")
    names = {path.name for path in (user.folder / "mine").iterdir()}
    assert names == {"notes.yaml", "thesis.txt", "optimization_results.yaml"}
    user.run("train", *SEARCH, RATE, "data.samples=-1", "hydra.sweep.dir=mine", status=2)
    assert {path.name for path in (user.folder / "mine").iterdir()} == names


def test_trials_that_fail_are_told_of_and_the_search_has_an_end(user):
    rate = "optimizer.learning_rate=interval(1e300,1e305)"
    shown = user.run("train", *SEARCH, rate, "hydra.sweeper.n_trials=4", status=1)
    assert "finished    0 of 4 runs, 4 FAILED" in shown.stdout
    assert "is not finite" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (SEARCH, "hydra/sweeper=optuna: there is nothing to search; add search=sgd, or a range such as"),
        (("-m", *SMALL, RATE), f"{RATE}: only a search takes a range; add hydra/sweeper=optuna"),
        ((*SEARCH, RATE, "data.samples=-1"), "data.samples=-1: should be greater than or equal to"),
        ((*SEARCH, "search=nothing"), "search=nothing: there is no such choice; there are adam network sgd"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_begun(user, arguments, line):
    shown = user.run("train", *arguments, status=2)
    assert shown.stderr.startswith(line)
    assert shown.stderr.count("\n") == 1
    assert user.runs() == []


@pytest.mark.slow
def test_a_search_that_an_earlier_version_recorded_is_not_advised_to_sweep_its_seed(user):
    """To it a swept seed would be one more key; that a search chose the runs shows in what was typed."""
    user.run("train", *SEARCH, RATE, "hydra.sweeper.n_trials=4")
    shown = [user.run("compare", "sweep=latest", "report=now")]
    with closing(sqlite3.connect(user.home / "mlruns" / "mlflow.db")) as store, store:
        assert store.execute("delete from tags where key = 'micrograde.search'").rowcount == 1
    shown.append(user.run("compare", "sweep=latest", "report=then"))
    for folder in ("now", "then"):
        page = (user.folder / folder / "report.md").read_text()
        assert "sweep.retest=20" in page
        assert "seed=range" not in page
    assert not any("seed=range" in each.stdout for each in shown)
