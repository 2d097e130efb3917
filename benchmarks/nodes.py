"""Measure how many nodes one tracking server carries: what several writers at once do in a second.

    python -m benchmarks.nodes postgresql+psycopg://mlflow@127.0.0.1/empty

Each node is a process that writes a stack of runs as a launch's writer does: 60 params, 20 tags, a data
set, 200 values, and 20 files of 2 KB a run. The server is `mlflow server` on this machine, before a
PostgreSQL on this machine; of several such servers before one PostgreSQL each node has one. Runs go
through the server, or their rows into the database (`tracking.database`); and their files to the server,
or into a folder that all share (`tracking.artifacts`).

All of it shares the cores of one machine. So beside the runs a second stand the milliseconds that the
server's processes, PostgreSQL's and the nodes' compute for a run: they hardly depend on what else goes on.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.servers import MlflowServer
from micrograde.store import backend_of, server_store
from micrograde.store.database_store import open_with_database
from micrograde.store.event_writer import Recording
from micrograde.store.events import DatasetInput, Event, RunEnded, RunStarted, StackMetricsLogged
from micrograde.store.library_environment import quiet_environment
from micrograde.store.mlflow_writer import MlflowWriter
from micrograde.store.postgresql_batch import for_libpq

FILES, BYTES = 20, 2000
GROUP, METRICS, STEPS = 50, 20, 10
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Nodes:
    """What so many nodes have done: runs a second, and milliseconds of computing for a run."""

    speed: float
    server: float
    database: float
    nodes: float

    def __str__(self) -> str:
        return f"{self.speed:6.1f} runs/s  {self.server:6.1f} {self.database:6.1f} {self.nodes:6.1f} ms"


def main() -> None:
    """Measure every way with every number of workers and nodes; print a row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", help="the address of a PostgreSQL database, empty or MLflow's")
    parser.add_argument("--runs", type=int, default=20, help="of each node")
    parser.add_argument("--nodes", default="1,2,4")
    parser.add_argument("--workers", default="1,2,4", help="of each server")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--by-the-server", action="store_true", help="rows and files by the server alone")
    given = parser.parse_args()
    os.environ.update(quiet_environment(), MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {given.runs} runs a node")
    print("workers  rows      files   nodes                server, PostgreSQL, nodes: computing for a run")
    for workers in map(int, given.workers.split(",")):
        for in_folder in (False,) if given.by_the_server else (False, True):
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                shared = folder / "shared" if in_folder else None
                servers = []
                for number in range(given.servers):
                    (own := folder / str(number)).mkdir()
                    server = MlflowServer(own, database=given.database, workers=workers, files=shared)
                    servers.append(stack.enter_context(server))
                for database in (None,) if given.by_the_server else (None, given.database):
                    rows = "database" if database else "server"
                    files = "folder" if shared else "server"
                    for nodes in map(int, given.nodes.split(",")):
                        found = measure(servers, given.database, database, shared, nodes, given.runs)
                        print(f"{workers:7}  {rows:<8}  {files}  {nodes:5}  {found}", flush=True)


def measure(
    servers: Sequence[MlflowServer],
    address: str,
    rows: str | None,
    shared: Path | None,
    nodes: int,
    runs: int,
) -> Nodes:
    """Return what so many nodes at once do."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(nodes + 1)
    homes = tempfile.TemporaryDirectory()
    processes = [
        context.Process(
            target=write,
            args=(
                Path(homes.name) / str(number),
                servers[number % len(servers)].address,
                rows,
                shared,
                runs,
                barrier,
            ),
            daemon=True,
        )
        for number in range(nodes)
    ]
    for process in processes:
        process.start()
    barrier.wait()
    with psycopg.connect(for_libpq(address), autocommit=True) as connection:

        def computed() -> tuple[float, float, float]:
            found = connection.execute("select pid from pg_stat_activity where datname = current_database()")
            of_server = [pid for each in servers if each.process for pid in _family(each.process.pid)]
            return (
                _seconds(of_server),
                _seconds(pid for (pid,) in found),
                _seconds(process.pid or 0 for process in processes),
            )

        before, start = computed(), time.perf_counter()
        barrier.wait()  # begin
        barrier.wait()  # all have ended
        seconds = time.perf_counter() - start
        computing = [after - early for after, early in zip(computed(), before, strict=True)]
        barrier.wait()  # the connections may be closed
    for process in processes:
        process.join()
    homes.cleanup()
    return Nodes(nodes * runs / seconds, *(1000 * each / (nodes * runs) for each in computing))


def write(
    home: Path, address: str, rows: str | None, shared: Path | None, runs: int, barrier: Barrier
) -> None:
    """Be a node, which writes its runs between two meetings at the barrier."""
    launch = home / "mlruns" / "launches" / f"2026-01-01_00-00-00_{os.getpid()}"
    for run in range(runs):
        (launch / f"run-{run}" / "figures").mkdir(parents=True)
        for number in range(FILES):
            (launch / f"run-{run}" / "figures" / f"{number}.svg").write_bytes(os.urandom(BYTES))
    location = server_store(address, home, str(shared) if shared else None, rows)

    def patiently(call: Callable[[], Any]) -> Any:
        while True:
            try:
                return call()
            except Exception as error:  # an overloaded server does not answer in time
                if not backend_of(location).may_pass(error):
                    raise
                time.sleep(0.1)

    with open(os.devnull, "w") as nothing, redirect_stdout(nothing):  # MLflow prints a line for each run
        writer = MlflowWriter(open_with_database(location, patiently), Recording(launch, make=patiently))
        batches = list(journal(runs, "nodes in a folder" if shared else "nodes"))
        barrier.wait()
        barrier.wait()
        for batch in batches:
            writer.write(batch)
        writer.flush()
        barrier.wait()
        barrier.wait()


def journal(runs: int, experiment: str) -> Iterator[list[Event]]:
    """Yield the events in the batches in which a launch's journal is read."""
    dataset = DatasetInput("digits", "d" * 36, "{}", "{}", "{}")
    params = {f"group.param_{number}": str(number) for number in range(60)}
    given = {f"micrograde.tag_{number}": "a value" for number in range(20)}
    for first in range(0, runs, GROUP):
        group = list(range(first, min(first + GROUP, runs)))
        yield [RunStarted(run, 1, experiment, f"seed={run}", params, given, dataset) for run in group]
        for step in range(1, STEPS + 1):
            values = {f"metric_{number}": [run / step for run in group] for number in range(METRICS)}
            yield [StackMetricsLogged(group, step, step, values)]
        yield [RunEnded(run, STEPS, "FINISHED") for run in group]


def _family(pid: int) -> list[int]:
    """Return a process and those below it."""
    found = [pid]
    for each in found:
        for thread in Path(f"/proc/{each}/task").glob("*"):
            found += map(int, (thread / "children").read_text().split())
    return found


def _seconds(pids: Iterable[int]) -> float:
    """Return what these processes, on this machine, have computed so far."""
    total = 0
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            total += sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13]))
    return total / _TICKS


if __name__ == "__main__":
    main()
