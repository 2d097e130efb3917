"""Nothing is written but below ``mlruns/``: not in the user's home, not among the system's temporary files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import User
from tests.waiting import wait_for

TINY = ("data=moons", "data.samples=60", "model.hidden_size=4", "training.num_epochs=2")


@pytest.fixture
def stranger(user, tmp_path):
    """A user whose home folder and temporary folder are empty, and whose commands begin cold."""
    for name in ("HOME", "TMPDIR"):
        (tmp_path / name).mkdir()
        user.environment[name] = str(tmp_path / name)
    for name in list(user.environment):
        if name.startswith(("XDG_", "MPL", "PYTHONPYCACHEPREFIX")):
            del user.environment[name]
    return user


def elsewhere(user: User) -> list[str]:
    """What there is in both, and where the commands are given."""
    folders = [Path(user.environment["HOME"]), Path(user.environment["TMPDIR"]), user.folder]
    return sorted(str(path) for each in folders for path in each.rglob("*"))


def cold(user: User, pipeline: str, *arguments: str) -> str:
    process = user.start(pipeline, *arguments)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert stderr == ""
    return stdout


@pytest.mark.slow
def test_commands_write_nothing_elsewhere_and_what_was_killed_is_cleared(stranger):
    process = stranger.start("train", *TINY, "training.num_epochs=100000000")
    launches = stranger.home / "mlruns" / "launches"
    wait_for(lambda: any(launches.glob("*/writer.log")))
    (writer,) = children_of(process.pid)
    for killed in (writer, process.pid):
        os.kill(killed, signal.SIGKILL)
    process.communicate()
    cold(stranger, "train", "-m", *TINY, "seed=1,2", "optimizer.learning_rate=0.1,0.2")
    cold(stranger, "compare", "sweep=latest")
    stranger.wait_until_written()
    assert elsewhere(stranger) == []
    there = {each.name for each in (stranger.home / "mlruns").iterdir()}
    assert not there & {"temporary", "cache"}


@pytest.mark.slow
def test_python_writes_nothing_elsewhere(stranger):
    code = f"import micrograde as mg; print(mg.sweep(*{TINY!r}, 'seed=1,2')._repr_html_()[:9])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=stranger.folder,
        env=stranger.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert elsewhere(stranger) == []


def children_of(process_id: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]
