"""Run a sweep's jobs on a Ray cluster: each is a task, whose loss is the loss of one job.

A task trains and then waits for its writer without holding a CPU, so that the next begins meanwhile. Nodes on
which numbers would differ, or that would record in a store of their own, are refused before anything runs.
"""

import os
import platform
import socket
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from micrograde.core.errors import InputError
from micrograde.core.version import VERSION
from micrograde.core.working import working
from micrograde.data.sets.frame import FrameTable
from micrograde.runs.progress import RunsWatch
from micrograde.store import StoreLocation, backend_of
from micrograde.store.temporary_folders import temporary_folder
from micrograde.sweeps.jobs import Job
from micrograde.sweeps.lost_jobs import in_short
from micrograde.sweeps.members import Answers, run_members
from micrograde.sweeps.session import SweepSession
from micrograde.tracking import WriterProcess

_ANSWER_SECONDS = 60.0  # that a node has to say what is installed on it
_POLL_SECONDS = 0.5
_QUEUED = 2  # jobs in flight for each that trains: others wait for the server, or begin in a moment
_LOOPBACK = ("//127.", "//localhost", "//[::1]")


@dataclass(frozen=True)
class RayOptions:
    """The options of ``hydra/launcher=ray``.

    Attributes
    ----------
    address
        The cluster's address; None for ``RAY_ADDRESS`` or, without it, a cluster of this machine alone.
    max_retries
        How many times a job is run again whose worker has died.
    init, remote
        Further arguments of ``ray.init`` and of ``ray.remote``.
    """

    address: str | None
    max_retries: int
    init: Mapping[str, Any]
    remote: Mapping[str, Any]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "RayOptions":
        """Return the options of a config; ``ray.init`` and ``ray.remote`` are where they used to be."""
        more = given.get("ray") or {}
        init, remote = dict(more.get("init") or {}), dict(more.get("remote") or {})
        address = init.pop("address", None)
        remote = {"num_cpus": given["num_cpus"], **remote}
        retries = remote.pop("max_retries", given["max_retries"])
        for key, value in (("num_cpus", remote["num_cpus"]), ("max_retries", retries)):
            if isinstance(value, bool) or not isinstance(value, int | float) or value < (key == "num_cpus"):
                raise InputError(f"hydra.launcher.{key}={value}: should be a number, 1 or greater")
        return cls(given["address"] or address, int(retries), init, remote)


class RayRunner:
    """Runs jobs on a Ray cluster, to which it is connected until its context ends; a ``Runner``."""

    name = "RayLauncher"

    def __init__(self, sweep: SweepSession, given: Mapping[str, Any]) -> None:
        self._sweep, self._options = sweep, RayOptions.of(given)
        self._checked, self._connection = False, ExitStack()
        self._flying: dict[Any, int] = {}  # the place of each job that has not ended

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        for ref in self._flying:  # after an interrupt
            ray.cancel(ref)
        self._connection.close()

    def check(self) -> None:
        """Connect to the cluster, once.

        Raises
        ------
        InputError
            If there is none, or a node has other versions or would record in another store.
        """
        if not self._checked:
            self._connection.enter_context(_connected(self._options))
            self._check_nodes()
            self._checked = True

    def at_once(self) -> int:
        """Return how many jobs fit on the nodes that there are now, at least 1."""
        import ray

        self.check()
        fit = ray.cluster_resources().get("CPU", 0) // self._options.remote["num_cpus"]
        return max(1, int(fit))

    def run(
        self, jobs: Sequence[tuple[str, Sequence[Job]]], watch: RunsWatch
    ) -> Iterator[tuple[int, Answers | str]]:
        """Yield the jobs as they end; see ``launching.Runner``."""
        import ray

        self.check()
        tables = self._tables(jobs)
        bell = ray.remote(num_cpus=0)(_Bell).remote()
        task = ray.remote(max_retries=self._options.max_retries, **self._options.remote)(_run_job)
        first = [0]
        for _, part in jobs:
            first.append(first[-1] + len(part))
        waiting = deque(range(len(jobs)))
        flying = self._flying
        while flying or (waiting and not self._sweep.closing.is_set()):
            while waiting and len(flying) < _QUEUED * self.at_once() and not self._sweep.closing.is_set():
                at = waiting.popleft()
                names = {data.digest for job in jobs[at][1] if (data := _table_of(job))}
                refs = [tables[name] for name in sorted(names)]
                flying[task.remote(jobs[at][0], _versions(), bell, sorted(names), *refs)] = at
                for place in range(first[at], first[at + 1]):
                    watch.began(place)
            done, _ = ray.wait(list(flying), timeout=_POLL_SECONDS)
            for ref in done:
                yield flying.pop(ref), _answers(ref)

    def _tables(self, jobs: Sequence[tuple[str, Sequence[Job]]]) -> dict[str, Any]:
        """Put the tables that Python gave into the cluster, each once; return references by digest."""
        import ray

        found = {data.digest: data for _, part in jobs for job in part if (data := _table_of(job))}
        return {name: ray.put(self._sweep.prepared.given_rows(data)) for name, data in found.items()}

    def _check_nodes(self) -> None:
        """Raise ``InputError`` if a node has other versions, or would record in another store."""
        location = self._sweep.location
        with _mark(location) as mark, working("asking the nodes what is installed there"):
            found = _ask_nodes(str(location.folder) if location else "", str(mark))
        for node, about in found.items():
            if (theirs := about["versions"]) != _versions():
                raise InputError(
                    f"hydra/launcher=ray: node {node} has {theirs}, and this machine {_versions()}: numbers "
                    "would differ; install the same on all"
                )
        if location is None:
            return
        others = [node for node, about in found.items() if not about["same_store"]]
        if others and not backend_of(location).can_be_away:
            raise InputError(
                f"tracking={self._sweep.tracking.name}: node {others[0]} would record in a store of its own; "
                "add tracking=server tracking.uri=http://HOST:5000"
            )
        address = location.tracking_uri
        hosts = {about["host"] for about in found.values()} - {socket.gethostname()}
        if hosts and any(each in address.rpartition("@")[0] + address for each in _LOOPBACK):
            raise InputError(
                f"tracking.uri: is an address of this machine alone, and node {min(hosts)} is another; "
                "give the server's name or address on the network"
            )


