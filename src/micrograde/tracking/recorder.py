"""The training process's side of recording: it appends to a journal and never imports MLflow.

A second process, the writer, carries the journal into the store meanwhile (``writer.py``). Importing
MLflow takes longer than training on digits does; and because the writer outlives this process, a run
that dies is closed, and a store that cannot be reached costs no results: the journal stays.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from micrograde.errors import RunFailedError
from micrograde.tracking.claim import Claim
from micrograde.tracking.events import (
    AnswerAwaited,
    DatasetInput,
    Event,
    LaunchEnded,
    MetricsLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    Status,
    TagsSet,
    to_json_line,
)
from micrograde.tracking.store import (
    StoreLocation,
    make_launch_folder,
    quiet_environment,
    without_password,
)


class TrackingError(RunFailedError):
    """Runs could not be recorded; the message says why, and where the journal with everything is kept."""


@dataclass(frozen=True)
class RecordedRun:
    """A run as the store knows it; ``run`` is its number within the launch."""

    run: int
    run_id: str
    experiment_id: str


class RunRecorder(Protocol):
    """What the experiment tells of its runs."""

    def start_run(
        self,
        *,
        experiment_name: str,
        run_name: str,
        params: Mapping[str, str],
        tags: Mapping[str, str],
        dataset: DatasetInput | None = None,
        parent: int | None = None,
    ) -> int:
        """A run begins, under the run number ``parent``; its number, by which the other methods know it."""

    def adopt_run(self, run_id: str) -> int:
        """A run that the store has already goes on; its number."""

    def run_folder(self, run: int) -> Path | None:
        """What is in this folder when the run ends is kept with it; None where nothing is kept."""

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Values measured at a step."""

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Values of several runs at a step: each metric's in the order of ``runs``."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """More that is known of a run."""

    def end_run(self, run: int, status: Status) -> None:
        """A run is over."""

    def wait(self) -> tuple[RecordedRun, ...]:
        """Wait until everything told so far is in the store."""

    def close(self) -> tuple[RecordedRun, ...]:
        """As ``wait``, and nothing more will come."""


class NullRecorder:
    """Records nothing (``tracking=disabled``)."""

    def __init__(self) -> None:
        self._numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None: ...

    def start_run(self, **description: object) -> int:  # noqa: ARG002
        """Numbers all the same, for whoever tells runs apart by them."""
        return next(self._numbers)

    def adopt_run(self, run_id: str) -> int:  # noqa: ARG002
        """There is none."""
        return next(self._numbers)

    def run_folder(self, run: int) -> None:  # noqa: ARG002
        """Nothing is kept."""
        return

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Forget them."""

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Forget them."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """Forget them."""

    def end_run(self, run: int, status: Status) -> None:
        """Forget it."""

    def wait(self) -> tuple[RecordedRun, ...]:
        """Nothing has been recorded."""
        return ()

    def close(self) -> tuple[RecordedRun, ...]:
        """Nothing has been recorded."""
        return ()


class WriterProcess:
    """A writer that has been started and imports MLflow until it is given a launch to record.

    It touches no store before that, and one that is never given a launch goes without a trace.
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            # -P: a file of the working directory is not taken for a library.
            [sys.executable, "-P", "-m", "micrograde.tracking.writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the writer keeps a log in the launch's folder
            env=quiet_environment(),
            text=True,
            start_new_session=True,  # Ctrl-C is for the training process; the writer closes the run
        )

    def assign(self, folder: Path, location: StoreLocation, claim: Claim | None = None) -> None:
        """Have it record the launch whose journal is in ``folder``, if ``claim`` still holds by then."""
        assert self.process.stdin is not None
        # By the pipe, not the command line: an address may hold a password, and ps shows command lines.
        launch = {
            "folder": str(folder),
            "tracking_uri": location.tracking_uri,
            "artifact_root": str(location.artifact_root) if location.artifact_root else None,
            "script": sys.argv[0],
            "claim": claim.as_json() if claim else None,
        }
        with suppress(BrokenPipeError):  # it has died; ``wait`` says so, when the run is over
            self.process.stdin.write(json.dumps(launch) + "\n")
            self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What it says when the journal awaits an answer: ``runs``, or an ``error``."""
        assert self.process.stdout is not None
        return self._understood(self.process.stdout.readline())

    def last_answer(self) -> dict[str, Any]:
        """What it says when it is done."""
        answer, _ = self.process.communicate()
        return self._understood(answer)

    def _understood(self, answer: str) -> dict[str, Any]:
        if not answer:
            return {"error": f"the writer process died with status {self.process.wait()}"}
        outcome: dict[str, Any] = json.loads(answer)
        return outcome

    def discard(self) -> None:
        """It is not needed any more; one that records a launch goes on by itself until that is done."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()


