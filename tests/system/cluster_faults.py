"""Run sweeps on a cluster in which something breaks at a random moment, and see what becomes of them.

    unshare -m python -m tests.system.cluster_faults FOLDER [--sweeps 30] [--seed 0] [--longest 60]

A head and two nodes of one CPU, each with a home of its own (a small disk, if it may be mounted), and a server,
whose store is SQLite and PostgreSQL by turns. In each sweep one fault is drawn, and its moment: a worker, a node,
the launch itself, Ray's head, the server or its database is killed or stopped for some seconds, or the disk of a node is
full. Then the part is started again, and so is the sweep, by the same command. Each fault must show that

- the sweep has ended complete, or has said exactly what is missing and ended with a status that is not 0,
- nothing is RUNNING a minute later,
- the same command then ends complete,
- no run stands twice in a mean, also when what is left on the nodes has been sent,
- all values are those of the sweep on one machine, bit for bit.

The seed is printed. A fault of a seed is the same each time, but not what it meets.
"""

import argparse
import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from benchmarks.cluster_parts import Part, RayCluster, mlflow_server, postgresql

from micrograde.store.library_environment import quiet_environment

if TYPE_CHECKING:
    from mlflow.entities import Run

RUNS = 60
SWEEP = (
    *("-m", "seed=range(20)", "optimizer.learning_rate=0.1,0.3,0.8", "training.num_epochs=15"),
    *("tracking.pictures=light", "training.diagnostics=false"),
)
AFTER = 60.0  # seconds after the end in which what is RUNNING ends
LATEST = 600.0  # seconds until a sweep that does not end is given up
_SECONDS_OF_HEAD = 8.0
SMALL_DISK = "48m"
KINDS = (
    ("worker", "killed"),
    ("worker", "stopped"),
    ("node", "killed"),
    ("node", "stopped"),
    ("head", "killed"),
    ("head", "stopped"),
    ("launch", "killed"),
    ("launch", "stopped"),
    ("server", "killed"),
    ("server", "stopped"),
    ("database", "killed"),
    ("database", "stopped"),
    ("disk", "full"),
)
FINISHED = re.compile(r"^finished +(\d+) of (\d+) runs(.*)$", re.MULTILINE)

Values = dict[str, list[tuple[str, int, float]]]
"""All values of each run, by the run's name."""


class WrongError(Exception):
    """What a sweep owes and has not done."""


@dataclass(frozen=True)
class Fault:
    """What breaks, how, when and for how long, in seconds; ``node`` is one of the nodes' places."""

    what: str
    how: str
    moment: float
    lasts: float
    node: int

    def __str__(self) -> str:
        which = f" {'ab'[self.node]}" if self.what in ("worker", "node", "disk") else ""
        return f"{self.what}{which} {self.how} after {self.moment:.1f} s for {self.lasts:.1f} s"


