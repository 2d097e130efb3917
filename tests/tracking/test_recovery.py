"""Runs that nobody is at any more, and runs that somebody is at."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from tests.narrowing import not_none

from micrograde.core.locks import LockFile
from micrograde.store import local_store, tags
from micrograde.store.project_id import project_id
from micrograde.tracking import Kept, recover
from micrograde.tracking.launches import begin_launch
from micrograde.tracking.processes import ProcessIdentity


@pytest.fixture
def location(home):
    return local_store(home)


@pytest.fixture
def client(location):
    from mlflow import MlflowClient

    return MlflowClient(location.tracking_uri)


@pytest.fixture
def dead():
    child = subprocess.Popen(["true"])
    child.wait()
    return replace(ProcessIdentity.own(), process_id=child.pid)


def running(client, process, launch="2026-01-01_00-00-00_gone"):
    return client.create_run("0", tags={**process.as_tags(), tags.LAUNCH: launch}).info.run_id


def test_runs_of_a_dead_process_are_killed(location, client, dead):
    run_id = running(client, dead)
    recover(location)
    run = client.get_run(run_id)
    assert run.info.status == "KILLED"
    assert run.info.end_time >= run.info.start_time
    assert run.data.tags[tags.REASON] == "its process died without a word"


def test_others_are_left_alone(location, client, dead):
    own = ProcessIdentity.own()
    alive = [
        running(client, process)
        for process in (
            own,
            replace(dead, host="elsewhere"),
            replace(dead, namespace=f"{dead.namespace.split()[0]} pid:[1]"),  # in a container
            replace(dead, namespace="another boot pid:[1]", machine=""),
        )
    ]
    alive.append(client.create_run("0").info.run_id)  # somebody else's
    done = running(client, dead)
    client.set_terminated(done, "FINISHED")
    recover(location)
    assert {client.get_run(run_id).info.status for run_id in alive} == {"RUNNING"}
    assert client.get_run(done).info.status == "FINISHED"


def test_where_the_launch_has_its_folder_here_its_locks_tell(location, client, dead):
    folder, hold = begin_launch(location, "train.py")
    going_on = running(client, dead, folder.name)
    recover(location)
    assert client.get_run(going_on).info.status == "RUNNING"
    writer = LockFile(folder / "writer.lock")
    hold.release()
    recover(location)
    assert client.get_run(going_on).info.status == "RUNNING"
    writer.release()
    recover(location)
    assert client.get_run(going_on).info.status == "KILLED"
    assert not folder.exists()  # its journal, which held nothing, has been carried


def test_what_cannot_be_carried_is_kept_and_does_not_seem_to_go_on(location, client, dead):
    client.delete_experiment(client.create_experiment("toys"))
    from micrograde.tracking import Recorder, WriterProcess

    class Late(WriterProcess):
        def assign(self, *_, **__):
            self.process.kill()

    recorder = Recorder(location, Late())
    recorder.start_run(experiment_name="toys", run_name="r", params={}, tags={})
    run_id = running(client, dead, recorder.run_folder(0).parent.name)
    recorder._journal.close()
    recorder._hold.release()
    recover(location)
    assert client.get_run(run_id).info.status == "KILLED"
    assert recorder.run_folder(0).exists()


def test_a_store_that_is_not_there_or_not_one_is_no_matter(tmp_path):
    location = local_store(tmp_path)
    recover(location)
    location.folder.mkdir()
    database = not_none(location.database)
    for content in (b"", b"what the user has"):
        database.write_bytes(content)
        recover(location)
        assert database.read_bytes() == content
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table other (a)")
    recover(location)


def test_it_does_not_import_mlflow(location):
    code = "import sys; from pathlib import Path; from micrograde.store import *; from micrograde.tracking import *; "
    code += "recover(local_store(Path(sys.argv[1]))); assert 'mlflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(location.folder.parent)], check=True)


def test_a_run_of_this_project_whose_launch_is_gone_is_over_wherever_its_process_was(location, client):
    project = project_id(location.folder)
    elsewhere = replace(ProcessIdentity.own(), host="elsewhere", namespace="x pid:[1]")
    given = {**elsewhere.as_tags(), tags.LAUNCH: "2026-01-01_00-00-00_gone"}
    over = client.create_run("0", tags={**given, tags.PROJECT: project}).info.run_id
    others = [
        client.create_run("0", tags={**given, tags.PROJECT: "f" * 32}).info.run_id,
        client.create_run("0", tags=given).info.run_id,
    ]
    recover(location)
    assert client.get_run(over).info.status == "KILLED"
    assert {client.get_run(run_id).info.status for run_id in others} == {"RUNNING"}


def test_what_is_left_behind_is_said(location, capsys, monkeypatch):
    folder, hold = begin_launch(location, "train.py")
    hold.release()
    monkeypatch.setattr(
        "micrograde.tracking.recovery.send_launch",
        lambda *_: Kept("it has no place", lines=("one is missing",)),
    )
    recover(location)
    assert capsys.readouterr().err.splitlines() == [
        "one is missing",
        f"kept {folder}: it has no place; send it with: make sync",
    ]
