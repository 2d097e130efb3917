"""Faults in a cluster; ``MICROGRADE_FAULTS`` says how many sweeps there are, and ``MICROGRADE_SEED`` which faults.

What is not said is drawn; the test shows the seed. With few sweeps what breaks is gone for a few seconds only.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FEW = 3


def test_a_sweep_in_which_something_breaks_ends_complete_or_says_what_is_missing(tmp_path: Path) -> None:
    sweeps = int(os.environ.get("MICROGRADE_FAULTS", str(FEW)))
    command = [sys.executable, "-m", "tests.system.cluster_faults", str(tmp_path), "--sweeps", str(sweeps)]
    command += ["--longest", "8" if sweeps <= FEW else "60"]
    if seed := os.environ.get("MICROGRADE_SEED"):
        command += ["--seed", seed]
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0:
        command = ["unshare", "-m", *command]  # the nodes' disks then go with the process
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    said = []
    for line in process.stdout:  # it takes long: with -s each line is seen as it comes
        print(line, end="", flush=True)
        said.append(line.rstrip())
    assert process.wait() == 0
    assert said[-1] == f"{sweeps} of {sweeps} sweeps came through"