class Recorder:
    """Records the runs of one launch, in a folder of its own until the store has them.

    A context manager: runs that have not ended when an exception passes are ended as KILLED
    (Ctrl-C) or FAILED, and everything told so far is recorded.

    Parameters
    ----------
    writer
        One that was started earlier, to save time; by default one is started now.
    claim
        What the launch has to itself; nothing is recorded if another launch has taken it over.
    """

    def __init__(
        self, location: StoreLocation, writer: WriterProcess | None = None, claim: Claim | None = None
    ) -> None:
        self._folder = make_launch_folder(location)
        self._journal = (self._folder / "journal.jsonl").open("a", encoding="utf-8")
        if claim:
            claim.mark(self._folder)
        self._writer = writer or WriterProcess()
        self._writer.assign(self._folder, location, claim)
        self._running: set[int] = set()
        self._count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._journal.closed:
            status: Status = "FAILED" if isinstance(error, Exception) else "KILLED"
            for run in sorted(self._running):
                self.end_run(run, status)
            self.close()

    def start_run(
        self,
        *,
        experiment_name: str,
        run_name: str,
        params: Mapping[str, str],
        tags: Mapping[str, str],
        dataset: DatasetInput | None = None,
        parent: int | None = None,
    ) -> int:
        """A run begins, under the run number ``parent``; its number within the launch."""
        run = self._next_run()
        started = RunStarted(
            run,
            _now(),
            experiment_name,
            without_password(run_name),
            _without_passwords(params),
            _without_passwords(tags),
            replace(dataset, source=without_password(dataset.source)) if dataset else None,
            parent,
        )
        self._append(started)
        return run

    def adopt_run(self, run_id: str) -> int:
        """A run that the store has already goes on; its number within the launch."""
        run = self._next_run()
        self._append(RunAdopted(run, run_id))
        return run

    def run_folder(self, run: int) -> Path:
        """Where the run's files wait for its end."""
        return self._folder / f"run-{run}"

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Values measured at a step."""
        self._append(MetricsLogged(run, _now(), step, values))

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Values of several runs at a step: each metric's in the order of ``runs``."""
        self._append(StackMetricsLogged(runs, _now(), step, values))

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """More that is known of a run."""
        self._append(TagsSet(run, _without_passwords(tags)))

    def end_run(self, run: int, status: Status) -> None:
        """A run is over, and its folder complete."""
        self._append(RunEnded(run, _now(), status))
        self._running.discard(run)

    def wait(self) -> tuple[RecordedRun, ...]:
        """Wait until the store has everything told so far; the runs' ids.

        Raises
        ------
        TrackingError
            If the writer could not do its work; the launch's folder is then kept.
        """
        self._append(AnswerAwaited())
        return self._recorded(self._writer.answer())

    def close(self) -> tuple[RecordedRun, ...]:
        """As ``wait``, and nothing more will come."""
        self._append(LaunchEnded())
        self._journal.close()
        return self._recorded(self._writer.last_answer())

    def _recorded(self, outcome: dict[str, Any]) -> tuple[RecordedRun, ...]:
        if "error" in outcome:
            self._journal.close()
            raise TrackingError(
                f"the run could not be recorded: {outcome['error']}; "
                f"what happened in it is kept in {self._folder}"
            )
        return tuple(RecordedRun(**run) for run in outcome["runs"])

    def _next_run(self) -> int:
        with self._lock:
            run, self._count = self._count, self._count + 1
            self._running.add(run)
        self.run_folder(run).mkdir()
        return run

    def _append(self, event: Event) -> None:
        """Write the event so that it survives this process."""
        with self._lock:  # stacks may train in several threads
            self._journal.write(to_json_line(event) + "\n")
            self._journal.flush()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _without_passwords(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: without_password(text) for key, text in texts.items()}
