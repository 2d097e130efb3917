"""Runs and sweeps from Python are those of the shell: same numbers, same recipes, same store."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from hydra.core.global_hydra import GlobalHydra
from tests.homes import copy_home
from tests.narrowing import not_none

import micrograde as mg
from micrograde.analysis import load_runs
from micrograde.api.results import Run, Sweep
from micrograde.core.errors import InputError
from micrograde.store import load_run, tags

pytestmark = pytest.mark.slow  # each of them runs commands

SHORT = ("data=moons", "training.num_epochs=3")


@pytest.fixture(autouse=True)
def store(home, monkeypatch):
    """The address of the store that runs go to."""
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    return f"sqlite:///{home}/mlruns/mlflow.db"


@pytest.fixture(scope="module")
def recorded(empty_store, tmp_path_factory):
    """A run, and the user in whose home it is."""
    home = copy_home(empty_store, tmp_path_factory.mktemp("python") / "home")
    before = os.environ.get("MICROGRADE_HOME")
    os.environ["MICROGRADE_HOME"] = str(home)
    try:
        return mg.run(*SHORT)
    finally:
        os.environ.pop("MICROGRADE_HOME")
        if before is not None:
            os.environ["MICROGRADE_HOME"] = before


def test_a_run_is_that_of_the_shell(user, store, recorded):
    user.run("train", *SHORT)
    (shell,) = user.runs()
    run = mg.run(*SHORT)
    table = load_runs(store).set_index("run_id")
    assert set(table.index) == {shell.info.run_id, run.run_id}
    here, there = table.loc[run.run_id], table.loc[shell.info.run_id]
    for key in (
        f"tags.{tags.CONFIG_DIGEST}",
        f"tags.{tags.DATA_DIGEST}",
        "run_name",
        "status",
        "experiment_name",
    ):
        assert here[key] == there[key], key
    assert run.metrics == shell.data.metrics == recorded.metrics
    assert run.params == shell.data.params
    assert run.findings == ()


def test_history_is_the_same_whether_recorded_or_not(recorded):
    run = mg.run(*SHORT, "tracking=disabled")
    assert (run.run_id, run.figures, run.walkthrough) == (None, {}, None)
    pd.testing.assert_frame_equal(run.history, recorded.history)
    assert list(run.history.index) == [1, 2, 3]
    assert recorded.metrics["val/loss"] == recorded.history["val/loss"].iloc[-1]
    assert run.metrics.items() <= recorded.metrics.items()
    with pytest.raises(InputError, match="left no model"):
        _ = run.model


def test_what_it_left_is_shown_by_jupyter(recorded, tmp_path):
    assert {"learning_curves", "decision_boundary", "decision_boundary_animation"} <= recorded.figures.keys()
    (curves,) = recorded.figures["learning_curves"]._repr_mimebundle_().items()
    assert curves[0] == "image/svg+xml"
    assert curves[1].startswith("<svg ")
    (animation,) = recorded.figures["decision_boundary_animation"]._repr_mimebundle_().items()
    assert (animation[0], animation[1][:4]) == ("image/gif", b"GIF8")
    recorded.figures["learning_curves"].save(tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text() == curves[1]
    assert 'sandbox="allow-scripts"' in recorded.walkthrough._repr_html_()
    assert "<script" not in recorded.walkthrough._repr_html_()  # all of it is in the frame


def test_its_model_predicts(recorded):
    # In the middle of the upper arc and of the lower one.
    found = recorded.model.predict(pd.DataFrame({"x1": [0.0, 1.0], "x2": [1.0, -0.5]}))
    assert found["class"].to_list() == ["0", "1"]
    assert found.filter(like="probability_").sum(axis=1).to_list() == pytest.approx([1, 1])


def test_a_file_that_leads_elsewhere_is_not_shown(tmp_path):
    run = mg.run(*SHORT)
    (figures,) = tmp_path.glob(f"home/mlruns/artifacts/*/{run.run_id}/artifacts/figures")
    (tmp_path / "secret.svg").write_text("<svg/>")
    (figures / "secret.svg").symlink_to(tmp_path / "secret.svg")
    (figures.parent / "walkthrough.html").unlink()
    (figures.parent / "walkthrough.html").symlink_to(tmp_path / "secret.svg")
    run = Run.load(not_none(run.run_id))
    assert "learning_curves" in run.figures
    assert "secret" not in run.figures
    assert run.walkthrough is None


def test_a_sweep_is_that_of_the_shell_and_goes_on(user, store):
    command = (*SHORT, "optimizer.learning_rate=0.1,0.3", "seed=range(2)")
    sweep = mg.sweep(*command)
    assert list(sweep.runs["status"]) == ["FINISHED"] * 4
    assert sweep.runs["val/accuracy"].is_monotonic_decreasing
    assert sweep.varies == ("optimizer.learning_rate", "seed")
    parent = user.client.get_run(sweep.run_id)
    best = not_none(sweep.best)
    setting = not_none(sweep.best_setting)
    own = sweep.runs[sweep.runs["optimizer.learning_rate"] == setting.params["optimizer.learning_rate"]]
    assert best.run_id == setting.run_id == parent.data.tags[tags.BEST_RUN_ID] == own["run_id"].iloc[-1]
    assert setting.mean == pytest.approx(own[sweep.metric].mean())
    assert json.loads(parent.data.tags[tags.BEST_SETTING]) == setting.params
    assert set(sweep.history["run_id"]) == set(sweep.runs["run_id"])
    last = sweep.run(sweep.runs["run_id"][3])
    assert last.metrics["val/accuracy"] == sweep.runs["val/accuracy"][3]
    assert last.walkthrough is None
    assert Run.load(not_none(best.run_id)[:12]).metrics == best.metrics
    pd.testing.assert_frame_equal(Sweep.load("latest").runs, sweep.runs)
    assert list(sweep.over_seeds()["runs"]) == [2, 2]
    assert sweep.figures["learning_curves"].media_type == "image/svg+xml"
    done = user.run("train", "-m", *command)  # the same in the shell: there is nothing left to do
    assert "4 of them from before" in done.stdout
    again = mg.sweep(*command)
    assert again.run_id == sweep.run_id
    pd.testing.assert_series_equal(again.runs["run_id"], sweep.runs["run_id"])
    assert len(load_runs(store)) == 4


def test_by_losses_the_lowest_is_the_best():
    sweep = mg.sweep(*SHORT, "optimizer.momentum=0.1,0.5,0.9", "sweep.metric=val/loss")
    assert not_none(sweep.best).metrics["val/loss"] == sweep.runs["val/loss"].min()
    other = mg.sweep(
        *SHORT, "optimizer.momentum=0.1,0.5,0.9", "sweep.metric=val/loss", "sweep.order=descending"
    )
    assert not_none(other.best).metrics["val/loss"] == sweep.runs["val/loss"].max()


def test_a_run_that_fails_is_returned_with_its_reason():
    run = mg.run(*SHORT, "model.batch_norm=false", "model.activation=relu", "optimizer.learning_rate=1e30")
    assert run.status == "FAILED"
    assert "step" in not_none(run.reason)
    assert "FAILED" in repr(run)
    sweep = mg.sweep(
        *SHORT, "model.batch_norm=false", "model.activation=relu", "optimizer.learning_rate=0.1,1e30"
    )
    assert list(sweep.runs["status"]) == ["FINISHED", "FAILED"]


@pytest.mark.parametrize(
    ("make", "overrides", "line"),
    [
        (mg.run, ["sed=1"], "sed: there is no such key; did you mean seed?"),
        (mg.run, ["seed=0,1"], "seed=0,1: is several values; mg.sweep makes a run of each"),
        (mg.run, ["data=lions"], "data=lions: there is no such choice; there are "),
        (mg.run, ["--help"], "--help: should be text such as data=moons; flags are for the shell"),
        (mg.run, [3], "3: should be text such as data=moons"),
        (mg.run, ["training.resume=0123456789"], "training.resume=0123456789: there is no such run"),
        (mg.run, ["+hydra.callbacks.evil._target_=os.system"], "would run Python code"),
        (mg.sweep, ["sed=0,1"], "sed: there is no such key; did you mean seed?"),
        (mg.sweep, ["model.hidden_size=0", "seed=0,1"], "model.hidden_size=0: should be greater"),
        (mg.sweep, ["seed=interval(0,3)"], "seed=interval(0,3): only a search takes a range"),
        (mg.sweep, ["tracking=disabled", "seed=0,1"], "tracking=disabled: a sweep is read from its store"),
        (mg.sweep, ["hydra/launcher=slurm"], "hydra/launcher=slurm: there is no such choice"),
    ],
)
def test_mistakes_are_the_shells_lines_and_nothing_is_started(store, make, overrides, line):
    with pytest.raises(InputError) as raised:
        make(*overrides)
    assert line in str(raised.value)
    assert load_runs(store).empty


def test_hydra_and_the_environment_are_left_as_they_were(monkeypatch):
    monkeypatch.delenv("MICROGRADE_HOME")
    with pytest.raises(InputError):
        mg.run("sed=1")
    assert "MICROGRADE_HOME" not in os.environ
    assert not GlobalHydra.instance().is_initialized()


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic"])
def test_another_launcher_runs_the_jobs(launcher):
    sweep = mg.sweep(*SHORT, "seed=range(2)", f"hydra/launcher={launcher}")
    assert list(sweep.runs["status"]) == ["FINISHED"] * 2


@pytest.mark.slow
def test_optuna_searches():
    sweep = mg.sweep(*SHORT, "hydra/sweeper=optuna", "search=sgd", "hydra.sweeper.n_trials=3")
    assert list(sweep.runs["status"]) == ["FINISHED"] * 3
    assert sweep.best is not None


def test_by_a_server(server):
    run = mg.run(*SHORT, "tracking=server", f"tracking.uri={server.address}")
    assert run.history["val/loss"].notna().all()
    assert "learning_curves" in run.figures
    assert run.model.columns == ("x1", "x2")


def test_a_sweep_over_a_table_that_has_changed_is_trained_again(monkeypatch, tmp_path, capsys):
    rows = pd.DataFrame({"x": np.arange(40) * 1.5, "y": ["a", "b"] * 20})
    monkeypatch.chdir(tmp_path)
    rows.to_csv("table.csv", index=False)
    command = ("data=csv", "data.path=table.csv", "data.target=y", "seed=0,1", "training.num_epochs=1")
    first = mg.sweep(*command)
    capsys.readouterr()
    assert set(mg.sweep(*command).runs["run_id"]) == set(first.runs["run_id"])
    assert "the data have changed" not in capsys.readouterr().out
    rows.assign(x=rows.x + rows.index % 3).to_csv("table.csv", index=False)
    again = mg.sweep(*command)
    assert "the data have changed; runs that are trained again: 2\n" in capsys.readouterr().out
    assert again.run_id == first.run_id
    assert len(again.runs) == 2
    assert not set(again.runs["run_id"]) & set(first.runs["run_id"])


def test_own_words_are_on_the_run_and_on_the_sweep_and_leave_the_recipe_as_it_is(store):
    plain = mg.run(*SHORT)
    words = ("run.name=mine", "run.tags={team: a, fold: 3}", "run.note=a *note*")
    run = mg.run(*SHORT, *words)
    sweep = mg.sweep(*SHORT, "seed=0,1", *words, "sweep.name=all", "sweep.tags={team: b}", "sweep.note=why")
    assert run.name == "mine"
    assert run.findings == plain.findings
    stored = {
        each: load_run(store, not_none(each)) for each in (run.run_id, sweep.run_id, sweep.runs["run_id"][0])
    }
    given = stored[run.run_id].tags
    assert (given["team"], given["fold"], given[tags.NOTE]) == ("a", "3", "a *note*")
    assert given[tags.DESCRIPTION].startswith("a *note*")
    assert given[tags.CONFIG_DIGEST] == load_run(store, not_none(plain.run_id)).tags[tags.CONFIG_DIGEST]
    parent, member = stored[sweep.run_id], stored[sweep.runs["run_id"][0]]
    assert (parent.about.run_name, parent.tags["team"], parent.tags[tags.NOTE]) == ("all", "b", "why")
    assert not_none(member.about.run_name).startswith("mine seed=")
    assert member.tags["team"] == "a"
    described = parent.tags[tags.DESCRIPTION]
    assert described.startswith(
        "why\n\n**Swept**\n\n- `seed`: `0,1`\n\n**2 runs: 2 FINISHED**\n\n**Best `kept/val/accuracy`: "
    )
    best = parent.tags[tags.BEST_RUN_ID]
    value = sweep.runs.set_index("run_id")["kept/val/accuracy"][best]
    assert "mean of 2 runs, 95 % interval" in described or "mean of 2 runs, all alike" in described
    assert described.endswith(f"Its model is that of run `{best}`, in the middle with {value:.4f}.")
    again = mg.sweep(*SHORT, "seed=0,1", "run.name=otherwise", "sweep.name=renamed", "sweep.note=how")
    assert load_run(store, sweep.run_id).tags[tags.DESCRIPTION] == described.replace("why", "how", 1)
    assert (again.run_id, again.name) == (sweep.run_id, "renamed")
    assert set(again.runs["run_id"]) == set(sweep.runs["run_id"])
