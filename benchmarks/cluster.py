"""A sweep on two nodes of one CPU beside the same sweep in one process with two cores.

    python -m benchmarks.cluster [--runs 60] [--epochs 150] [--rounds 3] [--by-the-server]

Ray, an `mlflow server` and PostgreSQL are started here, where they share the cores with the sweep:
on a cluster they would stand elsewhere. The rows of runs go into the database, which `tracking.database`
names; with `--by-the-server` all goes through the server. Both sweeps are whole commands, one after the other
in each round; the ratio is that of the fastest round of each. The memory is the largest of the process that
is typed, and apart from it of what that has started: the writer, and Ray's own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.cluster_parts import postgresql, started_cluster, started_server
from micrograde.store.postgresql_batch import for_libpq

_POLL_SECONDS = 0.1


@dataclass
class Took:
    """A command: seconds by the clock, and the largest memory in MiB of it and of its children together."""

    seconds: float
    memory: float
    of_children: float
    said: str = field(repr=False)


def timed(home: Path, *words: str) -> Took:
    """Run a command in a home; what it took."""
    environment = {**os.environ, "MICROGRADE_HOME": str(home), "RAY_AUTH_MODE": "disabled"}
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "micrograde", "train", *words],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    over, took = threading.Event(), Took(0, 0, 0, "")

    def watch() -> None:
        own = psutil.Process(process.pid)
        while not over.wait(_POLL_SECONDS):
            with suppress(psutil.Error):
                took.memory = max(took.memory, own.memory_info().rss / 2**20)
                children = sum(each.memory_info().rss for each in own.children(recursive=True))
                took.of_children = max(took.of_children, children / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    took.said, _ = process.communicate()
    took.seconds = time.monotonic() - start
    over.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"the sweep has ended with status {process.returncode}:\n{took.said}")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--by-the-server", action="store_true", help="do not name the database")
    arguments = parser.parse_args()
    seeds = f"seed=range({arguments.runs // 3})"
    sweep = ["-m", seeds, "optimizer.learning_rate=0.1,0.3,0.8", f"training.num_epochs={arguments.epochs}"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-")))
        home = folder / "home"
        home.mkdir()
        _, store = stack.enter_context(postgresql(folder / "postgresql.log"))
        _, address = started_server(stack, folder / "server", store, 2)
        cluster = started_cluster(stack, folder)
        on_cluster = ["hydra/launcher=ray", f"hydra.launcher.address={cluster.address}"]
        on_cluster += ["tracking=server", f"tracking.uri={address}"]
        if not arguments.by_the_server:
            on_cluster.append(f"tracking.database={for_libpq(store)}")
        here: list[Took] = []
        there: list[Took] = []
        for number in range(arguments.rounds):
            name = f"experiment_name=round-{number}"
            here.append(timed(home, *sweep, name))
            there.append(timed(home, *sweep, name, *on_cluster))
            print(
                f"round {number}: local {here[-1].seconds:.1f} s, cluster {there[-1].seconds:.1f} s",
                flush=True,
            )
        ratio = min(each.seconds for each in there) / min(each.seconds for each in here)
        memory = max(each.memory for each in there)
        writer = max(each.of_children for each in there)
        print(
            f"{arguments.runs} runs of {arguments.epochs} epochs: the cluster takes {ratio:.2f} times as long"
        )
        print(
            f"memory of the command: {memory:.0f} MiB; of its writer and Ray's own processes {writer:.0f} MiB"
        )


if __name__ == "__main__":
    main()
