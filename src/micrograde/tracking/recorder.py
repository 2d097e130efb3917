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
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from micrograde.errors import RunFailedError
from micrograde.tracking.events import (
    DatasetInput,
    Event,
    LaunchEnded,
    MetricsLogged,
    RunEnded,
    RunStarted,
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
        dataset: DatasetInput,
    ) -> int:
        """A run begins; its number, by which the other methods know it."""

    def run_folder(self, run: int) -> Path | None:
        """What is in this folder when the run ends is kept with it; None where nothing is kept."""

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Values measured at a step."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """More that is known of a run."""

    def end_run(self, run: int, status: Status) -> None:
        """A run is over."""

    def close(self) -> tuple[RecordedRun, ...]:
        """Wait until everything is in the store."""


class NullRecorder:
    """Records nothing (``tracking=disabled``)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None: ...

    def start_run(self, **description: object) -> int:  # noqa: ARG002
        """Every run is number 0: nobody asks."""
        return 0

    def run_folder(self, run: int) -> None:  # noqa: ARG002
        """Nothing is kept."""
        return

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Forget them."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """Forget them."""

    def end_run(self, run: int, status: Status) -> None:
        """Forget it."""

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

    def assign(self, folder: Path, location: StoreLocation) -> None:
        """Have it record the launch whose journal is in ``folder``."""
        assert self.process.stdin is not None
        # By the pipe, not the command line: an address may hold a password, and ps shows command lines.
        launch = {
            "folder": str(folder),
            "tracking_uri": location.tracking_uri,
            "artifact_root": str(location.artifact_root) if location.artifact_root else None,
            "script": sys.argv[0],
        }
        with suppress(BrokenPipeError):  # it has died; ``wait`` says so, when the run is over
            self.process.stdin.write(json.dumps(launch) + "\n")
            self.process.stdin.flush()

    def wait(self) -> dict[str, Any]:
        """Its answer, when it is done: ``runs``, or an ``error``."""
        answer, _ = self.process.communicate()
        if not answer:
            return {"error": f"the writer process died with status {self.process.returncode}"}
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
    """

    def __init__(self, location: StoreLocation, writer: WriterProcess | None = None) -> None:
        self._folder = make_launch_folder(location)
        self._journal = (self._folder / "journal.jsonl").open("a", encoding="utf-8")
        self._writer = writer or WriterProcess()
        self._writer.assign(self._folder, location)
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
        dataset: DatasetInput,
    ) -> int:
        """A run begins; its number within the launch."""
        with self._lock:
            run, self._count = self._count, self._count + 1
        self.run_folder(run).mkdir()
        started = RunStarted(
            run,
            _now(),
            experiment_name,
            without_password(run_name),
            _without_passwords(params),
            _without_passwords(tags),
            replace(dataset, source=without_password(dataset.source)),
        )
        self._append(started)
        self._running.add(run)
        return run

    def run_folder(self, run: int) -> Path:
        """Where the run's files wait for its end."""
        return self._folder / f"run-{run}"

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Values measured at a step."""
        self._append(MetricsLogged(run, _now(), step, values))

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """More that is known of a run."""
        self._append(TagsSet(run, _without_passwords(tags)))

    def end_run(self, run: int, status: Status) -> None:
        """A run is over, and its folder complete."""
        self._append(RunEnded(run, _now(), status))
        self._running.discard(run)

    def close(self) -> tuple[RecordedRun, ...]:
        """Wait until the store has everything; the runs' ids.

        Raises
        ------
        TrackingError
            If the writer could not do its work; the launch's folder is then kept.
        """
        self._append(LaunchEnded())
        self._journal.close()
        outcome = self._writer.wait()
        if "error" in outcome:
            raise TrackingError(
                f"the run could not be recorded: {outcome['error']}; "
                f"what happened in it is kept in {self._folder}"
            )
        return tuple(RecordedRun(**run) for run in outcome["runs"])

    def _append(self, event: Event) -> None:
        """Write the event so that it survives this process."""
        with self._lock:  # stacks may train in several threads
            self._journal.write(to_json_line(event) + "\n")
            self._journal.flush()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _without_passwords(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: without_password(text) for key, text in texts.items()}
