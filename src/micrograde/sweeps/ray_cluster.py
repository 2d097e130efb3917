"""Run a sweep's jobs on a Ray cluster: each is a task, whose loss is the loss of one job.

A task trains and then waits for its writer without holding a CPU, so that the next begins meanwhile. Nodes on
which numbers would differ, or that would record in a store of their own, are refused before anything runs.
"""

import time
from collections import Counter, deque
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

from micrograde.config.schema import TrainConfig
from micrograde.core.working import working
from micrograde.data import Dataset
from micrograde.data.sets.frame import FrameTable
from micrograde.runs.live_run import STOPPED
from micrograde.runs.progress import RunsWatch, print_line
from micrograde.runs.train import PreparedSets
from micrograde.sweeps.jobs import Job
from micrograde.sweeps.lost_jobs import failed_job, in_short
from micrograde.sweeps.members import Answers
from micrograde.sweeps.ray_bell import Bell, Progress
from micrograde.sweeps.ray_connection import RayOptions, connected
from micrograde.sweeps.ray_head import Head, check_connected
from micrograde.sweeps.ray_node import run_job, versions
from micrograde.sweeps.ray_nodes import check_nodes
from micrograde.sweeps.ray_waiting import Waiting
from micrograde.sweeps.session import SweepSession

_STOP_SECONDS = 20.0  # that jobs which are stopped have to record that
_POLL_SECONDS = 0.5
_BELL_SECONDS = 5.0
_QUEUED = 2  # jobs in flight for each that trains: others wait for the server, or begin in a moment


