"""Write events to one of MLflow's stores, so that writing a journal again leaves the store unchanged.

A run is identified by the tag ``micrograde.origin``: the launch's folder and the run's number in it. Before
creating a run that may exist already, the writer searches for it. Writing the same params, points, tags, data
sets and files again has no effect.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from micrograde.core.full_disk import why_disk_is_full
from micrograde.store import tags
from micrograde.store.errors import BatchLostError, StoreAwayError
from micrograde.store.event_writer import EventWriter, Recording
from micrograde.store.events import (
    DatasetInput,
    Event,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
)
from micrograde.store.experiments import Experiments
from micrograde.store.logged_model import log_model, register_model
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.mlmodel import write_mlmodel
from micrograde.store.sql_writer import Param, Point, by_run

if TYPE_CHECKING:
    from mlflow.entities import Run, RunInfo

    from micrograde.store.entities import RunInfoRow, RunRow

_FLUSH_SECONDS = 2.0  # at least, between two writes of the values of runs that go on
_FLUSH_SHARE = 10  # these writes take at most about one tenth of the time
_POINTS = 50_000  # values that wait to be written, at most
_ENDED_TOGETHER = 500  # runs, at most, whose files are put on the disk at once
_DIGEST_LENGTH = 36  # characters of a digest that MLflow's column has
_SCHEMA_LENGTH = 1_048_575  # characters of a schema that MLflow takes; some 100,000 columns have more


class MlflowWriter(EventWriter):
    """Writes events to one of MLflow's stores; metrics are collected and written together.

    They are written before a run ends, and every few seconds so that running runs can be watched; less often
    if the store is slow.
    """

    def __init__(self, store: MlflowStore, recording: Recording) -> None:
        super().__init__(recording)
        self._store, self._client, self._make = store, store.client, store.make
        self._turns = store.turns
        self._experiments = Experiments(store)
        self.run_ids: dict[int, tuple[str, str]] = {}  # run: (run id, experiment id)
        self._infos: dict[str, RunInfo | RunInfoRow] = {}
        self._found: dict[str, dict[str, list[Run | RunRow]]] = {}  # experiment id: origin: runs
        self._perhaps_twice: set[int] = set()
        self._taken_over: set[int] = set()
        self._registered: dict[int, str] = {}
        self._params: list[Param] = []
        self._points: list[Point] = []
        self._ended: deque[RunEnded] = deque()
        self._of_sweeps: dict[int, tuple[str, str]] = {}  # run: (id of its sweep, digest of its config)
        self._with_reason: set[int] = set()  # runs of which the journal says why they ended
        self._next_flush = 0.0

    def write(self, events: Sequence[Event]) -> None:
        """Write these events, if any, in turns; and the metrics that wait, if it is time for that."""
        if any(isinstance(event, ModelLogged) and event.registered_name for event in events):
            self._store.get_ready_to_register()
        waiting = deque(events)
        while waiting:
            with self._turns:
                super().write([waiting.popleft()])
                while waiting and not self._turns.is_over:
                    super().write([waiting.popleft()])
                self._end_runs()
        if (self._params or self._points) and time.monotonic() >= self._next_flush:
            self.flush()

    def flush(self) -> None:
        """Write the params and metrics that wait."""
        start = time.monotonic()
        with self._turns:
            self._write_rows()
        now = time.monotonic()
        self._next_flush = now + max(_FLUSH_SECONDS, _FLUSH_SHARE * (now - start))

    def recorded(self) -> list[dict[str, object]]:
        """Return the ids of the runs, in the form of ``RunIds``."""
        return [
            {
                "run": run,
                "run_id": run_id,
                "experiment_id": experiment_id,
                "registered": self._registered.get(run),
            }
            for run, (run_id, experiment_id) in self.run_ids.items()
        ]

    def give_up(self, reason: str) -> None:
        """After an error, mark the runs that have not ended as FAILED, without writing what still waits."""
        with self._turns:
            for run in sorted(self.running):
                with suppress(Exception):  # of this one; the error that is told came first
                    self.fail(run, reason)

    def fail(self, run: int, reason: str) -> None:
        """End a run as FAILED, without anything that waits."""
        run_id, _ = self.run_ids[run]
        self._client.set_tag(run_id, tags.REASON, reason)
        self._client.set_terminated(run_id, "FAILED")

    def is_gone(self, run: int) -> bool:
        """Return whether the run was deleted, or removed for good."""
        if run not in self.run_ids:
            return False
        run_id, _ = self.run_ids[run]
        try:
            found = self._make(lambda: self._client.get_run(run_id))
        except Exception as error:
            if _is_missing(error):
                return True
            raise
        return bool(found.info.lifecycle_stage == "deleted")

    def named(self, run: int) -> str:
        """Return ``run`` and its id."""
        return f"run {self.run_ids[run][0]}"

    # --- one event -------------------------------------------------------------------------------

    def start(self, event: RunStarted) -> None:
        """Create the run, or find it if an earlier writer has created it."""
        experiment_id = self._experiments.id_of(event.experiment_name)
        run = self._find(event.run, experiment_id) if self.recording.again else None
        if run is None:
            run = self._make(partial(self._create, event, experiment_id))
        run_id = run.info.run_id
        self._know(event.run, run)
        if event.run in self._taken_over:
            return
        if not self.recording.has_finished(run.info.status, run.data.tags):
            self.running.add(event.run)
        sweep, digest = run.data.tags.get(tags.PARENT), event.tags.get(tags.CONFIG_DIGEST)
        if sweep and digest:
            self._of_sweeps[event.run] = (sweep, digest)
        self._store.check_run(run.info)  # before anything more is written for the run
        self._params += [Param(run_id, *param) for param in event.params.items()]
        if event.dataset:
            dataset = _as_mlflow_takes(event.dataset)
            self._make(lambda: self._store.log_dataset(run_id, dataset))

    def _create(self, event: RunStarted, experiment_id: str) -> "Run | RunRow":
        """Create the run, unless an earlier attempt created it and only the answer was lost."""
        if event.run in self._perhaps_twice:
            made = self._store.runs_of(experiment_id, self.recording.origin(event.run))
            if made:
                return made[0]
        parent = None if event.parent is None else self.run_ids[event.parent][0]
        given = self.recording.tags_of(event, parent)
        try:
            run: Run | RunRow = self._client.create_run(experiment_id, event.time, given, event.run_name)
            return run
        except Exception:
            self._perhaps_twice.add(event.run)
            raise

    def adopt(self, event: RunAdopted) -> None:
        """Know a run of the store by its number here; it is RUNNING again if it goes on."""
        run = self._make(lambda: self._client.get_run(event.run_id))
        self._know(event.run, run)
        if not event.goes_on or event.run in self._taken_over:
            return
        if self.recording.has_finished(run.info.status, run.data.tags):
            return
        self.running.add(event.run)
        self._forget_reason(run)
        # Before the tags: they would say of a run that finished earlier that this launch has finished it.
        self._make(lambda: self._client.update_run(event.run_id, status="RUNNING"))
        self.set_tags(event.run, self.recording.tags_of_adopted(run.data.tags))

    def set_tags(self, run: int, given: Mapping[str, str]) -> None:
        """Set tags on a run."""
        if run in self._taken_over or not given:
            return
        if tags.REASON in given:
            self._with_reason.add(run)
        run_id, _ = self.run_ids[run]
        self._make(lambda: self._store.set_tags(run_id, given))

    def log(self, runs: Sequence[int], time: int, step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Keep the values until they are written together."""
        ids = [None if run in self._taken_over else self.run_ids[run][0] for run in runs]
        for key, of_runs in values.items():
            self._points += [
                Point(run_id, key, value, time, step)
                for run_id, value in zip(ids, of_runs, strict=True)
                if run_id is not None
            ]
        if len(self._points) >= _POINTS:
            self._write_rows()

    # --- rows and ends, written together ---------------------------------------------------------

    def _write_rows(self) -> None:
        params, self._params = self._params, []
        points, self._points = self._points, []
        if not (params or points):
            return
        try:
            self._store.write_rows(params, points)
        except (StoreAwayError, BatchLostError):
            raise
        except Exception as error:
            if why_disk_is_full(error):
                raise
            numbers = {run_id: number for number, (run_id, _) in self.run_ids.items()}
            for run_id, rows in by_run(params, points).items():
                with self.apart((numbers[run_id],)):
                    self._store.write_rows(*rows)

    def _end_runs(self) -> None:
        """End the runs whose end was read, after writing the rows that wait, so that no value is missing.

        The files of all that end together are moved, and put on the disk, before the first of them has
        ended: a run that has is whole.
        """
        if not self._ended:
            return
        self._write_rows()
        while self._ended:
            together: list[RunEnded] = []
            while self._ended and len(together) < _ENDED_TOGETHER and not (together and self._turns.is_over):
                together.append(self._ended.popleft())
                with self.apart((together[-1].run,)):
                    self._keep_files(together[-1])
            self._store.keep_durable()
            if self.recording.is_late():
                self._supersede_repeated(together)
            for event in together:
                with self.apart((event.run,)):
                    self._end(event)
            self._turns.pass_on()

    def _supersede_repeated(self, ended: Sequence[RunEnded]) -> None:
        """Mark runs that are about to end, and that their sweep has FINISHED by another launch meanwhile."""
        ending: dict[tuple[str, str], list[int]] = {}  # (experiment id, id of the sweep): runs
        for run in (event.run for event in ended):
            if run in self._of_sweeps and run not in self._taken_over | self.left_out.keys():
                ending.setdefault((self.run_ids[run][1], self._of_sweeps[run][0]), []).append(run)
        own = {run_id for run_id, _ in self.run_ids.values()}
        for (experiment_id, sweep), runs in ending.items():
            found = self._make(partial(self._store.finished_runs_of, experiment_id, sweep))
            there = {
                each.data.tags.get(tags.CONFIG_DIGEST)
                for each in found
                if each.info.run_id not in own and tags.SUPERSEDED not in each.data.tags
            }
            for run in runs:
                if self._of_sweeps[run][1] in there:
                    with self.apart((run,)):
                        self.set_tags(run, {tags.SUPERSEDED: "true"})

    def _keep_files(self, event: RunEnded) -> None:
        if event.run in self._taken_over or event.run in self.left_out:
            return
        run_id, _ = self.run_ids[event.run]
        folder = self.recording.files(event.run)
        if event.model and (folder / "model").exists():  # else its files were stored before
            write_mlmodel(folder / "model", event.model, run_id)
        self._store.keep_files(folder, self._infos[run_id])

    def _end(self, event: RunEnded) -> None:
        if event.run in self._taken_over or event.run in self.left_out:
            self.running.discard(event.run)
            return
        run_id, experiment_id = self.run_ids[event.run]
        self._make(lambda: self._client.set_terminated(run_id, event.status, event.time))
        if event.status == "FINISHED" and self.recording.is_late() and event.run not in self._with_reason:
            # While its journal was away it may have been taken for dead.
            self._forget_reason(self._make(lambda: self._client.get_run(run_id)))
        if event.run in self._perhaps_twice:
            found = self._make(lambda: self._store.runs_of(experiment_id, self.recording.origin(event.run)))
            for other in found:
                if other.info.run_id != run_id:
                    self._make(partial(self._client.delete_run, other.info.run_id))
        self.running.discard(event.run)

    def end(self, event: RunEnded) -> None:
        """Take note of the end; runs that end together are ended together."""
        self._ended.append(event)

    def log_model(self, event: ModelLogged) -> None:
        """Make the run's model one of MLflow's logged models, and register it."""
        self._end_runs()
        if event.run in self._taken_over:
            return
        run_id, _ = self.run_ids[event.run]
        source, name = event.source_run_id or run_id, event.registered_name
        model_id = log_model(self._store, source, shown_with=run_id)
        if name and model_id:
            version = register_model(self._store, source, model_id, name)
            self._registered[event.run] = f"{name} version {version}"

    # --- runs that exist already -----------------------------------------------------------------

    def _know(self, number: int, run: "Run | RunRow") -> None:
        self.run_ids[number] = (run.info.run_id, run.info.experiment_id)
        self._infos[run.info.run_id] = run.info
        if self.recording.is_taken_over(run.data.tags):
            self._taken_over.add(number)

    def _find(self, number: int, experiment_id: str) -> "Run | RunRow | None":
        """Return the run if an earlier attempt to write the journal has created it, else None."""
        if experiment_id not in self._found:
            of_launch: dict[str, list[Run | RunRow]] = {}
            pattern = f"{self.recording.folder.name}-%"
            for run in self._make(lambda: self._store.runs_of(experiment_id, pattern)):
                of_launch.setdefault(run.data.tags[tags.ORIGIN], []).append(run)
            self._found[experiment_id] = of_launch
        found = self._found[experiment_id].get(self.recording.origin(number), [])
        if not found:
            return None
        if len(found) > 1:
            self._perhaps_twice.add(number)
        run = max(found, key=lambda each: len(each.data.metrics))
        if run.data.tags.get(tags.LAUNCH) == self.recording.folder.name:
            self._forget_reason(run)  # if the reason still holds, the journal gives it again
        return run

    def _forget_reason(self, run: "Run | RunRow") -> None:
        def forget() -> None:
            try:
                self._client.delete_tag(run.info.run_id, tags.REASON)
            except Exception as error:
                if not _is_missing(error):  # a previous try has deleted it, and its answer was lost
                    raise

        if tags.REASON in run.data.tags:
            self._make(forget)


def _as_mlflow_takes(dataset: DatasetInput) -> DatasetInput:
    schema = dataset.schema if len(dataset.schema) <= _SCHEMA_LENGTH else "{}"
    return replace(dataset, digest=dataset.digest[:_DIGEST_LENGTH], schema=schema)


def _is_missing(error: Exception) -> bool:
    """Return whether an error of MLflow's client, or of ``SqlClient``, says that something is not there."""
    return getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST"
