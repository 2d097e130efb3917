"""Measure the writer of the project's own store: milliseconds a run, by SQL and through MLflow's client.

    python -m benchmarks.writer [RUNS] [--rounds 3] [--files 15]

A run has 60 params, 20 tags, a data set and 200 values (20 metrics at 10 steps); 50 end together, as the runs
of stacks do. Both carry the same journal into a new store, in turns, each time in a process of its own that
has imported what it needs; then SQL alone carries one whose runs also have files.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.journals import Sweep
from benchmarks.machine import peak_of, processor
from micrograde.store import sql_store
from micrograde.store.location import local_store, make_store
from micrograde.tracking.writer import carry, prepare

CLIENT, SQL, FILES = "MLflow's client", "SQL", "SQL, with files"


@dataclass(frozen=True)
class Carried:
    """What a journal took: wall and processor seconds, and the process's largest size in MiB."""

    seconds: float
    computing: float
    peak: float


def main() -> None:
    """Measure all in turns; print the medians and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="?", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=15, help="of each run")
    parser.add_argument("--carry", nargs=2, metavar=("HOW", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.carry:
        print(json.dumps(asdict(carry_here(arguments.carry[0], Path(arguments.carry[1])))))
        return
    runs, measured = arguments.runs, {name: list[Carried]() for name in (CLIENT, SQL, FILES)}
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        make_store(local_store(empty))
        for number in range(arguments.rounds):
            for name, all_of_it in measured.items():
                home = Path(folder) / f"{number}"
                shutil.copytree(empty, home)
                sweep = Sweep(runs, files=arguments.files if name == FILES else 0)
                launch = sweep.launch(local_store(home))
                all_of_it.append(carry_apart(name, launch, home))
                shutil.rmtree(home)
    print(f"{processor()}, load {os.getloadavg()[0]:.1f}; {runs:,} runs of 200 values, medians of ", end="")
    print(arguments.rounds)
    for name, all_of_it in measured.items():
        wall, cpu = (
            1000 * statistics.median(each) / runs
            for each in zip(*((each.seconds, each.computing) for each in all_of_it), strict=True)
        )
        peak = max(each.peak for each in all_of_it)
        print(f"{name:<16}{wall:8.2f} ms a run, {cpu:.2f} of them computing, {peak:.0f} MiB")
    pairs = zip(measured[CLIENT], measured[SQL], strict=True)
    print(f"{'ratio':<16}{statistics.median(slow.seconds / fast.seconds for slow, fast in pairs):8.2f}")


def carry_apart(how: str, launch: Path, home: Path) -> Carried:
    """Carry a launch's journal in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.writer", "--carry", how, str(launch)],
        env={**os.environ, "MICROGRADE_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Carried(**json.loads(done.stdout))


def carry_here(how: str, launch: Path) -> Carried:
    """Carry a launch's journal in this process."""
    if how == CLIENT:
        sql_store.KNOWN_SCHEMAS = ("of another MLflow",)
    location = local_store(launch.parents[2])
    prepare()
    gone = threading.Event()
    before, start = time.process_time(), time.perf_counter()
    carry(launch, location, {}, gone, 60, lambda _: None, again=False)
    seconds, computing = time.perf_counter() - start, time.process_time() - before
    return Carried(seconds, computing, peak_of(os.getpid()))


if __name__ == "__main__":
    main()
