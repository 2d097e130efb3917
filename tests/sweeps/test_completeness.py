"""What a sweep says of its jobs at the end, whoever ran them: what was asked for is the total."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.sweeps.test_session import a_sweep, moons

from micrograde.analysis import load_runs, load_sweeps
from micrograde.core.errors import InputError
from micrograde.runs.live_run import STOPPED
from micrograde.store import TrackingError, local_store, tags
from micrograde.sweeps import launching, members
from micrograde.sweeps.completeness import lacking, lacking_of
from micrograde.sweeps.launching import HydraRunner
from micrograde.sweeps.lost_jobs import failed_job
from micrograde.sweeps.session import SweepSession
from micrograde.sweeps.state import Outcome
from micrograde.sweeps.summary import print_finished
from micrograde.tracking import Recorder, WriterProcess, send_launch

DONE, KEPT = Outcome("FINISHED", 0.5), Outcome("FINISHED", 0.5, "away", None, "a:/home/a/mlruns/launches/1")


def test_what_the_store_has_is_not_lacking_and_the_rest_is_told_by_why():
    outcomes = {
        "stored": DONE,
        "kept": KEPT,
        "kept too": replace(KEPT, kept="b:/b"),
        "kept, and sent meanwhile": KEPT,
        "elsewhere": DONE,
        "lost": Outcome("KILLED", None, "its job failed: the node died"),
    }
    stored = {"stored": "FINISHED", "kept": "RUNNING", "kept, and sent meanwhile": "FINISHED"}
    found = lacking(outcomes, [*outcomes, "never begun"], stored, can_be_away=True)
    assert found.count == 5
    kept, elsewhere, lost, not_run = found.texts()
    assert kept.startswith(
        "2 trained, but not yet on the server: kept on a (/home/a/mlruns/launches/1) and b (/b), which send "
    )
    assert elsewhere.startswith("1 trained, but not recorded in this store: ")
    assert (lost, not_run) == ("1 lost: its job failed: the node died", "1 not run")


def test_runs_that_are_kept_count_once(home, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    sweep = a_sweep(None)
    sweep.asked = dict.fromkeys("abc")
    sweep.outcomes = {"a": DONE, "b": KEPT, "c": KEPT}
    print_finished(sweep, {"FINISHED": 1, "RUNNING": 2}, lacking_of(sweep, None))
    assert capsys.readouterr().out.startswith(
        "finished    1 of 3 runs; 2 trained, but not yet in the store: "
    )


class Broken:
    """Runs every job here, but for the first, which is lost."""

    name = "Broken"
    follows_epochs = False

    def run(self, jobs, watch):  # noqa: ARG002
        yield 0, failed_job("the node died")
        for at, (text, _) in enumerate(jobs[1:], 1):
            yield at, members.run_members(text)


@pytest.fixture
def broken(monkeypatch):
    """What has a sweep's jobs run by ``Broken``."""
    monkeypatch.setattr(launching, "HydraRunner", lambda *_: Broken())


SWEEP = ("seed=range(4)", "sweep.runs_per_job=2", "hydra/launcher=basic")


