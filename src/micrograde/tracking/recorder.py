"""Record runs in the training process: it appends to a journal and never imports MLflow.

Meanwhile a second process, the writer, writes the journal to the store (``writer.py``). Importing MLflow
takes longer than training on digits. As the writer outlives this process, it ends the runs of a process that
dies; and if the store cannot be reached no results are lost, as the journal is kept.
"""

import errno
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from micrograde.core.clock import EARLIEST, Clock
from micrograde.core.errors import InputError
from micrograde.core.full_disk import (
    allow_larger_files,
    release_reserve,
    say_full,
    what_to_do,
    why_disk_is_full,
)
from micrograde.core.interrupts import uninterrupted
from micrograde.core.project import command_line
from micrograde.core.redaction import redacted, without_password
from micrograde.core.terminal import print_notice
from micrograde.store.backends import backend_of
from micrograde.store.errors import DiskFullError, StoreAwayError, TrackingError
from micrograde.store.given_tables import note_use_elsewhere
from micrograde.store.location import StoreLocation
from micrograde.store.mlmodel import ModelDescription
from micrograde.store.path_kinds import check_writable
from micrograde.store.tags import REASON
from micrograde.tracking.claim import Claim
from micrograde.tracking.events import (
    AnswerAwaited,
    DatasetInput,
    Event,
    LaunchEnded,
    MetricsLogged,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    Status,
    StepMetricsLogged,
    TagsSet,
)
from micrograde.tracking.journal import JOURNAL, Journal
from micrograde.tracking.launches import begin_launch
from micrograde.tracking.run_recorder import RunIds
from micrograde.tracking.writer_process import SERVER_PATIENCE, Outcome, WriterProcess

_LONGEST_REASON = 1000  # characters of an error
_MOST_RESTARTS = 3  # of the writer


