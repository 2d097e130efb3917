"""What a sweep makes of runs in the store that are there twice."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks.servers import free_port
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tests.narrowing import not_none, of_type

import micrograde as mg
from micrograde.analysis import load_runs
from micrograde.config.entries import offer_entries
from micrograde.config.hydra_versions import BEHAVIOUR
from micrograde.core.errors import InputError
from micrograde.runs.progress import RunsWatch
from micrograde.store import UnansweredError, find_sweep, local_store, tags
from micrograde.store.stored_sweeps import list_sweeps
from micrograde.sweeps import session
from micrograde.sweeps.callback import SweepCallback
from micrograde.sweeps.earlier import EarlierRun, EarlierSweep
from micrograde.sweeps.identity import SweepIdentity
from micrograde.sweeps.jobs import make_job
from micrograde.sweeps.session import SweepSession, _is_left
from micrograde.sweeps.state import Outcome
from micrograde.tracking import WriterProcess

CONF = Path(__file__).parents[2] / "conf"


def composed():
    offer_entries()
    with initialize_config_dir(str(CONF), **BEHAVIOUR):
        return of_type(dict, OmegaConf.to_container(compose("train"), resolve=True))


def a_sweep(writer):
    return SweepSession(SweepIdentity(("seed",), {"seed": "1,2"}, "d" * 64), composed(), writer)


def test_of_a_job_that_was_run_again_the_broken_attempt_is_left_out(home, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    sweep = a_sweep(WriterProcess())
    sweep.begin([])
    parent = sweep.parent_run_id()
    client = MlflowClient(local_store(home).tracking_uri)
    experiment = client.get_run(parent).info.experiment_id

    def run(digest, status):
        made = client.create_run(experiment, tags={tags.PARENT: parent, tags.CONFIG_DIGEST: digest})
        if status != "RUNNING":
            client.set_terminated(made.info.run_id, status)
        return made.info.run_id

    run("twice", "RUNNING")
    kept = [run("twice", "FINISHED"), run("once", "FINISHED"), run("lost", "KILLED")]
    sweep.settle()
    sweep.parent_run_id()  # waits for the store
    assert set(load_runs(local_store(home).tracking_uri, sweep=parent)["run_id"]) == set(kept)
    sweep.abort(RuntimeError())


@pytest.mark.parametrize("aborted", [False, True])
def test_of_a_sweep_that_an_error_ended_no_summary_is_made_but_the_error_goes_on(home, monkeypatch, aborted):
    from mlflow import MlflowClient

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    callback = SweepCallback()
    callback.sweep = sweep = a_sweep(WriterProcess())
    sweep.begin([])
    parent = sweep.parent_run_id()
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(home / "sweep")}}})

    def run_as_hydra_1_4_does():
        try:
            raise OSError("the cluster is away")
        except OSError as error:
            if aborted:
                sweep.abort(error)
            raise
        finally:
            callback.on_multirun_end(config)

    with pytest.raises(OSError, match="the cluster is away"):
        run_as_hydra_1_4_does()
    assert MlflowClient(local_store(home).tracking_uri).get_run(parent).info.status == "FAILED"


def test_what_a_launcher_refuses_is_refused_before_anything_is_recorded(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))

    def refuse():
        raise InputError("node a would record in a store of its own")

    sweep = a_sweep(WriterProcess())
    sweep.before_recording = refuse
    job = make_job(("seed=1",), ("seed",), {**composed(), "seed": 1}, sweep.prepared)
    with pytest.raises(InputError, match="a store of its own"):
        sweep.what_is_to_do([job])
    sweep.abort(InputError(""))
    assert not list_sweeps(local_store(home).tracking_uri)
    assert not any((home / "mlruns" / "launches").glob("*"))


def test_a_launcher_is_not_asked_if_nothing_is_left_to_run():
    done = EarlierRun("r", "e", "data", "FINISHED", True, 0.5)

    def earlier(*runs):
        return EarlierSweep("s", "x", "FINISHED", None, None, runs)

    def left(digest: str, data: str, config: str | None = "a config") -> Any:
        return SimpleNamespace(digest=digest, data_digest=data, config=config)

    assert not _is_left([left("e", "data")], earlier(done))
    assert not _is_left([left("f", "", None)], earlier())  # cannot be run
    assert _is_left([left("e", "data")], None)
    assert _is_left([left("e", "data"), left("f", "data")], earlier(done))
    assert _is_left([left("e", "other data")], earlier(done))
    assert _is_left([left("e", "data")], earlier(replace(done, done=False), replace(done, retest=True)))


def moons(*overrides):
    return mg.sweep("data=moons", "training.num_epochs=1", "data.samples=60", *overrides)


@pytest.mark.slow
def test_a_sweep_that_is_given_again_is_the_latest_and_ends_when_it_did(home, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    uri = local_store(home).tracking_uri
    first = moons("seed=0,1")
    other = moons("seed=2,3")
    (before,) = (each for each in list_sweeps(uri) if each.run_id == first.run_id)
    page = next((home / "mlruns" / "artifacts").rglob(f"{first.run_id}/artifacts/report.html"))
    written = page.stat().st_mtime_ns
    assert find_sweep(uri, "latest").run_id == other.run_id
    capsys.readouterr()
    assert moons("seed=0,1").run_id == first.run_id
    after = find_sweep(uri, "latest")
    assert (after.run_id, after.status, after.end_time) == (first.run_id, "FINISHED", before.end_time)
    assert page.stat().st_mtime_ns == written
    said = capsys.readouterr().out
    assert "finished    2 of 2 runs, 2 of them from before" in said
    # By another metric its report is another one; it ended when it did all the same.
    moons("seed=0,1", "sweep.metric=val/loss")
    assert page.stat().st_mtime_ns > written
    assert find_sweep(uri, "latest").end_time == before.end_time


def test_what_is_shown_of_a_sweep_that_goes_on_counts_earlier_runs(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    sweep = a_sweep(WriterProcess())
    try:
        sweep.metric = "val/accuracy"
        sweep.outcomes = {
            "a": Outcome("FINISHED", 0.9, None, 0.2),
            "b": Outcome("FINISHED", 0.9, None, 0.1),
            "c": Outcome("FAILED", None, "it diverged"),
            "d": Outcome("FINISHED", float("nan")),
        }
        sweep.names = {"a": "seed=1", "b": "seed=2"}
        best = sweep.best_run()
        assert (best.value, best.name) == (0.9, "seed=2")
        watch = RunsWatch(
            ["seed=3", "seed=4"],
            [1, 1],
            "val/accuracy",
            False,
            lambda *_: None,
            False,
            4,
            best=best,
            failed=1,
        )
        watch.run_ended(0, "FINISHED", {"val/accuracy": 0.5})
        watch.run_ended(1, "KILLED", {"val/accuracy": 0.95})
        assert (
            watch.line() == "done 5/6  running 0  failed 1  killed 1  best run val/accuracy 0.9000 (seed=2)"
        )
    finally:
        sweep.abort(RuntimeError())


def test_without_a_store_the_best_is_the_setting_with_the_best_mean_too(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    sweep = a_sweep(WriterProcess())
    try:
        sweep.metric, sweep.varies = "kept/val/accuracy", ["optimizer.learning_rate", "seed"]
        values = {(0.1, 0): 0.99, (0.1, 1): 0.5, (0.3, 0): 0.8, (0.3, 1): 0.9}
        for number, ((rate, seed), value) in enumerate(values.items()):
            digest = f"{number}"
            sweep.outcomes[digest] = Outcome("FINISHED", value, None, 0.2)
            sweep.names[digest], sweep.seeds[digest] = f"learning_rate={rate} seed={seed}", seed
            sweep.params[digest] = {"optimizer.learning_rate": str(rate), "seed": str(seed)}
        best = not_none(sweep.best_setting())
        assert (best.params, best.run_id, best.value) == ({"optimizer.learning_rate": "0.3"}, "", 0.8)
        assert [word for word, _ in best.lines()] == ["best"]
        # A run of an earlier launch, of which only the outcome is known, is in no setting of another.
        sweep.outcomes["earlier"], sweep.names["earlier"] = (
            Outcome("FINISHED", 1.0),
            "learning_rate=0.2 seed=0",
        )
        best = not_none(sweep.best_setting())
        assert (best.settings, best.passed_over, best.mean) == (3, 1, pytest.approx(0.85))
    finally:
        sweep.abort(RuntimeError())


def test_a_server_that_is_away_when_lost_jobs_are_looked_for_is_asked_again(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    monkeypatch.setattr(session, "_SECONDS_BETWEEN_TRIES", 0.0)
    answers = iter([UnansweredError("not now"), UnansweredError("not yet"), None])

    def find(*_):
        if error := next(answers):
            raise error

    sweep = a_sweep(WriterProcess())
    sweep.begin([])
    monkeypatch.setattr(session, "find_earlier", find)
    sweep.settle()
    assert list(answers) == []
    sweep.server_patience = -1.0
    answers = iter([UnansweredError("not now")])
    with pytest.raises(UnansweredError):
        sweep.settle()
    sweep.abort(RuntimeError())


def test_a_server_that_cannot_be_reached_may_answer_later():
    with pytest.raises(UnansweredError, match="Connection refused"):
        list_sweeps(f"http://127.0.0.1:{free_port()}")