@pytest.mark.slow
@pytest.mark.usefixtures("broken")
def test_a_lost_job_is_one_failed_job_and_the_same_command_completes_the_sweep(home, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    moons(*SWEEP)
    assert "finished    2 of 4 runs; 2 lost: its job failed: the node died\n" in capsys.readouterr().out
    uri = local_store(home).tracking_uri
    (sweep,) = load_sweeps(uri).itertuples()
    assert sweep.status == "KILLED"
    monkeypatch.undo()
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    moons(*SWEEP)
    assert "finished    4 of 4 runs, 2 of them from before\n" in capsys.readouterr().out
    (sweep,) = load_sweeps(uri).itertuples()
    assert (sweep.status, sweep.runs) == ("FINISHED", 4)


def test_a_launcher_that_cannot_run_jobs_at_all_says_so_in_a_line():
    class Elsewhere:
        def launch(self, *_, **__):
            raise RuntimeError("Could not detect srun,\nare you on a cluster?")

    runner: Any = HydraRunner(Elsewhere(), threading.Event())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Elsewhere has not run the jobs: Could not detect srun, are you on"):
        list(runner.run([], None))


class Stopped(Broken):
    """Runs the second job, and is stopped by Ctrl-C while the first is in training."""

    name = "Stopped"

    def run(self, jobs, watch):
        yield from list(super().run(jobs, watch))[1:]
        raise KeyboardInterrupt

    def stop(self):
        yield 0, STOPPED


@pytest.mark.slow
def test_after_ctrl_c_the_summary_counts_what_was_stopped_and_what_was_not_run(home, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    monkeypatch.setattr(launching, "HydraRunner", lambda *_: Stopped())
    monkeypatch.setattr(SweepSession, "settle", lambda self: self.closing.set())  # as the first Ctrl-C
    moons(*SWEEP)
    assert "finished    2 of 4 runs; 2 lost: stopped with Ctrl-C\n" in capsys.readouterr().out
    (sweep,) = load_sweeps(local_store(home).tracking_uri).itertuples()
    assert sweep.status == "KILLED"


@pytest.mark.slow
def test_ctrl_c_before_the_summary_is_said_and_the_same_command_completes_the_sweep(
    home, monkeypatch, capsys
):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as once:
        once.setattr(SweepSession, "_retest", interrupted)
        with pytest.raises(KeyboardInterrupt):
            moons("seed=0,1")
    out = capsys.readouterr().out
    assert out.endswith("stopped before the sweep was complete; the same command goes on with it\n")
    moons("seed=0,1")
    assert "finished    2 of 2 runs, 2 of them from before\n" in capsys.readouterr().out
    (sweep,) = load_sweeps(local_store(home).tracking_uri).itertuples()
    assert sweep.status == "FINISHED"


def a_run(recorder, parent):
    return recorder.start_run(
        experiment_name="e", run_name="r", params={}, tags={tags.PARENT: parent, tags.CONFIG_DIGEST: "d"}
    )


def test_a_journal_sent_late_of_a_run_that_is_finished_elsewhere_is_superseded(home):
    from mlflow import MlflowClient

    location = local_store(home)
    with Recorder(location) as recorder:
        number = recorder.start_run(
            experiment_name="e", run_name="sweep", params={}, tags={tags.SWEEP_DIGEST: "s" * 64}
        )
        (ids,) = recorder.wait()
        recorder.end_run(number, "FINISHED")
    parent = ids.run_id
    late = Recorder(location, Unassigned())
    run = a_run(late, parent)
    late.end_run(run, "FINISHED")
    late._journal.close()
    late._hold.release()
    with Recorder(location) as recorder:  # the same again, before the first is sent
        recorder.end_run(a_run(recorder, parent), "FINISHED")
    send_launch(late._folder, location)
    runs = load_runs(location.tracking_uri, sweep=parent)
    assert len(runs) == 1
    everything = MlflowClient(location.tracking_uri).search_runs([ids.experiment_id])
    assert [tags.SUPERSEDED in each.data.tags for each in everything if each.info.run_name == "r"].count(
        True
    ) == 1
    assert {each.info.status for each in everything} == {"FINISHED"}


class Unassigned(WriterProcess):
    """A writer that writes nothing, like one that has died at once."""

    def __init__(self):
        super().__init__()
        self.discard()

    def assign(self, folder, location, **more):
        pass


class AwayRecorder(Recorder):
    """A recorder whose store does not come back."""

    def close(self):
        self.kept = (self._folder, "the server cannot be reached")
        super().close()
        raise TrackingError("the server cannot be reached")


@pytest.mark.slow
def test_a_job_whose_records_are_not_in_the_store_says_where_they_are(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    monkeypatch.setattr("micrograde.runs.train.Recorder", AwayRecorder)
    monkeypatch.setattr(members, "Recorder", AwayRecorder)
    answered = []

    class Here:
        name, follows_epochs = "Here", False

        def run(self, jobs, watch):  # noqa: ARG002
            for at, (text, _) in enumerate(jobs):
                answered.append(members.run_members(text))
                yield at, answered[-1]

    monkeypatch.setattr(launching, "HydraRunner", lambda *_: Here())
    moons(*SWEEP)
    kept = [Outcome(*each) for job in answered for each in job.values()]
    assert len(kept) == 4
    for each in kept:
        assert Path(each.kept.partition(":")[2]) == home / "mlruns" / "launches"


def test_a_job_tells_how_far_it_is_once_a_second(monkeypatch):
    now, told = [0.0], []
    monkeypatch.setattr("micrograde.sweeps.members.time.monotonic", lambda: now[0])
    watch = members.MembersWatch(lambda *what: told.append(what))
    for epoch in range(30):
        now[0] += 0.25
        watch.epoch_ended(0, epoch, {})
    watch.run_ended(0, "FINISHED", {})
    assert told == [(0, epochs) for epochs in range(4, 30, 4)]
    now[0] += 1
    watch.run_ended(1, "FINISHED", {})
    assert told[-1] == (2, 30)
