"""The recorder and its writer process, against a real SQLite store."""

import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import pytest
from tests.waiting import wait_for

from micrograde.store import StoreAwayError, TrackingError, local_store, server_store
from micrograde.store.tags import REASON
from micrograde.tracking import DatasetInput, NullRecorder, Recorder, WriterProcess, writer_process

DATASET = DatasetInput("toy", "f" * 64, '{"from": "a test"}', "{}", '{"rows": 3}')


PREAMBLE = """
import os, signal
from pathlib import Path
from micrograde.store import *
from micrograde.tracking import *
recorder = Recorder(local_store(Path({home!r})))
def start():
    return recorder.start_run(experiment_name="toys", run_name="r", params={{"a": "1"}}, tags={{}},
                              dataset=DatasetInput("d", "e", "{{}}", "{{}}", "{{}}"))
"""


def program(home, code):
    """The command of a launch that is a process of its own."""
    return [sys.executable, "-c", PREAMBLE.format(home=str(home)) + textwrap.dedent(code)]


def wait_until_written(home):
    """A writer that outlives its launch removes the launch's folder when it is done."""
    wait_for(lambda: not any((home / "mlruns" / "launches").iterdir()))


def start(recorder, name="first", experiment="toys", **tags):
    return recorder.start_run(
        experiment_name=experiment, run_name=name, params={"seed": "1"}, tags=tags, dataset=DATASET
    )


def client(home):
    from mlflow import MlflowClient

    return MlflowClient(local_store(home).tracking_uri)


def all_runs(home):
    store = client(home)
    return store.search_runs([experiment.experiment_id for experiment in store.search_experiments()])


def test_everything_told_is_in_the_store(home):
    with Recorder(local_store(home)) as recorder:
        run = start(recorder, **{"micrograde.config_digest": "abc"})
        for epoch in range(1, 301):
            recorder.log_metrics(run, epoch, {f"metric/{i}": epoch + i / 7 for i in range(7)})
        recorder.set_tags(run, {"micrograde.note": "läuft"})
        (recorder.run_folder(run) / "figures").mkdir()
        (recorder.run_folder(run) / "figures" / "a.txt").write_text("picture")
        recorder.end_run(run, "FINISHED")
        (recorded,) = recorder.close()

    store = client(home)
    stored = store.get_run(recorded.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "first"
    assert stored.info.start_time <= stored.info.end_time <= time.time() * 1000
    assert store.get_experiment(recorded.experiment_id).name == "toys"
    assert stored.data.params == {"seed": "1"}
    assert stored.data.tags["micrograde.config_digest"] == "abc"
    assert stored.data.tags["micrograde.note"] == "läuft"
    assert len(stored.data.tags["mlflow.source.git.commit"]) == 40
    assert stored.data.tags["micrograde.git_dirty"] in ("true", "false")
    history = store.get_metric_history(recorded.run_id, "metric/3")
    assert [(point.step, point.value) for point in history] == [(e, e + 3 / 7) for e in range(1, 301)]
    (dataset,) = stored.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == ("toy", "f" * 36)
    assert json.loads(dataset.dataset.profile) == {"rows": 3}
    assert [tag.value for tag in dataset.tags] == ["training"]
    (artifact,) = store.list_artifacts(recorded.run_id, "figures")
    assert artifact.path == "figures/a.txt"
    assert list((home / "mlruns/launches").iterdir()) == []


def test_many_params_and_long_ones(home):
    params = {f"key{i}": "v" * 10_000 for i in range(250)}
    with Recorder(local_store(home)) as recorder:
        run = recorder.start_run(
            experiment_name="toys", run_name="r", params=params, tags={}, dataset=DATASET
        )
        recorder.end_run(run, "FINISHED")
        (recorded,) = recorder.close()
    assert len(client(home).get_run(recorded.run_id).data.params) == 250


def test_the_values_of_a_stack_go_to_its_runs(home):
    with Recorder(local_store(home)) as recorder:
        first, other, second = (start(recorder, name) for name in ("first", "other", "second"))
        recorder.log_stack([second, first], 1, {"loss": [2.0, 1.0], "accuracy": [0.2, 0.1]})
        recorder.log_stack([first], 2, {"loss": [0.5], "accuracy": [0.6]})
        for run in (first, other, second):
            recorder.end_run(run, "FINISHED")
        ids = [recorded.run_id for recorded in recorder.close()]
    store = client(home)
    assert [store.get_run(run_id).data.metrics for run_id in ids] == [
        {"loss": 0.5, "accuracy": 0.6},
        {},
        {"loss": 2.0, "accuracy": 0.2},
    ]
    history = store.get_metric_history(ids[first], "loss")
    assert [(point.step, point.value) for point in history] == [(1, 1.0), (2, 0.5)]


def test_values_that_are_no_numbers_are_recorded(home):
    values = {"nan": float("nan"), "infinite": float("inf"), "negative": -float("inf")}
    with Recorder(local_store(home)) as recorder:
        run = start(recorder)
        recorder.log_metrics(run, 1, values)
        recorder.end_run(run, "FAILED")
        (recorded,) = recorder.close()
    stored = client(home).get_run(recorded.run_id).data.metrics
    assert math.isnan(stored["nan"])
    # MLflow keeps the largest float for infinity.
    assert (stored["infinite"], stored["negative"]) == (sys.float_info.max, -sys.float_info.max)


def test_names_cannot_leave_the_artifact_folder(home):
    names = {"..", "../../x", "a b%2e"}
    with Recorder(local_store(home)) as recorder:
        for name in sorted(names):
            recorder.end_run(start(recorder, experiment=name), "FINISHED")
        recorder.close()
    artifacts = home / "mlruns" / "artifacts"
    folders = {
        experiment.name: os.path.realpath(experiment.artifact_location.removeprefix("file://"))
        for experiment in client(home).search_experiments()
        if experiment.name != "Default"
    }
    assert set(folders) == names
    assert len(set(folders.values())) == len(names)
    assert {os.path.dirname(folder) for folder in folders.values()} == {str(artifacts)}


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "KILLED"), (ZeroDivisionError(), "FAILED")]
)
def test_an_exception_ends_the_runs_in_work(home, error, status):
    def launch():
        with Recorder(local_store(home)) as recorder:
            run = start(recorder)
            recorder.log_metrics(run, 1, {"loss": 0.5})
            raise error

    with pytest.raises(type(error)):
        launch()
    (run,) = all_runs(home)
    assert (run.info.status, run.data.metrics) == (status, {"loss": 0.5})