@dataclass
class Launched:
    """A launch of the sweep: its process, and what it has said."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the status and what it has said."""
        try:
            text, _ = self.process.communicate(timeout=LATEST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            text, _ = self.process.communicate()
            raise WrongError(f"the sweep has not ended after {LATEST:.0f} s; it said:\n{text}") from None
        return self.process.returncode, text


class Laboratory:
    """The cluster, its server and database, and the homes."""

    def __init__(self, folder: Path, cluster: RayCluster, server: Part, address: str, database: Part | None):
        self.folder, self.cluster, self.server, self.address = folder, cluster, server, address
        self.database = database
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        os.environ.update(quiet_environment())
        from mlflow import MlflowClient

        self.client: MlflowClient = MlflowClient(address)

    def environment(self, home: Path) -> dict[str, str]:
        return {
            **os.environ,
            "MICROGRADE_HOME": str(home),
            "MICROGRADE_QUIET": "1",
            "RAY_AUTH_MODE": "disabled",
        }

    def launch(self, name: str) -> Launched:
        """Begin the sweep."""
        where = ["hydra/launcher=ray", f"hydra.launcher.address={self.cluster.address}"]
        where += ["tracking=server", f"tracking.uri={self.address}", f"experiment_name={name}"]
        words = ["train", *SWEEP, *where, "sweep.runs_per_job=10"]
        return Launched(
            subprocess.Popen(
                [sys.executable, "-m", "micrograde", *words],
                cwd=self.home,
                env=self.environment(self.home),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )

    def sync(self, home: Path) -> str:
        """Send what is left in a home; return what was said."""
        done = subprocess.run(
            [sys.executable, "-m", "micrograde", "sync"],
            cwd=home,
            env=self.environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise WrongError(
                f"sync in {home.name} has ended with {done.returncode}: {done.stdout}{done.stderr}"
            )
        return done.stdout

    # --- faults ----------------------------------------------------------------------------------

    def breaks(self, fault: Fault, launched: Launched) -> Callable[[], object]:
        """Break something; return what mends it."""
        if fault.what == "launch":
            own = psutil.Process(launched.process.pid)
            tree = [own, *own.children(recursive=True)]
            return _hurt(tree, fault.how, lambda: None)
        if fault.what == "disk":
            return _fill(self.cluster.nodes[fault.node].folder)
        if fault.what == "worker":
            part = self.cluster.nodes[fault.node]
            return _hurt(_workers(part), fault.how, lambda: None)
        if fault.what == "head":
            return self._breaks_head(fault)
        part = self.cluster.nodes[fault.node]
        if fault.what != "node":
            of_store = self.server if fault.what == "server" else self.database
            assert of_store
            part = of_store
        if fault.how == "killed":
            part.kill()
            return part.start
        part.stop()

        def mend() -> None:
            part.go_on()
            if fault.what == "node":  # the head may have given it up meanwhile: it then ends itself
                time.sleep(3)
            part.start()

        return mend

    def _breaks_head(self, fault: Fault) -> Callable[[], object]:
        """Break the head; return what starts it again, with the nodes, which end themselves without it."""
        head, nodes = self.cluster.head, self.cluster.nodes
        if fault.how == "stopped":
            head.stop()

            def go_on() -> None:
                head.go_on()
                time.sleep(_SECONDS_OF_HEAD)  # it may have given nodes up meanwhile: these end themselves
                for part in (head, *nodes):
                    part.start()

            return go_on
        head.kill()

        def start() -> None:
            for node in nodes:  # a new head does not know them
                node.kill()
            for part in (head, *nodes):
                part.start()

        return start

    # --- what the store says ---------------------------------------------------------------------

    def runs(self, name: str) -> "list[Run]":
        """All runs of an experiment, as the server has them."""
        experiment = self.client.get_experiment_by_name(name)
        found: list[Run] = []
        token = None
        while experiment:
            page = self.client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
            found += page
            token = page.token
            if not token:
                break
        return found


def _workers(part: Part) -> list[psutil.Process]:
    """The processes that train on a node, or would in a moment; waits for one for ten seconds."""
    for _ in range(100):
        found = []
        for each in part.processes():
            with suppress(psutil.Error):
                if " ".join(each.cmdline()).startswith("ray::run_job"):
                    found.append(each)
        if found:
            return found
        time.sleep(0.1)
    return []


def _hurt(processes: list[psutil.Process], how: str, then: Callable[[], object]) -> Callable[[], object]:
    """Kill or stop processes; return what mends that."""
    for each in processes:
        with suppress(psutil.Error):
            each.suspend()
    if how == "stopped":

        def go_on() -> None:
            for each in processes:
                with suppress(psutil.Error):
                    each.resume()
            then()

        return go_on
    for each in processes:
        with suppress(psutil.Error):
            each.kill()
    return then


def _fill(folder: Path) -> Callable[[], object]:
    """Fill a disk until nothing fits; return what frees it again."""
    path = folder / "fill"
    with path.open("ab", buffering=0) as file, suppress(OSError):
        size = 2**20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    return lambda: path.unlink(missing_ok=True)


# --- what must be true ---------------------------------------------------------------------------


def check_end(status: int, said: str, fault: Fault) -> None:
    """What a launch that was hurt has said must be the truth."""
    if fault.what == "launch" and fault.how == "killed":
        return
    if "Traceback" in said:
        raise WrongError(f"it shows a traceback:\n{said}")
    found = FINISHED.search(said)
    if found is None:
        if status == 0:
            raise WrongError(f"status 0, and nothing said of what has finished:\n{said}")
        lines = [line for line in said.splitlines() if line.strip()]
        if not lines:
            raise WrongError(f"status {status} without a word")
        return
    done, total, more = int(found[1]), int(found[2]), found[3]
    if total != RUNS:
        raise WrongError(f"{total} is not what was asked for:\n{said}")
    if (status == 0) != (done == RUNS):
        raise WrongError(f"status {status} with {done} of {RUNS} runs:\n{said}")
    counted = sum(map(int, re.findall(r"(\d+) (?:trained|lost|not run|FAILED)", more)))
    if done + counted != RUNS:
        raise WrongError(f"{RUNS - done - counted} runs are not accounted for:\n{said}")


def states(runs: "list[Run]") -> Counter[str]:
    """How many runs there are of each state; what is superseded counts apart."""
    return Counter(
        ("sweep " if "micrograde.sweep_digest" in run.data.tags else "")
        + run.info.status
        + (" superseded" if run.data.tags.get("micrograde.superseded") else "")
        for run in runs
    )


def check_rest(laboratory: Laboratory, name: str, *, sweep_too: bool) -> None:
    """Nothing may be RUNNING a minute after the end."""
    deadline = time.monotonic() + AFTER
    while True:
        found = states(laboratory.runs(name))
        running = {each: count for each, count in found.items() if "RUNNING" in each}
        if not sweep_too:
            running.pop("sweep RUNNING", None)
        if not running:
            return
        if time.monotonic() > deadline:
            raise WrongError(f"a minute after the end there are {running} of {dict(found)}")
        time.sleep(1)


def values_of(server: str, runs: "list[Run]") -> Values:
    """All values of runs, as the server has them: a request for each metric."""
    found: Values = {run.info.run_name: [] for run in runs}
    names = {run.info.run_id: run.info.run_name for run in runs}
    for metric in sorted({key for run in runs for key in run.data.metrics}):
        words = [*(("run_id", run) for run in names), ("metric_key", metric), ("max_results", "25000")]
        address = f"{server}/ajax-api/2.0/mlflow/metrics/get-history-bulk?{urllib.parse.urlencode(words)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            for point in json.load(answer).get("metrics", ()):
                where = found[names[point["run_id"]]]
                where.append((metric, int(point.get("step", 0)), float(point["value"])))
    return {name: sorted(points) for name, points in found.items()}


def check_complete(laboratory: Laboratory, name: str, reference: Values) -> str:
    """All runs are there once, with the values of the sweep on one machine; return what else there is."""
    runs = laboratory.runs(name)
    found = states(runs)
    if found["FINISHED"] != RUNS or found["sweep FINISHED"] != 1:
        raise WrongError(f"the server has {dict(found)}")
    (sweep,) = (run for run in runs if "micrograde.sweep_digest" in run.data.tags)
    count = [run for run in runs if run is not sweep and not run.data.tags.get("micrograde.superseded")]
    if {run.data.tags["mlflow.parentRunId"] for run in count} != {sweep.info.run_id}:
        raise WrongError("runs have other parents")
    if sorted(run.info.run_name for run in count) != sorted(reference):
        raise WrongError(f"{len(count)} runs with {len({run.info.run_name for run in count})} names count")
    table = laboratory.client.download_artifacts(sweep.info.run_id, "over_seeds.csv")
    with Path(table).open(newline="", encoding="utf-8") as file:
        counted = [int(row["count"]) for row in csv.DictReader(file)]
    if counted != [RUNS // 3] * 3:
        raise WrongError(f"the means are of {counted} runs")
    got = values_of(laboratory.address, count)
    wrong = [each for each in reference if got[each] != reference[each]]
    if wrong:
        mine, theirs = Counter(reference[wrong[0]]), Counter(got[wrong[0]])
        raise WrongError(
            f"{len(wrong)} runs have other values; of {wrong[0]} {(mine - theirs).total()} are missing and "
            f"{(theirs - mine).total()} are others"
        )
    return ", ".join(f"{count} {state}" for state, count in sorted(found.items()) if state != "FINISHED")


# --- a sweep with a fault ------------------------------------------------------------------------


def check(laboratory: Laboratory, name: str, fault: Fault, reference: Values) -> str:
    """One sweep with one fault; return what there is to say of it."""
    began = time.monotonic()
    launched = laboratory.launch(name)
    mended = threading.Event()
    troubles: list[BaseException] = []

    def hurt() -> None:
        try:
            time.sleep(fault.moment)
            mend = laboratory.breaks(fault, launched)
            time.sleep(fault.lasts)
            mend()
        except BaseException as error:  # the harness's own, told below
            troubles.append(error)
        finally:
            mended.set()

    threading.Thread(target=hurt, daemon=True).start()
    status, said = launched.end()
    (laboratory.folder / f"{name}.log").write_text(said)
    took = time.monotonic() - began
    late = took < fault.moment
    mended.wait()
    if troubles:
        raise troubles[0]
    check_end(status, said, fault)
    summary = FINISHED.search(said)
    first = f"status {status}, {' '.join(summary[0].split())}" if summary else f"status {status}"
    if not summary and said.strip():
        first += f", {said.strip().splitlines()[-1]}"
    killed = fault.what == "launch" and fault.how == "killed"
    check_rest(laboratory, name, sweep_too=not killed)
    status, said = laboratory.launch(name).end()
    if status:
        raise WrongError(f"the same command has ended with {status} (first {first}):\n{said}")
    check_end(0, said, Fault("again", "", 0, 0, 0))
    check_rest(laboratory, name, sweep_too=True)
    check_complete(laboratory, name, reference)
    for home in (laboratory.home, *(node.folder for node in laboratory.cluster.nodes)):
        laboratory.sync(home)
    rest = check_complete(laboratory, name, reference)
    left = [
        str(path.relative_to(laboratory.folder))
        for home in (laboratory.home, *(node.folder for node in laboratory.cluster.nodes))
        for path in (home / "mlruns" / "launches").glob("*")
    ]
    if left:
        raise WrongError(f"left behind: {', '.join(left)}")
    return f"{'the sweep was faster: ' * late}{took:.0f} s, {first}; in the end {rest}"


def draw(chance: random.Random, kinds: list[tuple[str, str]], whole: float, longest: float) -> Fault:
    """A fault, and a moment of a sweep that takes so many seconds."""
    what, how = kinds.pop()
    shortest = min(5.0, longest / 3)
    return Fault(
        what, how, chance.uniform(0, 0.9 * whole), chance.uniform(shortest, longest), chance.randrange(2)
    )


@contextmanager
def laboratories(folder: Path, names: tuple[str, ...]) -> Iterator[Mapping[str, Laboratory]]:
    """The cluster, with a server for each store: SQLite, PostgreSQL."""
    with ExitStack() as stack:
        cluster = RayCluster(folder)
        stack.callback(cluster.end)
        for node in cluster.nodes:
            node.folder.mkdir()
            if os.geteuid() == 0:
                disk = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(node.folder)]
                subprocess.run(disk, check=True)
        found = {}
        for name in names:
            database, store = None, f"sqlite:///{folder}/server.db"
            if name == "PostgreSQL":
                database, store = stack.enter_context(postgresql(folder / "postgresql.log"))
            server, address = mlflow_server(folder / f"server-{name}", store)
            stack.callback(server.kill)
            server.begin()
            found[name] = (server, address, database)
        cluster.head.start()
        for node in cluster.nodes:  # one after the other: Ray's names of sockets collide
            node.start()
        for server, _, _ in found.values():
            server.wait()
        yield {
            name: Laboratory(folder, cluster, server, address, database)
            for name, (server, address, database) in found.items()
        }


def local_sweep(folder: Path) -> Values:
    """The values of the same sweep on one machine."""
    from micrograde.analysis import load_history, load_runs
    from micrograde.store import local_store

    home = folder / "alone"
    home.mkdir()
    words = ["train", *SWEEP, "experiment_name=alone"]
    environment = {**os.environ, "MICROGRADE_HOME": str(home), "MICROGRADE_QUIET": "1"}
    subprocess.run(
        [sys.executable, "-m", "micrograde", *words],
        cwd=home,
        env=environment,
        check=True,
        capture_output=True,
    )
    address = local_store(home).tracking_uri
    runs = load_runs(address, sweep="latest", experiment_name="alone")
    history = load_history(address, run_ids=list(runs["run_id"]))
    names = dict(zip(runs["run_id"], map(str, runs["run_name"]), strict=True))
    found = {
        names[str(run_id)]: sorted(zip(part["metric"], part["step"], part["value"], strict=True))
        for run_id, part in history.groupby("run_id", observed=True)
    }
    assert len(found) == RUNS
    return found


def can_mount(folder: Path) -> bool:
    """Whether a node's home may be a disk of its own."""
    if os.geteuid():
        return False
    place = folder / "mounted"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True, check=False)
    if mount.returncode == 0:
        subprocess.run(["umount", str(place)], check=True)
    return mount.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sweeps", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--longest", type=float, default=60.0, help="seconds that something is gone, at most")
    parser.add_argument("--only", default="", help="of the faults those that have this in their names")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the cluster ends with this process
    folder = arguments.folder.resolve()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    chance = random.Random(seed)
    print(f"seed {seed}", flush=True)
    mountable = can_mount(folder)
    possible = [each for each in KINDS if arguments.only in " ".join(each)]
    if not mountable:
        print("not tried: a disk that is full, as nothing may be mounted here", flush=True)
        possible = [each for each in possible if each[0] != "disk"]
    reference = local_sweep(folder)
    stores = ("SQLite", "PostgreSQL")
    good = 0
    kinds: list[tuple[str, str]] = []
    with laboratories(folder, stores) as found:
        start = time.monotonic()
        status, said = found["SQLite"].launch("undisturbed").end()
        whole = time.monotonic() - start
        if status:
            print(said)
            return 1
        check_complete(found["SQLite"], "undisturbed", reference)
        print(f"undisturbed {whole:.1f} s", flush=True)
        for number in range(arguments.sweeps):
            if not kinds:
                kinds = chance.sample(possible, len(possible))
            database = kinds[-1][0] == "database"
            store = stores[1] if database else stores[number % 2]
            fault = draw(chance, kinds, whole, arguments.longest)
            began = time.monotonic()
            try:
                outcome = check(found[store], f"fault-{number}", fault, reference)
                good += 1
            except WrongError as error:
                outcome = f"WRONG: {error}"
            print(
                f"{number}: {store}, {fault}: {outcome} ({time.monotonic() - began:.0f} s in all)", flush=True
            )
    print(f"{good} of {arguments.sweeps} sweeps came through", flush=True)
    return int(good < arguments.sweeps)


if __name__ == "__main__":
    sys.exit(main())
