"""Losses of power. It needs the right to mount disks; ``MICROGRADE_LOSSES`` says how many there are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.homes import copy_home

HARNESS = Path(__file__).with_name("power_loss.py")
MOUNT = "truncate -s 8M disk && mkfs.ext4 -q disk && mkdir mounted && mount -o loop disk mounted && umount mounted"


def why_nothing_can_be_mounted(folder: Path) -> str:
    """Return why this machine lets nobody mount a disk, as many containers do; empty if it does."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", MOUNT], cwd=folder, capture_output=True, text=True, check=False
    )
    return " ".join(done.stderr.split()) if done.returncode else ""


def test_after_a_loss_of_power_everything_goes_on(empty_store: Path, tmp_path: Path) -> None:
    if reason := why_nothing_can_be_mounted(tmp_path):
        pytest.skip(f"no disk can be mounted here: {reason}")
    losses = int(os.environ.get("MICROGRADE_LOSSES", "4"))
    home = copy_home(empty_store, tmp_path / "home")
    memory = Path("/dev/shm")
    folder = (memory if memory.is_dir() else tmp_path) / f"power-{os.getpid()}"
    folder.mkdir()
    try:
        done = subprocess.run(
            ["unshare", "-m", sys.executable, HARNESS, folder, home, "--losses", str(losses)],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"{losses} of {losses} losses of power came through"
