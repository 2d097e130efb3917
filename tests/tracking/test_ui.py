"""`pipelines/ui.py` as a user runs it."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from benchmarks.servers import free_port
from tests.narrowing import not_none
from tests.waiting import wait_for, wait_for_answer

from micrograde.cli.commands.ui import address_of, has_browser
from micrograde.store import local_store

UI = Path(__file__).parents[2] / "pipelines" / "ui.py"


def get(address):
    with urllib.request.urlopen(address) as answer:
        return answer.read().decode()


@pytest.mark.slow
def test_the_page_is_served_from_the_store_of_this_project_until_ctrl_c(home, monkeypatch, tmp_path):
    from mlflow import MlflowClient

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    command = [sys.executable, str(UI), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        shown = f"{address}/#/experiments?workflowType=machine_learning"
        assert (
            not_none(process.stdout).readline() == f"The runs of {home}/mlruns: {shown}  (Ctrl-C ends it)\n"
        )
        assert "<!doctype html>" in wait_for_answer(address, process)
        wait_for(opened.exists)
        assert opened.read_text() == f"{shown}\n"
        MlflowClient(local_store(home).tracking_uri).create_experiment("toys")
        found = json.loads(get(f"{address}/api/2.0/mlflow/experiments/search?max_results=5"))
        assert {experiment["name"] for experiment in found["experiments"]} == {"Default", "toys"}
        process.send_signal(signal.SIGINT)
        process.wait(120)
        with pytest.raises(OSError, match="refused"):
            get(address)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_a_port_that_cannot_be_had_is_one_line(tmp_path, port, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1]) if port == "taken" else port
        done = subprocess.run(
            [sys.executable, str(UI), "--port", port], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"--host 127.0.0.1 --port {port}: cannot listen there (")
    assert list(tmp_path.iterdir()) == []


def test_a_browser_of_the_terminal_is_left_alone(monkeypatch):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_browser()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_browser()


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("localhost", "localhost")],
)
def test_the_address_can_be_typed_into_a_browser(host, shown):
    assert address_of(host, 5000).startswith(f"http://{shown}:5000/#/")
