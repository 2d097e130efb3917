"""The writer process from the side of the training process, which starts it and receives its answers."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from micrograde.core.terminal import print_notice
from micrograde.core.waiting import LIMIT, PATIENCE, process_of
from micrograde.store.backends import backend_of
from micrograde.store.errors import TrackingError
from micrograde.store.library_environment import quiet_environment
from micrograde.store.location import StoreLocation
from micrograde.tracking.environment import environment_tag

SERVER_PATIENCE = 15.0
"""Seconds that a launch waits at its end for a store that is away."""
LOCAL_PATIENCE = 90.0
"""Seconds for a local store that another program keeps locked; MLflow itself waits 20 seconds in each try."""
_POLL_SECONDS = 0.2

Outcome = dict[str, Any]
"""A writer's answer: ``runs``, and after a failure ``error``, ``pending``, ``disk_full`` or ``died``."""


class WriterProcess:
    """A writer process, which waits to be assigned a launch to record.

    It opens no store before that; one that is never assigned a launch leaves no traces.

    Parameters
    ----------
    on_notice
        Called, from a thread, with each line for the user: the store is away, or back.
    detached
        Whether it is to be no child of this process, so that what ends a worker together with its children,
        as Ray does, leaves it: it then ends the worker's runs.
    ahead
        Whether the launch is not known yet, so that it imports meanwhile what the project's own store needs.
    """

    def __init__(
        self,
        on_notice: Callable[[str], None] = print_notice,
        *,
        detached: bool = False,
        ahead: bool = False,
    ) -> None:
        words = ["detached"] * detached + ["ahead"] * ahead
        # With MLflow's own retries the user would not hear for minutes that a server is unavailable.
        environment = {**quiet_environment(), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        self.process = subprocess.Popen(
            # -P: modules are not imported from the working directory.
            [sys.executable, "-P", "-m", "micrograde.tracking.writer", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the writer keeps a log in the launch's folder
            env=environment,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the training process; the writer closes the run
        )
        self._on_notice = on_notice
        self.on_death: Callable[[WriterProcess], object] = lambda _: None
        """Called, from a thread, if the writer dies while its launch goes on."""
        self._said: Queue[Outcome | None] = Queue()  # None: it will say nothing more
        self._away_since: float | None = None
        self._trouble = ""
        self._patience = SERVER_PATIENCE
        self._assigned = self._is_last = self._told_stopped = False

    def assign(
        self,
        folder: Path,
        location: StoreLocation,
        *,
        late: bool = False,
        again: bool = False,
        server_patience: float = SERVER_PATIENCE,
    ) -> None:
        """Make the writer record the launch in ``folder``.

        Parameters
        ----------
        late
            Whether the launch has ended or died.
        again
            Whether another writer may have written a part of it.
        server_patience
            How many seconds it waits at the end for a server that is away.
        """
        self._assigned = True
        self._patience = server_patience if backend_of(location).can_be_away else LOCAL_PATIENCE
        # Through the pipe, as an address may contain a password, and ps shows command lines.
        launch = {
            "folder": str(folder),
            "tracking_uri": location.tracking_uri,
            "artifact_root": str(location.artifact_root) if location.artifact_root else None,
            "artifacts": location.artifacts,
            "rows": location.rows,
            "patience": self._patience,
            "late": late,
            "again": again,
            # Asked here, where NumPy and its BLAS are at work: the writer imports neither.
            "environment": "" if late else environment_tag(),
        }
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has died; ``answer`` says so
            self.process.stdin.write(json.dumps(launch).encode() + b"\n")
        threading.Thread(target=self._listen, daemon=True).start()

    def answer(self, number: int) -> Outcome:
        """Wait for the answer to an ``AnswerAwaited`` of the journal, by its number from 1; return it.

        If the store is unavailable, the wait is limited as at the end of a launch.
        """
        start = since = last_looked = time.monotonic()
        while True:
            away = self._away_since
            if away is not None and time.monotonic() > max(start, away) + self._patience:
                return {"runs": [], "pending": self._trouble}
            try:
                said = self._said.get(timeout=_POLL_SECONDS)
            except Empty:
                if time.monotonic() > last_looked + PATIENCE:
                    since = self._check_that_it_is_not_stopped(since)
                    last_looked = time.monotonic()
                continue
            if said is None:
                return self._died()
            if said.get("awaited", number) >= number:
                return said

    def last_answer(self) -> Outcome:
        """Tell the writer that nothing more will come; return its answer when it has finished."""
        self.discard()
        last: Outcome | None = None
        since = time.monotonic()
        while True:
            try:
                said = self._said.get(timeout=PATIENCE)
            except Empty:
                since = self._check_that_it_is_not_stopped(since)
                continue
            if said is None:
                break
            last = said
        self.process.wait()
        return last if last is not None and "awaited" not in last else self._died()

    def _check_that_it_is_not_stopped(self, since: float) -> float:
        """Say that the writer is stopped, and give up after 30 seconds; return since when it is, or now."""
        about = process_of(self.process.pid)
        if about is None or not about.stopped:
            self._told_stopped = False
            return time.monotonic()
        if not self._told_stopped:
            self._told_stopped = True
            self._on_notice(f"what writes to the store, {about}")
        if time.monotonic() - since > LIMIT:
            raise TrackingError(f"what writes to the store, {about}; it then records what is waiting")
        return since

    def discard(self) -> None:
        """End the writer if it has no launch; otherwise it goes on by itself until the launch is recorded."""
        if not self._assigned:  # else it would first finish importing MLflow
            self.process.kill()
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()

    def _listen(self) -> None:
        """Receive the writer's answers and notices until it ends."""
        assert self.process.stdout is not None
        rest = b""
        # Not with a buffered reader, whose lock a thread would still hold when this process ends.
        while read := os.read(self.process.stdout.fileno(), 65536):
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                with suppress(
                    Exception
                ):  # a line that is none, or cannot be shown; the launch waits for the next
                    self._take(json.loads(line))
        if not self._is_last and self.process.stdin and not self.process.stdin.closed:
            with suppress(Exception):  # no other can be started; who asks for the answer is told
                self.on_death(self)
        self._said.put(None)

    def _take(self, said: Outcome) -> None:
        if "notice" not in said:
            self._is_last = "awaited" not in said
            self._said.put(said)
            return
        self._trouble = said["notice"].partition(";")[0]
        self._away_since = time.monotonic() if said["away"] else None
        self._on_notice(said["notice"])

    def _died(self) -> Outcome:
        return {"runs": [], "died": f"the writer process died with status {self.process.wait()}"}
