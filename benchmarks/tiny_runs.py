"""Measure how many tiny runs a second a sweep on a Ray cluster records in PostgreSQL.

    python -m benchmarks.tiny_runs [--runs 1000] [--rows server] [--files server] [--workers 2]

Ray with two nodes of one CPU, `mlflow server` and PostgreSQL are started here, and share the cores of this
machine with the command. Runs a second are given twice: of the whole command, with the start of Python and
the report; and from the start of the first run to the end of the last. What is computed for a run depends
little on what else goes on: in the command, with its writer; in the nodes, with Ray and their writers; in the
server; and in PostgreSQL.
"""

import argparse
import ctypes
import os
import resource
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import psycopg

from benchmarks.cluster import timed
from benchmarks.cluster_parts import Part, postgresql, started_cluster, started_server
from micrograde.store.postgresql_batch import for_libpq

TINY = ("data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=3")
_SECONDS_BETWEEN_LOOKS = 1.0
_DRAWING = "graphviz-pure"
_ORPHANS_ARE_MINE = 36  # PR_SET_CHILD_SUBREAPER: what a writer has computed is not lost with its parent
_ENDED = """
    select count(*), min(start_time), max(end_time) from runs where status = 'FINISHED'
    and experiment_id = (select experiment_id from experiments where name = %s)
    and run_uuid in (select run_uuid from tags where key = 'mlflow.parentRunId')
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes of the server")
    parser.add_argument("--rows", choices=["database", "server"], default="database")
    parser.add_argument("--files", choices=["folder", "server"], default="folder")
    parser.add_argument("--said", action="store_true", help="print what the command says")
    parser.add_argument("words", nargs="*", help="more of the command, such as training.num_epochs=30")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # with all that was started
    ctypes.CDLL(None).prctl(_ORPHANS_ARE_MINE, 1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tiny-")))
        home, shared = folder / "home", folder / "shared"
        home.mkdir()
        database, store = stack.enter_context(postgresql(folder / "postgresql.log"))
        files = shared if given.files == "folder" else None
        server, address = started_server(stack, folder / "server", store, given.workers, files)
        cluster = started_cluster(stack, folder)
        words = ["hydra/launcher=ray", f"hydra.launcher.address={cluster.address}"]
        words += ["tracking=server", f"tracking.uri={address}"]
        if given.rows == "database":
            words.append(f"tracking.database={store}")
        if files:
            words.append(f"tracking.artifacts={files}")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {given.runs} runs", flush=True)
        for number in range(given.rounds):
            name = f"round-{number}"
            what = ["-m", f"seed=range({given.runs})", *TINY, *given.words, f"experiment_name={name}"]
            with Computed(server, database) as computed:
                took = timed(home, *what, *words)
            with psycopg.connect(for_libpq(store)) as connection:
                found = connection.execute(_ENDED, [name]).fetchone()
            assert found is not None
            count, first, last = found
            assert count == given.runs, f"{count} of {given.runs} runs are in the database"
            each = [1000 * seconds / count for seconds in computed.seconds()]
            print(
                f"whole command {took.seconds:.1f} s, {count / took.seconds:.1f} runs/s; first run to last "
                f"{(last - first) / 1000:.1f} s, {1000 * count / (last - first):.1f} runs/s; computed for a "
                f"run: command {each[0]:.1f} ms, nodes {each[1]:.1f}, server {each[2]:.1f}, "
                f"PostgreSQL {each[3]:.1f}, all {sum(each):.1f}",
                flush=True,
            )
            if given.said:
                print(took.said, flush=True)


class Computed:
    """The seconds that the parts of the cluster have computed, while the context lasts.

    Each process is looked at once a second, a worker of Ray's with the drawing programs that it has waited
    for: workers end with the command, when what they have computed is not to be seen any more.
    """

    def __init__(self, server: Part, database: Part) -> None:
        self._parts = (server, database)
        self._before: dict[int, float] = {}
        self._latest: dict[int, tuple[int, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Computed":
        self._command = self._ended_children()
        self._look_once()
        self._before = {pid: seconds for pid, (_, seconds) in self._latest.items()}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._command = self._ended_children() - self._command

    def seconds(self) -> list[float]:
        """Return those of the command with its writer, of the nodes, the server and the database."""
        found = [self._command, 0.0, 0.0, 0.0]
        for pid, (part, seconds) in self._latest.items():
            if part:
                found[part] += seconds - self._before.get(pid, 0.0)
        return found

    def _look(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            self._look_once()

    def _look_once(self) -> None:
        of_parts = [{each.pid for each in part.processes()} for part in self._parts]
        here = psutil.Process()
        commands = set()
        for each in here.children():
            with suppress(psutil.Error):  # it has just ended
                if "micrograde" in each.cmdline():
                    commands.add(each.pid)
        for process in here.children(recursive=True):
            with suppress(psutil.Error):
                parent = process.parent()
                if (
                    process.name() == _DRAWING
                    or process.pid in commands
                    or (parent and parent.pid in commands)
                ):
                    continue  # counted when they have ended, by who waits for them
                part = next((at for at, pids in enumerate(of_parts, 2) if process.pid in pids), 1)
                spent = process.cpu_times()
                drawn = spent.children_user + spent.children_system
                own = spent.user + spent.system
                self._latest[process.pid] = (part, own + drawn * process.name().startswith("ray::"))

    def _ended_children(self) -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime


if __name__ == "__main__":
    main()