class Recorder:
    """Records the runs of one launch, in the launch's own folder until the store has them.

    A context manager: if it is left by an exception, runs that have not ended are ended as KILLED (Ctrl-C)
    or FAILED, and everything logged so far is recorded.

    Parameters
    ----------
    writer
        A writer process that was started earlier, to save time; by default one is started now.
    claim
        The launch's claim, if any; nothing is recorded if another launch has taken it over.
    server_patience
        How many seconds it waits at its end for a server that is away.

    Attributes
    ----------
    kept
        The folder that keeps what is not in the store yet, and why; None while nothing is known of such.
    """

    def __init__(
        self,
        location: StoreLocation,
        writer: WriterProcess | None = None,
        claim: Claim | None = None,
        *,
        server_patience: float = SERVER_PATIENCE,
    ) -> None:
        self.kept: tuple[Path, str] | None = None
        check_writable(location.folder)
        backend_of(location).mend(location)
        try:
            self._folder, self._hold = begin_launch(location, sys.argv[0], claim)
            self._journal = Journal(self._folder / JOURNAL)
        except OSError as error:
            limited = f"; {allow_larger_files()}" if error.errno == errno.EFBIG else ""
            raise InputError(
                f"{location.folder}: cannot be written to ({error.strerror}){limited}"
            ) from error
        self._location = location
        self._clock = Clock()
        self._writer = writer or WriterProcess()
        self._server_patience = server_patience
        self._writer.on_death = self._replace
        self._writer.assign(self._folder, location, server_patience=server_patience)
        self._restarts = _MOST_RESTARTS
        self._of_writer = threading.RLock()
        self._running: set[int] = set()
        self._count = self._awaited = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal.closed:
            return
        full = why_disk_is_full(error)
        if full:
            self._end_on_full_disk(full, error)
        status: Status = "FAILED" if isinstance(error, Exception) else "KILLED"
        reason = self._why_unfinished(error)
        for run in sorted(self._running):
            if reason:
                self.set_tags(run, {REASON: reason})
            self.end_run(run, status)
        self.close()

    def _why_unfinished(self, error: BaseException | None) -> str:
        """Return in a line why runs end that have not finished; empty if no error says so."""
        if not self._journal.is_there:
            return "the folder of its launch was deleted while it went on"
        if isinstance(error, KeyboardInterrupt):
            return "stopped with Ctrl-C"
        if isinstance(error, SystemExit) and not isinstance(error.code, str):
            return "its process was told to end"
        return " ".join((str(error) or type(error).__name__).split())[:_LONGEST_REASON] if error else ""

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
        """Begin a run, nested under the run number ``parent`` if given; return its number in the launch."""
        with uninterrupted():
            run = self._next_run()
            started = RunStarted(
                run,
                self._clock.now(),
                experiment_name,
                without_password(run_name),
                redacted(params),
                redacted(tags),
                replace(dataset, source=without_password(dataset.source)) if dataset else None,
                parent,
            )
            note_use_elsewhere(self._location, params)
            self._append(started)
        return run

    def adopt_run(self, run_id: str, *, goes_on: bool = True) -> int:
        """Continue a run that is already in the store; return its number in the launch.

        It becomes RUNNING again, and the reason for its earlier end is deleted. With ``goes_on=False`` it
        does not run again, and only tags, files and a status can be added.
        """
        with uninterrupted():
            run = self._next_run()
            if not goes_on:
                self._running.discard(run)
            self._append(RunAdopted(run, run_id, goes_on))
        return run

    @property
    def running(self) -> frozenset[int]:
        """The numbers of the runs that have begun and have not ended."""
        with self._lock:
            return frozenset(self._running)

    def run_folder(self, run: int) -> Path:
        """Return the folder for the run's files, which go to the store when the run ends."""
        return self._folder / f"run-{run}"

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Log the values of metrics at a step."""
        self._append(MetricsLogged(run, self._clock.now(), step, values))

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Log the values of several runs at a step; those of each metric are in the order of ``runs``."""
        self._append(StackMetricsLogged(runs, self._clock.now(), step, values))

    def log_steps(
        self, runs: Sequence[int], steps: Sequence[int], values: Mapping[str, Sequence[Sequence[float]]]
    ) -> None:
        """Log the values of several runs at several steps; those of each metric are a list for each step."""
        self._append(StepMetricsLogged(runs, self._clock.now(), steps, values))

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """Set tags on a run; passwords in them are hidden."""
        self._append(TagsSet(run, redacted(tags)))

    def end_run(
        self, run: int, status: Status, model: ModelDescription | None = None, time: int | None = None
    ) -> None:
        """End a run, whose files must all be in its folder by now.

        Parameters
        ----------
        model
            The description of the model in the run's folder ``model``, if there is one.
        time
            When the run ended, in milliseconds since 1970; by default now.
        """
        with uninterrupted():
            ended = RunEnded(run, self._clock.now() if time is None else max(time, EARLIEST), status, model)
            self._journal.append_end(ended, self.run_folder(run))
            self._running.discard(run)

    def log_model(
        self, run: int, *, source_run_id: str | None = None, registered_name: str | None = None
    ) -> None:
        """Make the model of an ended run one of MLflow's logged models; see ``ModelLogged``."""
        self._append_ends()
        self._append(ModelLogged(run, source_run_id, registered_name))

    def wait(self) -> tuple[RunIds, ...]:
        """Wait until the store has everything logged so far; return the runs' ids.

        Raises
        ------
        StoreAwayError
            If the store has been unavailable for some time.
        TrackingError
            If the writer failed; the launch's folder is then kept.
        """
        self._append_ends()
        self._append(AnswerAwaited())
        self._awaited += 1
        outcome = self._outcome(lambda writer: writer.answer(self._awaited))
        if "pending" in outcome:
            raise StoreAwayError(f"{outcome['pending']}; {self._how_to_send()}")
        return self._recorded(outcome)

    def close(self) -> tuple[RunIds, ...]:
        """End the launch; otherwise as ``wait``.

        If the store is unavailable, no error is raised: the user is told how to send the records later, and
        only the ids that are known by then are returned.
        """
        self._append_ends()
        self._append(LaunchEnded())
        return self._finish()

    def _finish(self) -> tuple[RunIds, ...]:
        self._journal.close()
        outcome = self._outcome(WriterProcess.last_answer)
        self._hold.release()
        for line in outcome.get("lines", ()):
            print_notice(line)
        if "pending" in outcome:
            self.kept = (self._folder, outcome["pending"])
            print_notice(f"{outcome['pending']}; {self._how_to_send()}")
        return self._recorded(outcome)

    def _append_ends(self) -> None:
        """Append the ends of runs that wait for the disk.

        Raises
        ------
        TrackingError
            If somebody has deleted the launch's folder.
        """
        with suppress(FileNotFoundError):
            self._journal.append_ends()
        if not self._journal.is_there:
            self._journal.close()
            self._writer.discard()
            self._hold.release()
            raise TrackingError(
                f"{self._folder}: was deleted while its launch went on; what the store does not have is lost"
            )

    def _outcome(self, ask: Callable[[WriterProcess], Outcome]) -> Outcome:
        """Return the answer of the writer, or of the one that takes its place if it has died."""
        while True:
            writer = self._writer
            outcome = ask(writer)
            if "died" not in outcome or not self._replace(writer):
                return outcome

    def _replace(self, dead: WriterProcess) -> bool:
        """Start another writer on the whole journal in place of one that died; False after some times.

        The thread that listens to the writer calls this, too, so that the store does not stand still until
        the launch waits for it.
        """
        with self._of_writer:
            if self._writer is not dead:
                return True
            if not self._restarts or not self._folder.exists():
                return False
            self._restarts -= 1
            writer = WriterProcess()
            writer.on_death = self._replace
            patience = self._server_patience
            writer.assign(self._folder, self._location, again=True, server_patience=patience)
            self._writer = writer
            return True

    def _recorded(self, outcome: Outcome) -> tuple[RunIds, ...]:
        reason = outcome.get("error") or outcome.get("died") or outcome.get("disk_full")
        if reason and self._folder.exists():
            self.kept = (self._folder, str(reason))
        if reason or "disk_full" in outcome:
            self._journal.close()
            self._hold.release()
        if "disk_full" in outcome:
            raise DiskFullError(self._full_disk(outcome["disk_full"]))
        if reason:
            raise TrackingError(
                f"the run could not be recorded: {reason}; what happened in it is kept in {self._folder}; "
                f"once that is mended, send it with: {command_line('sync')}"
            )
        return tuple(RunIds(**run) for run in outcome["runs"])

    def _end_on_full_disk(self, full: str, error: BaseException | None) -> None:
        """End the running runs, using the reserved disk space; then always raise ``DiskFullError``."""
        release_reserve(self._folder, "launch")
        with suppress(OSError):
            self._journal.append_ends(are_on_disk=True)
            for run in sorted(self._running):
                self._journal.append(TagsSet(run, {REASON: say_full(full)}))
                self._journal.append(RunEnded(run, self._clock.now(), "FAILED"))
            self._journal.append(LaunchEnded())
        with suppress(TrackingError):
            self._finish()
        raise DiskFullError(self._full_disk(full)) from error

    def _full_disk(self, full: str) -> str:
        kept = (
            f", and send what is kept in {self._folder} with: {command_line('sync')}"
            if self._folder.exists()
            else ""
        )
        return f"{say_full(full)}; {what_to_do(full)}{kept}; what was recorded until then is intact"

    def _how_to_send(self) -> str:
        return f"what happened is kept in {self._folder}; send it with: {command_line('sync')}"

    def _next_run(self) -> int:
        with self._lock:
            run, self._count = self._count, self._count + 1
            self._running.add(run)
        try:
            self.run_folder(run).mkdir()
        except FileNotFoundError:
            self._append_ends()  # raises that the launch's folder was deleted
            raise
        return run

    def _append(self, event: Event) -> None:
        """Write the event so that it survives this process; stacks may call this from several threads."""
        self._journal.append(event)