class RayRunner:
    """Runs jobs on a Ray cluster, to which it is connected until its context ends; a ``Runner``."""

    name, follows_epochs = "RayLauncher", True

    def __init__(self, sweep: SweepSession, given: Mapping[str, Any]) -> None:
        self._sweep, self._options = sweep, RayOptions.of(given)
        self._checked, self._connection = False, ExitStack()
        self._flying: dict[Any, int] = {}  # the place of each job that has not ended
        self._begun: dict[int, Progress] = {}  # how far those are that have begun, by their places
        self._over = 0  # epochs of the jobs that have ended
        self._bell: Any = None
        self._closed = False

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
            If there is none, or a node has other versions or cannot record in the sweep's store.
        """
        if not self._checked:
            self._connection.enter_context(connected(self._options))
            check_nodes(self._sweep.location, self._sweep.tracking.name)
            self._checked = True

    def at_once(self) -> int:
        """Return how many jobs fit on the nodes that there are now, at least 1."""
        import ray

        self.check()
        return self._fit(ray.cluster_resources().get("CPU", 0))

    def run(
        self, jobs: Sequence[tuple[str, Sequence[Job]]], watch: RunsWatch
    ) -> Iterator[tuple[int, Answers | str]]:
        """Yield the jobs as they end; see ``launching.Runner``."""
        import ray

        self.check()
        key_of = self._sweep.prepared.rows_key
        composed = [job.config for _, part in jobs for job in part if job.config]
        rows = {key: ray.put(each) for key, each in travelling_rows(self._sweep.prepared, composed).items()}
        self._bell = ray.remote(num_cpus=0, max_restarts=-1)(Bell).remote()
        task = ray.remote(max_retries=self._options.max_retries, **self._options.remote)(run_job)
        first = [0]
        for _, part in jobs:
            first.append(first[-1] + len(part))
        waiting = deque(range(len(jobs)))
        flying = self._flying
        idle = Waiting(self._options.needs(), print_line)
        with Head() as head:
            while flying or waiting:
                done: list[Any] = []
                with _noticing_a_cut(head):
                    check_connected()
                    if self._sweep.closing.is_set():
                        waiting.clear()
                        self._close()
                    while waiting and len(flying) < _QUEUED * self._fit(head.cpus):
                        at = waiting.popleft()
                        configs = [job.config for job in jobs[at][1] if job.config]
                        keys = [key for key in dict.fromkeys(map(key_of, configs)) if key in rows]
                        refs = [rows[key] for key in keys]
                        given = (at, jobs[at][0], versions(), self._bell, keys, *refs)
                        flying[task.remote(*given)] = at
                    done = ray.wait(list(flying), timeout=_POLL_SECONDS)[0] if flying else []
                    self._tell(watch, first, done)
                for ref in done:
                    yield flying.pop(ref), _answers(ref)
                if flying and not self._closed:
                    idle.look(head.nodes, begun=not self._begun.keys().isdisjoint(flying.values()))
                if head.is_gone:
                    waiting.clear()
                    watch.follow(0, self._over)
                    while flying:
                        yield flying.popitem()[1], head.lost()
                    self._connection.close()

    def stop(self) -> Iterator[tuple[int, Answers | str]]:
        """Stop the jobs that have begun, and yield what they answer; see ``launching.Runner``."""
        import ray

        self._close()
        for ref in self._flying:
            ray.cancel(ref)
        deadline = time.monotonic() + _STOP_SECONDS
        with working("stopping the jobs"):
            while self._flying and time.monotonic() < deadline:
                for ref in ray.wait(list(self._flying), timeout=_POLL_SECONDS)[0]:
                    answers = _answers(ref)
                    yield self._flying.pop(ref), STOPPED if isinstance(answers, str) else answers
        while self._flying:
            yield self._flying.popitem()[1], STOPPED

    def _tell(self, watch: RunsWatch, first: Sequence[int], done: Collection[Any]) -> None:
        """Tell the watch which runs have begun, and how far jobs are but for those that are done.

        Of a job that is done all epochs count, also where a run has stopped early; ``first`` are the places
        of the jobs' first runs.
        """
        for at in self._newly_begun().intersection(self._flying.values()):
            watch.began(range(first[at], first[at + 1]))
        for at in (self._flying[ref] for ref in done):
            self._over += sum(watch.num_epochs[first[at] : first[at + 1]])
        told = [self._begun.get(at, (0, 0)) for ref, at in self._flying.items() if ref not in done]
        watch.follow(sum(ended for ended, _ in told), self._over + sum(epochs for _, epochs in told))

    def _newly_begun(self, *, close: bool = False) -> set[int]:
        """Return the places of the jobs that have begun since the last call; see ``Bell.begun``."""
        import ray

        before = set(self._begun)
        with suppress(ray.exceptions.RayError):  # it is asked again in a moment
            self._begun |= ray.get(self._bell.begun.remote(close=close), timeout=_BELL_SECONDS)
        return self._begun.keys() - before

    def _close(self) -> None:
        """Cancel the jobs that have not begun."""
        import ray

        if self._closed:
            return
        self._newly_begun(close=True)
        self._closed = True
        for ref in [ref for ref, at in self._flying.items() if at not in self._begun]:
            ray.cancel(ref)
            del self._flying[ref]

    def _fit(self, cpus: float) -> int:
        """Return how many jobs fit on so many CPUs, at least 1."""
        return max(1, int(cpus // self._options.remote["num_cpus"]))


@contextmanager
def _noticing_a_cut(head: Head) -> Iterator[None]:
    """Tell the head that Ray Client's connection is cut, if that is so."""
    try:
        yield
    except ConnectionError:
        head.note_cut()


def travelling_rows(prepared: PreparedSets, configs: Sequence[TrainConfig]) -> dict[Hashable, Dataset]:
    """Return the rows of data sets that go to the cluster, by their keys.

    Nodes need not have the user's tables. A data set that several runs share travels, too: to make it again
    takes an import of scikit-learn in each job. One of a single run is made where that is.
    """
    runs_of = Counter(map(prepared.rows_key, configs))
    found: dict[Hashable, Dataset] = {}
    for config in configs:
        key = prepared.rows_key(config)
        users = isinstance(config.data, FrameTable) or config.data.paths()
        if key not in found and (users or runs_of[key] > 1):
            found[key] = prepared.rows_of(config)
    return found


def _answers(ref: Any) -> Answers | str:
    """Return what a job that has ended answers, or in short why its runs are lost."""
    import ray

    try:
        answers: Answers = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return failed_job(error.cause if getattr(error, "cause", None) else error)
    except (ray.exceptions.RayError, ConnectionError) as error:
        return failed_job(f"{type(error).__name__}: {in_short(error)}".partition(". ")[0])
    return answers
