"""Whoever waits for a lock learns for whom, and not for ever."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.narrowing import not_none
from tests.waiting import wait_for

from micrograde.core.errors import InputError
from micrograde.core.locks import LockFile, wait_until_free
from micrograde.core.waiting import Holder, holder_of, process_of, wait_for_lock

HOLD = """
import sys
from pathlib import Path
from micrograde.core.locks import LockFile
lock = LockFile(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> "Iterator[tuple[Path, subprocess.Popen[str]]]":
    path = tmp_path / "a.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert not_none(process.stdout).readline() == "held\n"
    yield path, process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the system does not say who holds a lock")
def test_the_holder_is_named_and_a_stopped_one_is_not_waited_for(
    held: "tuple[Path, subprocess.Popen[str]]", monkeypatch: pytest.MonkeyPatch
) -> None:
    path, process = held
    holder = not_none(holder_of(path))
    assert (holder.process, holder.stopped) == (process.pid, False)
    said: list[str] = []
    monkeypatch.setattr("micrograde.core.waiting.LIMIT", 0.3)
    with pytest.raises(InputError, match=f"has been locked for 0 seconds by process {process.pid} "):
        LockFile(path, on_wait=said.append)  # it does nothing
    psutil.Process(process.pid).suspend()
    wait_for(lambda: not_none(process_of(process.pid)).stopped)
    with pytest.raises(InputError, match=f"is stopped: kill -CONT {process.pid} lets it go on"):
        wait_until_free(path, said.append)
    assert len(said) == 2
    assert all(line.startswith(f"process {process.pid} (python") for line in said)
    psutil.Process(process.pid).resume()
    process.kill()
    process.communicate()
    LockFile(path).release()
    wait_until_free(path, said.append)
    wait_until_free(path.with_name("none"), said.append)
    assert len(said) == 2


def test_who_is_at_work_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("micrograde.core.waiting.LIMIT", 0.05)
    worked = iter(range(1000))
    monkeypatch.setattr(
        "micrograde.core.waiting.holder_of", lambda _: Holder(7, "python", stopped=False, worked=next(worked))
    )
    tries = iter([False] * 20 + [True])
    said: list[str] = []
    wait_for_lock(lambda: next(tries), tmp_path, said.append)
    assert said == ["process 7 (python)"]


def test_a_holder_that_is_not_known_is_waited_for_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micrograde.core.waiting.LIMIT", 0.05)
    with pytest.raises(InputError, match="by another process"):
        wait_for_lock(lambda: False, tmp_path / "none", lambda _: None)
