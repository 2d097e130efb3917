"""The writer process: carries a launch's journal into the MLflow store while the launch goes on.

    python -m micrograde.tracking.writer

It imports MLflow, then reads one line from standard input: a JSON object with the launch's ``folder``
and the store's ``tracking_uri`` and ``artifact_root``. It follows ``journal.jsonl`` in the folder until
the journal says that the launch has ended, or until standard input closes, which means that the launch
died: what it had begun is then ended as KILLED. When the journal awaits an answer, and at the end, it writes
a JSON object on a line of standard output: the runs' ids, or the error. When the store has everything, the
folder is removed; after an error it is kept, with ``writer.log`` and ``provenance.json``, what the journal
does not say of the code that made the runs.
"""

import gc
import hashlib
import json
import os
import re
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde import tags
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
    from_json_line,
)
from micrograde.tracking.provenance import provenance_tags
from micrograde.tracking.rows import Param, Point, write_through_client, write_to_sqlite
from micrograde.tracking.store import (
    StoreLocation,
    checkout,
    make_store,
    store_lock,
    when_unlocked,
    without_password,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

_POLL_SECONDS = 0.02
_FLUSH_SECONDS = 2.0  # between two looks at what waits of the runs that go on
_FLUSH_SHARE = 10  # at most one part in so many of the time goes into that
_POINTS = 100_000  # so many values wait at most
_SCHEMA_LENGTH = 1_048_575  # characters of a data set's column names; some hundred thousand columns have more


class Writer:
    """Writes events to a store, in order; metrics are gathered and written together.

    They are written every few seconds, for those who watch, and before a run ends; seldomer where a store
    takes its time.
    """

    def __init__(
        self, client: "MlflowClient", location: StoreLocation, folder: Path, provenance: Mapping[str, str]
    ) -> None:
        self._client, self._location, self._folder = client, location, folder
        self._provenance = provenance
        self._experiments: dict[str, str] = {}
        self.run_ids: dict[int, tuple[str, str]] = {}  # run: (run id, experiment id)
        self.running: set[int] = set()
        self._artifact_uris: dict[str, str] = {}
        self._params: list[Param] = []
        self._points: list[Point] = []
        self._ended: list[RunEnded] = []
        self._next_flush = 0.0

    def write(self, events: list[Event]) -> None:
        """Carry these events, if any, into the store."""
        if events:
            with store_lock(self._location):
                for event in events:
                    self._write_one(event)
                self._end_runs()
        if (self._params or self._points) and time.monotonic() >= self._next_flush:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        start = time.monotonic()
        with store_lock(self._location):
            self._write_rows()
        now = time.monotonic()
        self._next_flush = now + max(_FLUSH_SECONDS, _FLUSH_SHARE * (now - start))

    def recorded(self) -> list[dict[str, object]]:
        """The ids of the runs."""
        return [
            {"run": run, "run_id": run_id, "experiment_id": experiment_id}
            for run, (run_id, experiment_id) in self.run_ids.items()
        ]

    def end_what_is_running(self, status: Status, reason: str) -> None:
        """Close the runs of a launch that will say nothing more."""
        for run in sorted(self.running):
            now = time.time_ns() // 1_000_000
            self.write([TagsSet(run, {tags.REASON: reason}), RunEnded(run, now, status)])

    def give_up(self) -> None:
        """After an error, leave no run that seems to go on; what could not be written is not tried again."""
        with store_lock(self._location):
            for run in sorted(self.running):
                run_id, _ = self.run_ids[run]
                self._client.set_tag(run_id, tags.REASON, "recording failed")
                self._client.set_terminated(run_id, "FAILED")

    def _write_one(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, RunAdopted):
            self._adopt(event)
        elif isinstance(event, MetricsLogged):
            self._gather([event.run], event, {key: [value] for key, value in event.values.items()})
        elif isinstance(event, StackMetricsLogged):
            self._gather(event.runs, event, event.values)
        elif isinstance(event, TagsSet):
            self._set_tags(event)
        elif isinstance(event, RunEnded):
            self._ended.append(event)

    def _start(self, event: RunStarted) -> None:
        experiment_id = self._experiment_id(event.experiment_name)
        given = {**self._provenance, **event.tags}
        if event.parent is not None:
            given[tags.PARENT] = self.run_ids[event.parent][0]
        run = when_unlocked(lambda: self._client.create_run(experiment_id, event.time, given, event.run_name))
        run_id = run.info.run_id
        self.run_ids[event.run] = (run_id, experiment_id)
        self._artifact_uris[run_id] = run.info.artifact_uri
        self.running.add(event.run)
        self._params += [Param(run_id, *param) for param in event.params.items()]
        if event.dataset:
            dataset = _dataset_entity(event.dataset)
            when_unlocked(lambda: self._client.log_inputs(run_id, [dataset]))

    def _adopt(self, event: RunAdopted) -> None:
        info = when_unlocked(lambda: self._client.get_run(event.run_id)).info
        self.run_ids[event.run] = (event.run_id, info.experiment_id)
        self._artifact_uris[event.run_id] = info.artifact_uri
        self.running.add(event.run)
        when_unlocked(lambda: self._client.update_run(event.run_id, status="RUNNING"))

    def _set_tags(self, event: TagsSet) -> None:
        from mlflow.entities import RunTag

        run_id, _ = self.run_ids[event.run]
        given = [RunTag(*tag) for tag in event.tags.items()]
        when_unlocked(lambda: self._client.log_batch(run_id, tags=given))

    def _gather(
        self,
        runs: Sequence[int],
        event: MetricsLogged | StackMetricsLogged,
        values: Mapping[str, Sequence[float]],
    ) -> None:
        for key, of_runs in values.items():
            self._points += [
                Point(self.run_ids[run][0], key, value, event.time, event.step)
                for run, value in zip(runs, of_runs, strict=True)
            ]
        if len(self._points) >= _POINTS:
            self._write_rows()

    def _write_rows(self) -> None:
        params, self._params = self._params, []
        points, self._points = self._points, []
        if not (params or points):
            return
        database = self._location.database
        if database:
            when_unlocked(lambda: write_to_sqlite(database, params, points))
        else:  # what has been written is not written twice: MLflow knows equal values
            when_unlocked(lambda: write_through_client(self._client, params, points))

    def _end_runs(self) -> None:
        """End those of which all has been said; a run that has ended lacks nothing."""
        if not self._ended:
            return
        self._write_rows()
        for event in self._ended:
            run_id, _ = self.run_ids[event.run]
            self._keep_files(self._folder / f"run-{event.run}", run_id)
            when_unlocked(lambda: self._client.set_terminated(run_id, event.status, event.time))  # noqa: B023
            self.running.discard(event.run)
        self._ended.clear()

    def _keep_files(self, folder: Path, run_id: str) -> None:
        if not any(folder.iterdir()):
            return
        from mlflow.utils.file_utils import local_file_uri_to_path

        uri = self._artifact_uris[run_id]
        if self._location.database and uri.startswith("file:"):
            # On the disk of the launch's folder, so moved, not copied.
            target = local_file_uri_to_path(uri)  # type: ignore[no-untyped-call]
            shutil.copytree(folder, target, dirs_exist_ok=True, copy_function=shutil.move)
        else:
            when_unlocked(lambda: self._client.log_artifacts(run_id, str(folder)))

    def _experiment_id(self, name: str) -> str:
        """The experiment of this name, made if there is none."""
        if name not in self._experiments:
            found = when_unlocked(lambda: self._client.get_experiment_by_name(name))
            experiment = found or when_unlocked(lambda: self._make_experiment(name))
            if experiment.lifecycle_stage == "deleted":
                raise ValueError(
                    f"experiment_name={name}: was deleted in the store; restore it in the MLflow UI "
                    "or choose another name"
                )
            self._experiments[name] = experiment.experiment_id
        return self._experiments[name]

    def _make_experiment(self, name: str) -> "Experiment":
        """A new experiment, or the one that another launch has made in the meantime."""
        from mlflow.exceptions import MlflowException

        kind = {"mlflow.experimentKind": "custom_model_development"}
        try:
            experiment_id = self._client.create_experiment(name, self._artifact_location(name), kind)
        except MlflowException as error:
            existing = self._client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or existing is None:
                raise
            return existing
        return self._client.get_experiment(experiment_id)

    def _artifact_location(self, experiment_name: str) -> str | None:
        """A folder for an experiment's files: its name made harmless, and a digest to keep names apart."""
        if self._location.artifact_root is None:
            return None
        harmless = re.sub(r"[^A-Za-z0-9_-]+", "_", experiment_name)[:40]
        digest = hashlib.sha256(experiment_name.encode()).hexdigest()[:8]
        return (self._location.artifact_root / f"{harmless}-{digest}").as_uri()


def import_mlflow() -> None:
    """Import what writing needs, a second's work."""
    gc.disable()  # importing makes no garbage, and looking for it takes a quarter of the time
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 (else imported when the client opens a store)

    gc.freeze()
    gc.enable()


def open_client(location: StoreLocation) -> "MlflowClient":
    """A client of the store, which is made if there is none."""
    from mlflow import MlflowClient

    make_store(location)
    with store_lock(location):
        return when_unlocked(lambda: MlflowClient(location.tracking_uri))


def follow(journal: Path, launch_is_gone: threading.Event) -> Iterator[list[Event]]:
    """The journal's events as they come, or none, again and again until there will be no more."""
    rest = ""
    with journal.open(encoding="utf-8") as lines:
        while True:
            gone = launch_is_gone.is_set()  # before reading: what was written until then is read below
            *complete, rest = (rest + lines.read()).split("\n")
            events = [from_json_line(line) for line in complete]
            yield events
            if gone or (events and isinstance(events[-1], LaunchEnded)):
                return
            launch_is_gone.wait(_POLL_SECONDS)


def carry(
    folder: Path,
    location: StoreLocation,
    provenance: Mapping[str, str],
    launch_is_gone: threading.Event,
    answer: Callable[[dict[str, object]], None],
) -> dict[str, object]:
    """Carry the whole journal into the store; the last answer."""
    writer = Writer(open_client(location), location, folder, provenance)
    try:
        for events in follow(folder / "journal.jsonl", launch_is_gone):
            writer.write(events)
            if AnswerAwaited() in events:
                writer.flush()
                answer({"runs": writer.recorded()})
        writer.flush()
        writer.end_what_is_running("KILLED", "the training process died without a word")
    except Exception:
        with suppress(Exception):  # a store that cannot be reached; the first error says so
            writer.give_up()
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return {"runs": writer.recorded()}


def main() -> None:
    """Run as a process of its own; see the module's description."""
    # A launch that has died reads no answer.
    with suppress(BrokenPipeError), os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing a library prints gets between
        outcome: dict[str, object] = {}

        def answer(content: dict[str, object]) -> None:
            with suppress(BrokenPipeError):
                print(json.dumps(content), file=answers, flush=True)

        where = ""
        try:
            import_mlflow()
            line = sys.stdin.readline()
            if line:
                launch = json.loads(line)
                where = f" [{launch['tracking_uri']}]"
                outcome = _record(launch, answer)
        except Exception as error:
            print(without_password(traceback.format_exc()), file=sys.stderr)
            reason = " ".join((str(error) or repr(error)).split())
            outcome = {"error": without_password(reason + where)}
        answer(outcome)
    sys.stderr.flush()
    # Taking MLflow's modules apart would keep the launch waiting for another third of a second.
    os._exit(0)


def _record(launch: dict[str, Any], answer: Callable[[dict[str, object]], None]) -> dict[str, object]:
    """Record a launch; the last answer."""
    folder = Path(launch["folder"])
    artifact_root = Path(launch["artifact_root"]) if launch["artifact_root"] else None
    location = StoreLocation(launch["tracking_uri"], artifact_root, folder.parents[1])
    log = os.open(folder / "writer.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    provenance = provenance_tags(checkout(), launch["script"])
    (folder / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")

    launch_is_gone = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        launch_is_gone.set()

    threading.Thread(target=watch, daemon=True).start()
    claim = Claim.from_json(launch["claim"]) if launch["claim"] else None
    with claim.writing() if claim else nullcontext(True) as is_ours:
        if not is_ours:  # the launch has died before this process was ready, and another has begun
            return {"runs": []}
        return carry(folder, location, provenance, launch_is_gone, answer)


def _dataset_entity(dataset: DatasetInput) -> Any:
    from mlflow.entities import Dataset, InputTag
    from mlflow.entities import DatasetInput as Entity

    digest = dataset.digest[:36]  # as long as MLflow's column
    schema = dataset.schema if len(dataset.schema) <= _SCHEMA_LENGTH else "{}"
    described = Dataset(dataset.name, digest, "local", dataset.source, schema, dataset.profile)
    return Entity(described, [InputTag("mlflow.data.context", "training")])


if __name__ == "__main__":
    main()
