"""Measure the writer of the project's own store: milliseconds a run, by SQL and through MLflow's client.

    python -m benchmarks.writer [RUNS]

A run has 60 params, 20 tags, a data set and 200 values (20 metrics at 10 steps), and 50 end together,
as the runs of stacks do; none has files. Both write the same events, in turns, each time into a new store.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from micrograde.store.calls import at_once
from micrograde.store.event_writer import Recording
from micrograde.store.events import DatasetInput, Event, RunEnded, RunStarted, StackMetricsLogged
from micrograde.store.location import StoreLocation, local_store, make_store
from micrograde.store.mlflow_local import LocalStore
from micrograde.store.mlflow_writer import MlflowWriter
from micrograde.store.sql_store import SqlStore, open_local

GROUP, METRICS, STEPS = 50, 20, 10
ROUNDS = 3


def main() -> None:
    """Measure both in turns; print the medians and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="?", type=int, default=1000)
    runs = parser.parse_args().runs
    computing: dict[str, list[float]] = {"MLflow's client": [], "SQL": []}
    seconds: dict[str, list[float]] = {"MLflow's client": [], "SQL": []}
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        make_store(local_store(empty))
        for number in range(ROUNDS):
            for name, measured in seconds.items():
                home = Path(folder) / f"{number}-{name[:3]}"
                shutil.copytree(empty, home)
                before = time.process_time()
                measured.append(write(local_store(home), runs, by_sql=name == "SQL"))
                computing[name].append(time.process_time() - before)
    print(f"{runs:,} runs of {METRICS * STEPS} values, load {os.getloadavg()[0]:.1f}, medians of {ROUNDS}")
    for name, measured in seconds.items():
        cpu = 1000 * statistics.median(computing[name]) / runs
        wall = 1000 * statistics.median(measured) / runs
        print(f"{name:<16}{wall:8.2f} ms a run, {cpu:.2f} of them computing")
    pairs = zip(*seconds.values(), strict=True)
    print(f"{'ratio':<16}{statistics.median(slow / fast for slow, fast in pairs):8.2f}")


def write(location: StoreLocation, runs: int, *, by_sql: bool) -> float:
    """Write the runs into a new store; return the seconds that it took."""
    launch = location.folder / "launches" / "2026-01-01_00-00-00_a"
    store: LocalStore = open_local(location, at_once)
    assert isinstance(store, SqlStore)
    if not by_sql:
        from mlflow import MlflowClient

        store = LocalStore(MlflowClient(location.tracking_uri), location)
    launch.mkdir(parents=True)
    writer = MlflowWriter(store, Recording(launch))
    batches = list(journal(runs))
    start = time.perf_counter()
    for batch in batches:
        writer.write(batch)
    writer.flush()
    return time.perf_counter() - start


def journal(runs: int) -> Iterator[list[Event]]:
    """Yield the events in the batches in which a launch's journal is read."""
    dataset = DatasetInput("digits", "d" * 36, "{}", "{}", "{}")
    params = {f"group.param_{number}": str(number) for number in range(60)}
    given = {f"micrograde.tag_{number}": "a value" for number in range(20)}
    for first in range(0, runs, GROUP):
        group = list(range(first, min(first + GROUP, runs)))
        yield [RunStarted(run, 1, "writer", f"seed={run}", params, given, dataset) for run in group]
        for step in range(1, STEPS + 1):
            values = {f"metric_{number}": [run / step for run in group] for number in range(METRICS)}
            yield [StackMetricsLogged(group, step, step, values)]
        yield [RunEnded(run, STEPS, "FINISHED") for run in group]


if __name__ == "__main__":
    main()
