"""Runs recorded to a tracking server in trouble, beside one that is undisturbed.

    python -m benchmarks.outages [--epochs 5000] [--rounds 3]

A real `mlflow server` on SQLite. It has a core to itself and the run the others: a server would stand
elsewhere, and each of its starts takes seconds of computing. Each round trains the same network three times:
undisturbed; while the server is killed and started again five times; through a proxy that fails 30 % of all
requests, half of them answered 500, of the other half the reply is lost. What the server then has is compared
value by value with the undisturbed run. Training time is from the first epoch to the last in the run's log.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.processes import TRAIN
from benchmarks.servers import MlflowServer, Proxy, failing

RESTARTS, SHARE = 5, 0.3
_TIME_LENGTH = 26  # characters of a log's line: 2026-01-31 12:34:56.123456
_DOWN = 1.0  # seconds that a server is gone at least


@dataclass(frozen=True)
class Recorded:
    """What the server has of a run, and how long it trained; ``points`` by metric and step."""

    points: Counter[tuple[str, int, float]]
    steps: Counter[tuple[str, int]]
    seconds: float
    notices: int


def train(
    address: str, server: MlflowServer, folder: Path, epochs: int, in_training: Callable[[Path], object]
) -> Recorded:
    """Train, doing something meanwhile; what the server then has."""
    home = Path(tempfile.mkdtemp(dir=folder))
    name = home.name
    command = [*TRAIN, f"training.num_epochs={epochs}", f"experiment_name={name}"]
    environment = {**os.environ, "MICROGRADE_HOME": str(home)}
    process = subprocess.Popen(
        [*command, "tracking=server", f"tracking.uri={address}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, _others()),
    )
    meanwhile = threading.Thread(target=in_training, args=[home])
    meanwhile.start()
    _, stderr = process.communicate()
    meanwhile.join()
    if process.returncode:
        sys.exit(f"the run ended with status {process.returncode}: {stderr}")
    if list((home / "mlruns" / "launches").iterdir()):
        print(f"  sent afterwards: {stderr.splitlines()[-1]}", flush=True)
        sync = [sys.executable, str(Path(TRAIN[1]).with_name("sync.py"))]
        subprocess.run(sync, env=environment, check=True, stdout=subprocess.DEVNULL)
    return read(server.address, name, len(stderr.splitlines()))


def read(address: str, experiment_name: str, notices: int) -> Recorded:
    """The only run of an experiment."""
    from mlflow import MlflowClient

    client = MlflowClient(address)
    experiment = client.get_experiment_by_name(experiment_name)
    assert experiment
    (run,) = client.search_runs([experiment.experiment_id])
    if run.info.status != "FINISHED":
        sys.exit(f"the run is {run.info.status}")
    points: Counter[tuple[str, int, float]] = Counter()
    for metric in run.data.metrics:
        history = client.get_metric_history(run.info.run_id, metric)
        points.update((metric, point.step, point.value) for point in history)
    steps: Counter[tuple[str, int]] = Counter()
    for (metric, step, _), count in points.items():
        steps[metric, step] += count
    with tempfile.TemporaryDirectory() as folder:
        log = Path(client.download_artifacts(run.info.run_id, "train.log", folder)).read_text()
    epochs = [line for line in log.splitlines() if re.search(r"epoch +\d+/", line)]
    first, last = (datetime.fromisoformat(epochs[row][:_TIME_LENGTH]) for row in (0, -1))
    return Recorded(points, steps, (last - first).total_seconds(), notices)


def in_training(home: Path) -> None:
    """Wait until a run trains."""
    while not [path for path in home.glob("mlruns/launches/*/journal.jsonl") if "StackM" in path.read_text()]:
        time.sleep(0.05)


def restarts(server: MlflowServer) -> Callable[[Path], None]:
    """Kill the server and start it again, five times from when a run trains."""

    def disturb(home: Path) -> None:
        in_training(home)
        for _ in range(RESTARTS):
            server.kill()
            time.sleep(_DOWN)
            server.start()
            time.sleep(_DOWN)

    return disturb


@contextmanager
def running_server() -> Iterator[tuple[MlflowServer, Path]]:
    """A server with an empty store, and a folder for whatever else."""
    from micrograde.store import local_store, make_store

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_store(local_store(folder))
        with MlflowServer(folder / "mlruns", os.sched_getaffinity(0) - _others()) as server:
            yield server, folder


def _others() -> set[int]:
    """All cores but the server's."""
    cores = sorted(os.sched_getaffinity(0))
    return set(cores[:-1] or cores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    seconds: dict[str, list[float]] = {"undisturbed": [], "restarts": [], "proxy": []}
    sound = True
    with running_server() as (server, folder):
        for number in range(arguments.rounds):
            found = {"undisturbed": train(server.address, server, folder, arguments.epochs, in_training)}
            disturb = restarts(server)
            found["restarts"] = train(server.address, server, folder, arguments.epochs, disturb)
            with Proxy(server.port, failing(SHARE, number)) as proxy:
                found["proxy"] = train(proxy.address, server, folder, arguments.epochs, in_training)
                counts = proxy.counts
            for name, run in found.items():
                seconds[name].append(run.seconds)
                lost = sum((found["undisturbed"].points - run.points).values())
                doubled = sum(count - 1 for count in run.steps.values())
                sound = sound and not lost and not doubled
                print(
                    f"{name:12} {sum(run.points.values())} points, {lost} lost, {doubled} doubled, "
                    f"{run.seconds:.2f} s of training, {run.notices} lines of warning",
                    flush=True,
                )
            print(f"  requests of the proxy: {dict(counts)}", flush=True)
    undisturbed = statistics.median(seconds["undisturbed"])
    for name, each in seconds.items():
        median = statistics.median(each)
        print(f"{name:12} median {median:.2f} s of training, {median / undisturbed:.3f} of undisturbed")
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
