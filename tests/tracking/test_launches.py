"""Whose folder it is, and whether somebody is at it."""

import os
import signal
import subprocess
import sys
import time

import pytest
from tests.narrowing import not_none

from micrograde.store import local_store, server_store, tags
from micrograde.tracking import Launch, is_alive
from micrograde.tracking.launches import begin_launch, carrying, dead_launches
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
    code += (
        "r = Recorder(local_store(Path(sys.argv[1])), writer=type('W', (), {'assign': lambda *_: None})())\n"
    )
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
