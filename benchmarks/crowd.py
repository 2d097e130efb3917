"""Many processes that record into one SQLite store at the same time, and whether anything is lost.

    python -m benchmarks.crowd [--processes 16] [--seconds 120]

Each process launches one command after the other until the time is up: two of three are runs alone, the
third a sweep of four. Afterwards every run that was said to have finished must be in the store, FINISHED,
with every point of every epoch once; nothing may be RUNNING or wait in a folder, and nobody may have been
told of a lock.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import TRAIN

EPOCHS, SWEPT = 5, 4
_SMALL = ["data=moons", "data.samples=100", "model.hidden_size=4", f"training.num_epochs={EPOCHS}"]


@dataclass
class Crowd:
    """What was said by all launches together."""

    runs: list[str] = field(default_factory=list)
    sweeps: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def launch_until(deadline: float, home: Path, number: int, crowd: Crowd) -> None:
    """One command after the other; at least one of each kind."""
    launched = 0
    while launched < 2 or time.monotonic() < deadline:
        is_sweep = launched % 3 == 1
        seed = 1000 * (1000 * number + launched)
        more = ["-m", f"seed=range({seed},{seed + SWEPT})"] if is_sweep else [f"seed={seed}"]
        done = subprocess.run(
            [*TRAIN, *more, *_SMALL],
            env={**os.environ, "MICROGRADE_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        launched += 1
        kind = crowd.sweeps if is_sweep else crowd.runs
        kind += re.findall(r"(?:sweep|finished) +run ([0-9a-f]{32})", done.stdout)
        if done.returncode or done.stderr or "locked" in done.stdout:
            crowd.complaints.append(f"status {done.returncode}: {done.stdout[-300:]} {done.stderr}".strip())


def launch_crowd(home: Path, processes: int, seconds: float) -> Crowd:
    """Have so many processes launch at a time."""
    crowd, deadline = Crowd(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=launch_until, args=[deadline, home, number, crowd])
        for number in range(processes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return crowd


def what_is_wrong(home: Path, crowd: Crowd) -> list[str]:
    """A line for each thing; none if all is as it was said."""
    from micrograde.analysis import load_history, load_runs, load_sweeps
    from micrograde.store import local_store

    uri = local_store(home).tracking_uri
    runs, sweeps = load_runs(uri), load_sweeps(uri)
    wrong = [*crowd.complaints]
    status = dict(zip(runs["run_id"], runs["status"], strict=True))
    parents = dict(zip(sweeps["run_id"], zip(sweeps["status"], sweeps["runs"], strict=True), strict=True))
    wrong += [f"run {each} is {status.get(each)}" for each in crowd.runs if status.get(each) != "FINISHED"]
    wrong += [
        f"sweep {run_id} is {parents.get(run_id)}"
        for run_id in crowd.sweeps
        if parents.get(run_id) != ("FINISHED", SWEPT)
    ]
    expected = len(crowd.runs) + SWEPT * len(crowd.sweeps)
    if len(runs) != expected or set(runs["status"]) != {"FINISHED"} or len(sweeps) != len(crowd.sweeps):
        counts = runs["status"].value_counts().to_dict()
        wrong.append(f"{counts} runs and {len(sweeps)} sweeps, not {expected} and {len(crowd.sweeps)}")
    history = load_history(uri)
    for (run_id, metric), part in history.groupby(["run_id", "metric"], observed=True):
        steps = list(part["step"])
        whole = steps == list(range(1, EPOCHS + 1)) or (len(steps) == 1 and steps[0] in (0, EPOCHS))
        if not whole:
            wrong.append(f"run {run_id} has {metric} at {steps}")
    metrics = history.groupby("run_id", observed=True)["metric"].nunique()
    if len(metrics) != len(runs) or metrics.nunique() != 1:
        wrong.append("not all runs have all metrics")
    wrong += [f"left: {folder}" for folder in (home / "mlruns" / "launches").glob("*")]
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, start = Path(folder), time.monotonic()
        crowd = launch_crowd(home, arguments.processes, arguments.seconds)
        took = time.monotonic() - start
        print(
            f"{arguments.processes} processes, {took:.0f} s: {len(crowd.runs)} runs alone and "
            f"{len(crowd.sweeps)} sweeps of {SWEPT}",
            flush=True,
        )
        wrong = what_is_wrong(home, crowd)
    print("\n".join(wrong) or "all are FINISHED and whole; nobody was told of a lock")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
