"""Runs that are killed and go on, what checkpoints cost, and how long a replay takes.

    python -m benchmarks.survival [--kill 50] [--rounds 5]

Always: the share of training on digits that checkpoints take, for the default run (one at its end) and for
one that is long enough for some between, and the wall time of `pipelines/replay.py` on the default run, which
must say "identical". With --kill so many runs, each killed by SIGKILL at a random moment of it, every other
one together with its writer, and then taken up by the same command: weights and histories are compared with
those of a run that was left alone, and each step must be in the store once.
"""

import argparse
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.processes import ROOT, TRAIN
from benchmarks.sweep import seconds, shell, timed

if TYPE_CHECKING:
    from micrograde.config.schema import TrainConfig

REPLAY = [sys.executable, str(ROOT / "pipelines" / "replay.py")]
KILLED = [
    *TRAIN,
    "training.num_epochs=150",
    "training.checkpoint_seconds=0.1",
    "training.resume=auto",
    "optimizer=adam",
]


def end_of(home: Path) -> list[tuple[str, bytes, list[Any]]]:
    """Of each run: its status, its weights, and each metric's (step, value), as often as they are there."""
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as store:
        runs = store.execute("select run_uuid, status, artifact_uri from runs order by start_time").fetchall()
        ends = []
        for run_id, status, artifacts in runs:
            query = "select key, step, value from metrics where run_uuid = ? order by key, step"
            weights = Path(artifacts.removeprefix("file://")) / "model" / "weights.safetensors"
            content = weights.read_bytes() if weights.exists() else b""
            ends.append((status, content, store.execute(query, (run_id,)).fetchall()))
    return ends


def started(folder: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """A run that has told of its first epoch."""
    process = subprocess.Popen(
        KILLED, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    return process


def killed(attempts: int) -> int:
    """How many of so many runs, killed after their first epoch, ended as if they had not been."""
    with shell() as (folder, environment):
        process = started(folder, environment)
        start = time.perf_counter()
        process.communicate()
        took = time.perf_counter() - start
        undisturbed = end_of(folder)
    good = 0
    for attempt in range(attempts):
        with shell() as (folder, environment):
            process = started(folder, environment)
            moment = random.Random(attempt).uniform(0, took)
            time.sleep(moment)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            writers = children.read_text().split() if attempt % 2 and children.exists() else []
            process.send_signal(signal.SIGKILL)
            for writer in writers:
                os.kill(int(writer), signal.SIGKILL)
            process.communicate()
            done = subprocess.run(
                KILLED, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            where = done.stdout.splitlines()[0] if done.stdout else done.stderr
            same = done.returncode == 0 and all(end == undisturbed[0] for end in end_of(folder))
            good += same
            verdict = "the same" if same else "NOT the same"
            alone = "with its writer" if writers else "alone"
            print(f"killed {moment:5.2f} s after its first epoch, {alone}: {where}: {verdict}", flush=True)
    return good


def checkpoint_share(epochs: int, between: float) -> tuple[float, int]:
    """Of a run's training the share that checkpoints take, and how many there were."""
    import tempfile

    from micrograde.runs.live_run import LiveRun, RunRequest
    from micrograde.runs.progress import Watch
    from micrograde.runs.train import PreparedSets, train_runs
    from micrograde.tracking import NullRecorder

    class Folder(NullRecorder):
        """Keeps files, as a store would."""

        def __init__(self, folder: Path) -> None:
            super().__init__()
            self.folder = folder

        def run_folder(self, run: int) -> Path:
            return self.folder

    class Times(Watch):
        """When each epoch ended."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
            self.times.append(time.perf_counter())

        def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
            pass

    spent: dict[str, float] = {}
    count = 0
    original = LiveRun.checkpoint

    def counted(*arguments: Any, **options: Any) -> float:
        nonlocal count
        count += 1
        return original(*arguments, **options)

    with patch.object(LiveRun, "checkpoint", counted), tempfile.TemporaryDirectory() as folder:
        timed(LiveRun, "checkpoint", spent, "checkpoints")
        request = RunRequest(_config(epochs, between), "cost")
        watch = Times()
        train_runs([request], Folder(Path(folder)), PreparedSets(), watch)
    # The median of the epochs, since checkpoints come between some of them.
    training = statistics.median(after - before for before, after in pairwise(watch.times)) * epochs
    return spent["checkpoints"] / training, count


def _config(epochs: int, between: float) -> "TrainConfig":
    from micrograde.config.parsing import parse_train_config

    return parse_train_config(
        {
            "data": {"name": "digits"},
            "model": {},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": {"num_epochs": epochs, "checkpoint_seconds": between},
            "tracking": {"name": "local"},
        }
    )


def replay(rounds: int) -> list[float]:
    """Wall times of replaying the default run."""
    with shell() as (folder, environment):
        seconds(TRAIN, folder, environment)
        with sqlite3.connect(folder / "mlruns" / "mlflow.db") as store:
            ((run_id,),) = store.execute("select run_uuid from runs").fetchall()
        return [seconds([*REPLAY, f"run_id={run_id}"], folder, environment) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for title, epochs, between in (
        ("default run, 50 epochs", 50, 5.0),
        ("5,000 epochs, a checkpoint every 5 s", 5_000, 5.0),
    ):
        found = [checkpoint_share(epochs, between) for _ in range(arguments.rounds if epochs < 100 else 1)]
        share = statistics.median(each for each, _ in found)
        print(f"{title}: {found[0][1]} checkpoints take {100 * share:.2f} % of training", flush=True)
    times = replay(arguments.rounds)
    print(
        f"replay of the default run: {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"
    )
    if arguments.kill:
        good = killed(arguments.kill)
        print(f"{good} of {arguments.kill} killed runs ended as if they had not been", flush=True)


if __name__ == "__main__":
    main()
