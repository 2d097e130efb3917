"""`make ui` is for this machine alone, unless it is told otherwise, and then it says what that means."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from benchmarks.servers import free_port
from tests.narrowing import not_none
from tests.waiting import wait_for_answer

UI = Path(__file__).parents[2] / "pipelines" / "ui.py"


def status(port, host, **headers):
    """What the server answers to somebody who calls it by this name."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search?max_results=1",
        headers={"Host": host, **headers},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_it_listens_on_loopback_and_answers_to_no_other_name(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    monkeypatch.delenv("MLFLOW_SERVER_ALLOWED_HOSTS", raising=False)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(UI), "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for_answer(f"http://127.0.0.1:{port}/health", process)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        sockets = [each for member in family for each in member.net_connections("inet")]
        listening = {each.laddr[:2] for each in sockets if each.status == psutil.CONN_LISTEN}
        assert listening == {("127.0.0.1", port)}
        assert status(port, f"127.0.0.1:{port}") == 200
        assert status(port, f"localhost:{port}") == 200
        for name in ("evil.example", "10.evil.example", "192.168.evil.example", f"10.0.0.1:{port}"):
            assert status(port, name) == 403
    finally:
        process.send_signal(signal.SIGINT)  # which its workers get to know as well
        _, stderr = process.communicate()
    assert "--host" not in stderr


def test_told_to_listen_elsewhere_it_says_what_that_means(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    process = subprocess.Popen(
        [sys.executable, str(UI), "--host", "0.0.0.0", "--port", str(free_port())],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = not_none(process.stderr).readline()
    process.kill()  # before it is MLflow's server
    process.communicate()
    assert line.startswith(
        "--host 0.0.0.0: whoever reaches this machine can read, change and delete the runs"
    )
    assert "docs/security.md" in line