def test_a_launch_that_is_killed_leaves_no_run_that_seems_to_go_on(home):
    launch = program(
        home,
        """
        run = start()
        recorder.log_metrics(run, 1, {"loss": 0.25})
        (recorder.run_folder(run) / "train.log").write_text("so far")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert subprocess.run(launch, check=False).returncode == -signal.SIGKILL
    wait_until_written(home)
    (run,) = all_runs(home)
    assert run.info.status == "KILLED"
    assert run.data.metrics == {"loss": 0.25}
    assert run.data.tags["micrograde.reason"] == "the training process died without a word"
    assert [file.path for file in client(home).list_artifacts(run.info.run_id)] == ["train.log"]


def test_ctrl_c_does_not_reach_the_writer(home):
    launch = program(
        home,
        """
        with recorder:
            run = start()
            recorder.log_metrics(run, 1, {"loss": 0.25})
            os.killpg(0, signal.SIGINT)  # as a terminal does
            signal.pause()
        """,
    )
    done = subprocess.run(launch, check=False, start_new_session=True, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    (run,) = all_runs(home)
    assert (run.info.status, run.data.metrics) == ("KILLED", {"loss": 0.25})
    assert list((home / "mlruns" / "launches").iterdir()) == []


def test_ctrl_c_while_waiting_leaves_the_rest_to_the_writer(home):
    launch = program(
        home,
        """
        with recorder:
            recorder.end_run(start(), "FINISHED")
            signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            recorder.close()
        """,
    )
    done = subprocess.run(launch, check=False, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    wait_until_written(home)
    (run,) = all_runs(home)
    assert run.info.status == "FINISHED"


def test_a_store_out_of_reach_costs_no_results(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(writer_process, "SERVER_PATIENCE", 2.5)
    location = server_store("http://me:secret@127.0.0.1:9", tmp_path)
    (tmp_path / "mlruns" / "data").mkdir(parents=True)
    recorder = Recorder(location)
    run = recorder.start_run(
        experiment_name="toys",
        run_name="uri=http://me:secret@host",
        params={"tracking.uri": "http://me:secret@host", "data.digest": "a" * 64},
        tags={"from": "http://me:secret@host"},
        dataset=DatasetInput("toy", "f", '{"path": "https://me:secret@host/table.csv"}', "{}", "{}"),
    )
    recorder.log_metrics(run, 1, {"loss": 0.5})
    recorder.set_tags(run, {"to": "http://me:secret@host"})
    recorder.end_run(run, "FINISHED")
    assert recorder.close() == ()
    warning, last = capsys.readouterr().err.splitlines()
    (folder,) = (tmp_path / "mlruns" / "launches").iterdir()
    server = "the tracking server http://***@127.0.0.1:9"
    assert warning == (
        f"{server} cannot be reached (Connection refused); "
        f"training goes on, and what happens is kept in {folder}"
    )
    assert last == (
        f"{server} still cannot be reached (Connection refused); what happened is kept in {folder}; "
        "send it with: make sync"
    )
    kinds = [json.loads(line)["event"] for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert kinds == ["RunStarted", "MetricsLogged", "TagsSet", "RunEnded", "LaunchEnded"]
    assert len(json.loads((folder / "provenance.json").read_text())["mlflow.source.git.commit"]) == 40
    # For gc, as the project's own store does not have the run:
    (noted,) = (tmp_path / "mlruns" / "data").iterdir()
    assert noted.name == f"{'a' * 64}.elsewhere"
    for file in folder.glob("*.*"):
        assert b"secret" not in file.read_bytes()


@pytest.mark.slow
def test_who_waits_for_a_store_that_is_away_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_process, "SERVER_PATIENCE", 0.5)
    recorder = Recorder(server_store("http://127.0.0.1:9", tmp_path), WriterProcess(lambda _: None))
    start(recorder)
    with pytest.raises(
        StoreAwayError, match=r"cannot be reached .*; what happened is kept in .*; send it with"
    ):
        recorder.wait()
    recorder.close()


def test_a_run_whose_files_cannot_be_stored_does_not_seem_to_go_on(home):
    (home / "mlruns" / "artifacts").write_text("a file where the folder should be")
    recorder = Recorder(local_store(home))
    run = start(recorder)
    (recorder.run_folder(run) / "train.log").write_text("all of it")
    recorder.end_run(run, "FINISHED")
    with pytest.raises(TrackingError, match="Not a directory"):
        recorder.close()
    (stored,) = all_runs(home)
    assert (stored.info.status, stored.data.tags["micrograde.reason"]) == ("FAILED", "recording failed")
    assert (recorder.run_folder(run) / "train.log").read_text() == "all of it"


def test_another_writer_takes_the_place_of_one_that_died(home):
    writer = WriterProcess()
    with Recorder(local_store(home), writer) as recorder:
        run = start(recorder)
        recorder.log_metrics(run, 1, {"loss": 0.5})
        (before,) = recorder.wait()
        writer.process.kill()
        writer.process.wait()
        recorder.log_metrics(run, 2, {"loss": 0.25})
        recorder.end_run(run, "FINISHED")
        assert recorder.close() == (before,)
    (stored,) = all_runs(home)
    assert stored.info.status == "FINISHED"
    history = client(home).get_metric_history(before.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (2, 0.25)]
    assert list((home / "mlruns" / "launches").iterdir()) == []


def test_a_second_writer_that_dies_is_reported(home, monkeypatch):
    class Dead(WriterProcess):
        def assign(self, *arguments, **options):
            self.process.kill()
            self.process.wait()
            super().assign(*arguments, **options)

    monkeypatch.setattr(sys.modules["micrograde.tracking.recorder"], "WriterProcess", Dead)
    recorder = Recorder(local_store(home))
    recorder.end_run(start(recorder), "FINISHED")
    with pytest.raises(TrackingError, match="the writer process died with status -9"):
        recorder.close()


@pytest.mark.slow
def test_a_locked_store_is_waited_for_without_keeping_others_from_it(home, capsys, monkeypatch):
    monkeypatch.setattr(writer_process, "LOCAL_PATIENCE", 60)
    database = home / "mlruns" / "mlflow.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        recorder = Recorder(local_store(home))
        recorder.end_run(start(recorder), "FINISHED")
        time.sleep(8)
        other.execute("rollback")
    recorder.close()
    (run,) = all_runs(home)
    assert run.info.status == "FINISHED"
    assert "database is locked" not in capsys.readouterr().err


def test_the_working_directory_holds_no_libraries(home, tmp_path, monkeypatch):
    (tmp_path / "mlflow.py").write_text("raise SystemExit('a file of the user')")
    monkeypatch.chdir(tmp_path)
    with Recorder(local_store(home)) as recorder:
        recorder.end_run(start(recorder), "FINISHED")
        assert len(recorder.close()) == 1


def test_a_deleted_experiment_is_named(home):
    store = client(home)
    store.delete_experiment(store.create_experiment("toys"))
    recorder = Recorder(local_store(home))
    start(recorder)
    with pytest.raises(TrackingError, match="experiment_name=toys: was deleted in the store"):
        recorder.close()


def test_a_writer_that_is_given_no_launch_goes_without_a_trace(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    writer = WriterProcess()
    writer.discard()
    writer.process.wait(30)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [4, pytest.param(8, marks=pytest.mark.matrix)])
def test_launches_at_once_on_no_store_at_all(tmp_path, number):
    launch = program(
        tmp_path,
        """
        with recorder:
            run = start()
            recorder.log_metrics(run, 1, {"loss": 0.25})
            recorder.end_run(run, "FINISHED")
            recorder.close()
        """,
    )
    launches = [subprocess.Popen(launch, stderr=subprocess.PIPE) for _ in range(number)]
    for process in launches:
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr.decode()
    runs = all_runs(tmp_path)
    assert [(run.info.status, run.data.metrics) for run in runs] == [("FINISHED", {"loss": 0.25})] * number
    assert len({run.info.experiment_id for run in runs}) == 1


def test_the_launch_does_not_import_mlflow(home):
    code = """
    import sys
    with recorder:
        recorder.close()
    assert "mlflow" not in sys.modules
    """
    subprocess.run(program(home, code), check=True)


def test_the_null_recorder_keeps_nothing():
    with NullRecorder() as recorder:
        run = start(recorder)
        assert recorder.run_folder(run) is None
        assert recorder.close() == ()


def test_a_writer_that_is_killed_is_replaced_while_the_run_goes_on(home):
    writer = WriterProcess()
    with Recorder(local_store(home), writer) as recorder:
        run = start(recorder)
        recorder.wait()
        writer.process.kill()
        recorder.log_metrics(run, 1, {"loss": 0.5})
        wait_for(lambda: any(each.data.metrics == {"loss": 0.5} for each in all_runs(home)))
        recorder.end_run(run, "FINISHED")
    (stored,) = all_runs(home)
    assert stored.info.status == "FINISHED"


def test_a_notice_that_cannot_be_shown_does_not_end_the_listening(home, monkeypatch):
    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer_process, "SERVER_PATIENCE", 2.5)
    recorder = Recorder(server_store("http://127.0.0.1:9", home), WriterProcess(refuse))
    recorder.end_run(start(recorder), "FINISHED")
    assert recorder.close() == ()  # it does not wait for ever


def test_a_run_that_is_deleted_meanwhile_is_left_out_and_the_others_are_recorded(home, capsys):
    with Recorder(local_store(home)) as recorder:
        first, second, removed = (start(recorder, name) for name in ("first", "second", "removed"))
        ids = {each.run: each.run_id for each in recorder.wait()}
        client(home).delete_run(ids[first])
        client(home).delete_run(ids[removed])
        with closing(sqlite3.connect(local_store(home).database)) as store, store:  # as mlflow gc does
            for table in ("tags", "params", "runs"):
                store.execute(f"delete from {table} where run_uuid = ?", (ids[removed],))
        for run in (first, second, removed):
            recorder.log_metrics(run, 1, {"loss": 0.5})
            recorder.end_run(run, "FINISHED")
    (stored,) = all_runs(home)
    assert (stored.info.run_id, stored.info.status) == (ids[second], "FINISHED")
    assert stored.data.metrics == {"loss": 0.5}
    said = capsys.readouterr().err
    for run in (first, removed):
        assert f"run {ids[run]} was deleted in the store; nothing more of it is recorded" in said
    assert list((home / "mlruns" / "launches").iterdir()) == []


def test_a_launch_whose_folder_is_deleted_ends_with_a_line(home):
    recorder = Recorder(local_store(home))
    run = start(recorder)
    recorder.wait()
    shutil.rmtree(recorder.run_folder(run).parent)
    recorder.log_metrics(run, 1, {"loss": 0.5})
    with pytest.raises(TrackingError, match="was deleted while its launch went on"):
        start(recorder)
    wait_for(lambda: [each.info.status for each in all_runs(home)] == ["KILLED"])


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ValueError("a line\nand another"), "FAILED", "a line and another"),
        (MemoryError(), "FAILED", "MemoryError"),
        (KeyboardInterrupt(), "KILLED", "stopped with Ctrl-C"),
        (SystemExit(-1), "KILLED", "its process was told to end"),
        (SystemExit("for a reason"), "KILLED", "for a reason"),
    ],
)
def test_runs_that_an_error_ends_say_why(home, error, status, reason):
    def fail():
        with Recorder(local_store(home)) as recorder:
            start(recorder)
            raise error

    with pytest.raises(type(error)):
        fail()
    (run,) = all_runs(home)
    assert (run.info.status, run.data.tags[REASON]) == (status, reason)


def test_so_does_a_run_whose_launch_s_folder_is_deleted_before_it_ends(home):
    def fail():
        with Recorder(local_store(home)) as recorder:
            run = start(recorder)
            recorder.wait()
            shutil.rmtree(recorder.run_folder(run).parent)
            raise FileNotFoundError("a file of the run")

    with pytest.raises(TrackingError, match="was deleted"):
        fail()
    wait_for(lambda: [each.info.status for each in all_runs(home)] == ["FAILED"])
    (stored,) = all_runs(home)
    assert stored.data.tags[REASON] == "the folder of its launch was deleted while it went on"


def test_that_a_run_has_ended_is_told_when_its_files_are_on_the_disk(home, monkeypatch):
    on_disk: list[str] = []

    def synchronised(folders):
        on_disk.append((folders[0] / "journal.jsonl").read_text())

    monkeypatch.setattr("micrograde.tracking.journal.synchronise_all", synchronised)
    with Recorder(local_store(home)) as recorder:
        run, other = start(recorder), start(recorder, "other")
        (recorder.run_folder(run) / "train.log").write_text("all of it")
        recorder.end_run(run, "FINISHED")
        recorder.end_run(other, "FINISHED")
    assert on_disk
    assert all("RunEnded" not in so_far for so_far in on_disk[:1])
    assert {each.info.status for each in all_runs(home)} == {"FINISHED"}


def test_a_writer_that_is_stopped_is_named_and_not_waited_for_for_ever(home, monkeypatch, capsys):
    monkeypatch.setattr("micrograde.tracking.writer_process.PATIENCE", 0.1)
    monkeypatch.setattr("micrograde.tracking.writer_process.LIMIT", 0.3)
    writer = WriterProcess()
    recorder = Recorder(local_store(home), writer)
    recorder.end_run(start(recorder), "FINISHED")
    writer.process.send_signal(signal.SIGSTOP)
    with pytest.raises(TrackingError, match=f"process {writer.process.pid} .*is stopped: kill -CONT"):
        recorder.close()
    assert f"what writes to the store, process {writer.process.pid} " in capsys.readouterr().err
    writer.process.send_signal(signal.SIGCONT)
    wait_until_written(home)
    assert [each.info.status for each in all_runs(home)] == ["FINISHED"]
