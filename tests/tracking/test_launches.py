"""Whose folder it is, and whether somebody is at it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.narrowing import not_none

from micrograde.store import local_store, server_store, tags
from micrograde.store.project_id import known_project_id, project_id
from micrograde.tracking import Launch, is_alive
from micrograde.tracking.launches import begin_launch, carrying, dead_launches, remove_launch
from micrograde.tracking.processes import ProcessIdentity


def test_a_launch_is_alive_while_it_or_its_writer_is(tmp_path):
    folder, hold = begin_launch(local_store(tmp_path), "train.py")
    assert is_alive(folder)
    assert dead_launches(folder.parent) == []
    hold.release()
    hold.release()  # does no harm
    assert not is_alive(folder)
    with carrying(folder):
        assert is_alive(folder)
    ((found, launch),) = dead_launches(folder.parent)
    assert (found, launch.process.process_id, launch.script) == (folder, os.getpid(), "train.py")


def test_a_launch_ends_with_its_process(tmp_path):
    code = "import sys, signal; from pathlib import Path; from micrograde.store import *; from micrograde.tracking import *; "
    code += "r = Recorder(local_store(Path(sys.argv[1])), writer=type('W', (), {'assign': lambda *_, **__: None})())\n"
    code += "print('ready', flush=True); signal.pause()"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert not_none(process.stdout).readline() == "ready\n"
    (folder,) = (tmp_path / "mlruns" / "launches").iterdir()
    assert is_alive(folder)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_alive(folder)


def test_where_a_launch_belongs_is_told_without_a_password(tmp_path):
    server = server_store("http://me:secret@host", tmp_path)
    folder, _ = begin_launch(server, "train.py")
    assert "secret" not in (folder / "launch.json").read_text()
    launch = not_none(Launch.read(folder))
    assert launch.server == "http://***@host"
    assert launch.belongs_to(server)
    assert launch.belongs_to(server_store("http://you:other@host", tmp_path))
    assert not launch.belongs_to(server_store("http://host", tmp_path))
    assert not launch.belongs_to(local_store(tmp_path))


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[]", '{"server": null, "script": "x", "process": {"a": 1}}']
)
def test_what_is_no_launch_is_left_alone(tmp_path, content):
    folder = tmp_path / "one"
    folder.mkdir()
    if content is not None:
        (folder / "launch.json").write_text(content)
    assert Launch.read(folder) is None
    assert dead_launches(tmp_path) == []
    assert dead_launches(tmp_path / "nothing") == []


def test_a_process_is_known_by_its_tags():
    own = ProcessIdentity.own()
    assert not own.has_died()
    same = not_none(ProcessIdentity.from_tags(own.as_tags()))
    assert not same.has_died()
    assert ProcessIdentity.from_tags({**own.as_tags(), tags.PROCESS_ID: "x"}) is None
    assert ProcessIdentity.from_tags({}) is None


def test_a_process_that_ended_is_dead_and_one_of_elsewhere_is_not_known():
    child = subprocess.Popen(["true"])
    started = time.time()
    own = ProcessIdentity.own()
    of_child = ProcessIdentity(own.host, own.namespace, child.pid, started)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert of_child.has_died()  # a zombie
    child.wait()
    assert of_child.has_died()
    assert ProcessIdentity(
        own.host, own.namespace, own.process_id, own.started - 60
    ).has_died()  # the id again
    assert not ProcessIdentity("elsewhere", own.namespace, child.pid, started).has_died()
    assert not ProcessIdentity(own.host, "another start", child.pid, started).has_died()


def test_the_start_of_a_process_is_told_by_ticks_and_not_by_the_clock():
    own = ProcessIdentity.own()
    assert own.ticks is not None
    assert not replace(own, started=own.started - 5).has_died()  # the clock was set
    assert replace(own, ticks=own.ticks + 1).has_died()  # the id again
    assert replace(own, ticks=None, started=own.started - 5).has_died()  # of version 0.1


def test_another_boot_of_the_same_machine_has_none_of_its_processes(monkeypatch):
    monkeypatch.setattr("micrograde.tracking.processes._machine", lambda: "this one")
    own = replace(ProcessIdentity.own(), machine="this one")
    before = replace(own, namespace="another-boot pid:[4026531836]")
    assert before.has_died()
    assert not_none(ProcessIdentity.from_tags(before.as_tags())).has_died()
    for unknown in (
        replace(before, machine="another"),
        replace(before, machine=""),
        replace(before, host="elsewhere"),
        replace(before, namespace=""),
        replace(own, namespace=f"{own.namespace.split()[0]} pid:[1]", process_id=2**30),  # in a container
    ):
        assert not unknown.has_died()


def test_a_project_keeps_its_id_when_it_is_moved_and_a_copy_has_another(tmp_path):
    mlruns = tmp_path / "one" / "mlruns"
    mlruns.mkdir(parents=True)
    assert known_project_id(mlruns) is None
    own = project_id(mlruns)
    assert own == project_id(mlruns) == known_project_id(mlruns)
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    copied = project_id(tmp_path / "copy" / "mlruns")
    assert copied not in ("", own)
    (tmp_path / "one").rename(tmp_path / "moved")
    moved = tmp_path / "moved" / "mlruns"
    assert project_id(moved) == own
    for damaged in (b"", b"{", bytes(70), b"[]"):
        (moved / "project.json").write_bytes(damaged)
        assert project_id(moved) == known_project_id(moved) != own
    assert [path.name for path in moved.iterdir()] == ["project.json"]


def test_a_writer_that_waited_for_a_folder_that_is_gone_finds_none(tmp_path):
    folder, hold = begin_launch(local_store(tmp_path), "train.py")
    with ThreadPoolExecutor() as pool, carrying(folder):
        waiting = pool.submit(carrying(folder).__enter__)
        time.sleep(0.1)
        remove_launch(folder)
        assert not (tmp_path / "mlruns" / "temporary").exists()
    with pytest.raises(FileNotFoundError):
        waiting.result()
    hold.release()