@contextmanager
def _mark(location: StoreLocation | None) -> Iterator[Path | str]:
    """Provide a path that only machines which share this store see; "" if nothing is recorded."""
    if location is None:
        yield ""
        return
    with temporary_folder(location.folder) as folder:
        yield folder


def _versions() -> str:
    return f"micrograde {VERSION}, Python {platform.python_version()}, NumPy {np.__version__}"


def _table_of(job: Job) -> FrameTable | None:
    data = job.config.data if job.config else None
    return data if isinstance(data, FrameTable) else None


@contextmanager
def _connected(options: RayOptions) -> Iterator[None]:
    """Connect to the cluster while the context lasts, unless this process is connected already."""
    import ray

    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own tells nobody of itself
    given = {"address": options.address, "log_to_driver": False, "logging_level": "ERROR", **options.init}
    if not (options.address or os.environ.get("RAY_ADDRESS")):
        given = {"include_dashboard": False, **given}
    try:
        with working("connecting to Ray" if options.address else "starting Ray"):
            ray.init(**given)
    except Exception as error:
        where = options.address or os.environ.get("RAY_ADDRESS") or "this machine"
        raise InputError(f"hydra/launcher=ray: no cluster at {where}: {in_short(error)}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _answers(ref: Any) -> Answers | str:
    """Return what a job that has ended answers, or in short why it does not."""
    import ray

    try:
        answers: Answers = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return in_short(error.cause if getattr(error, "cause", None) else error)
    except ray.exceptions.RayError as error:
        return f"{type(error).__name__}: {in_short(error)}".partition(". ")[0]
    return answers


def _ask_nodes(folder: str, mark: str) -> dict[str, dict[str, Any]]:
    """Return what each node that has CPUs says of itself, by its name; none of those that do not answer."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def about() -> dict[str, Any]:  # travels as it is: a node may have no micrograde, or another one
        import os
        import platform
        import socket
        from importlib import import_module

        versions, home = [], ""
        for name, module, word in (
            ("micrograde", "micrograde.core.version", "VERSION"),
            ("NumPy", "numpy", "__version__"),
        ):
            try:
                versions.append(f"{name} {getattr(import_module(module), word)}")
            except ImportError:
                versions.append(f"no {name}")
        try:
            from micrograde.core.project import project_home

            home = str(project_home() / "mlruns")
        except Exception:
            home = ""
        return {
            "versions": f"{versions[0]}, Python {platform.python_version()}, {versions[1]}",
            "host": socket.gethostname(),
            "same_store": home == folder and os.path.exists(mark),
        }

    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    ask = ray.remote(num_cpus=0, max_retries=0)(about)
    asked = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        asked[ask.options(scheduling_strategy=there).remote()] = node
    done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_SECONDS) if asked else ([], [])
    found = {}
    for ref in done:
        try:
            found[f"{asked[ref]['NodeManagerHostname']} ({asked[ref]['NodeID'][:8]})"] = ray.get(ref)
        except ray.exceptions.RayError:
            continue  # it has died meanwhile
    return found


# --- on a node -----------------------------------------------------------------------------------


class _Bell:
    """Lets a task wait for a word of its own process: a task that waits for an actor holds no CPU."""

    def __init__(self) -> None:
        import asyncio
        from collections import defaultdict

        self._rung: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def wait(self, name: str) -> None:
        """Return once ``ring`` was called with the same name."""
        await self._rung[name].wait()
        del self._rung[name]

    async def ring(self, name: str) -> None:
        """End the wait of this name."""
        self._rung[name].set()


def _run_job(text: str, versions: str, bell: Any, digests: Sequence[str], *tables: Any) -> Answers:
    """Run a job on a node; see ``run_members``."""
    if versions != _versions():  # a node that has joined later
        raise InputError(f"{socket.gethostname()} has {_versions()}, and the sweep {versions}")
    return run_members(
        text,
        # Ray ends a worker's children with it, and a writer is to end the runs of a worker that dies.
        WriterProcess(on_notice=lambda notice: None, detached=True),  # noqa: ARG005 (the answer says it)
        tables=dict(zip(digests, tables, strict=True)),
        finish=lambda close: _without_cpu(close, bell),
    )


def _without_cpu(wait: Callable[[], object], bell: Any) -> object:
    """Call a function that waits for other processes, without holding the task's CPU meanwhile."""
    import ray

    name, outcome = uuid.uuid4().hex, Future[object]()

    def work() -> None:
        try:
            outcome.set_result(wait())
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            bell.ring.remote(name)

    threading.Thread(target=work, daemon=True).start()
    with suppress(ray.exceptions.RayError):  # its node has died: the CPU is held until the end
        ray.get(bell.wait.remote(name))
    return outcome.result()
