"""A disk that fills up while a run goes on. It needs the right to mount a small one of one's own."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

TRAIN = Path(__file__).parents[2] / "pipelines" / "train.py"
TMPFS = 'mount -t tmpfs -o size={size}k tmpfs "$1" && shift && exec "$@"'


def small_disk(size, folder, *command):
    """The command, in a mount namespace of its own where ``folder`` is a disk of so many KiB."""
    return ["unshare", "-rm", "sh", "-c", TMPFS.format(size=size), "sh", str(folder), *command]


@pytest.mark.parametrize("size", [2500, 3200, 4500])
def test_on_a_full_disk_a_run_fails_with_a_line_and_what_was_written_is_intact(user, tmp_path, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    kept = tmp_path / "kept"
    kept.mkdir()
    script = """
import shutil, subprocess, sys
from pathlib import Path
from tests.homes import copy_home
disk, kept, empty, *command = sys.argv[1:]
copy_home(Path(empty), Path(disk))
done = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
shutil.copytree(disk, kept, dirs_exist_ok=True)
sys.stderr.write(done.stderr)
sys.exit(done.returncode)
"""
    train = [
        sys.executable,
        str(TRAIN),
        "data=moons",
        "training.num_epochs=1000000",
        "training.checkpoint_seconds=null",
    ]
    done = subprocess.run(
        small_disk(size, disk, sys.executable, "-c", script, str(disk), str(kept), str(user.home), *train),
        env={**user.environment, "MICROGRADE_HOME": str(disk)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("the disk is full (")
    assert "; free some space" in line
    assert line.endswith("; what was recorded until then is intact")

    database = kept / "mlruns" / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("select count(*) from runs where status = 'RUNNING'").fetchone() == (0,)
    user.home.joinpath("mlruns").rename(user.home / "before")
    shutil.move(kept / "mlruns", user.home)
    shutil.rmtree(user.home / "before")
    user.run("sync")
    (run,) = user.runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["micrograde.reason"].startswith("the disk is full (")
    history = user.client.get_metric_history(run.info.run_id, "val/loss")
    steps = sorted(point.step for point in history)
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) > 100
