"""The writer process: carries a launch's journal into the MLflow store while the launch goes on.

    python -m micrograde.tracking.writer

It imports MLflow, then reads one line from standard input: a JSON object with the launch's ``folder``
and the store's ``tracking_uri`` and ``artifact_root``. It follows ``journal.jsonl`` in the folder until
the journal says that the launch has ended, or until standard input closes, which means that the launch
died: what it had begun is then ended as KILLED. Its last line on standard output is a JSON object: the
runs' ids, or the error. When the store has everything, the folder is removed.
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
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.tracking.events import (
    DatasetInput,
    Event,
    LaunchEnded,
    MetricsLogged,
    RunEnded,
    RunStarted,
    TagsSet,
    from_json_line,
)
from micrograde.tracking.provenance import provenance_tags
from micrograde.tracking.store import StoreLocation, store_lock, without_password

if TYPE_CHECKING:
    from mlflow import MlflowClient

_POLL_SECONDS = 0.02
_BATCH = 1000  # metrics that MLflow takes in one call
_PARAMS = 100  # params that MLflow takes in one call
_PARAM_LENGTH = 6000  # characters of a param; the whole config is an artifact


class Writer:
    """Writes events to a store, in order; metrics are gathered and written in batches."""

    def __init__(self, client: "MlflowClient", location: StoreLocation, folder: Path) -> None:
        self._client, self._location, self._folder = client, location, folder
        self._provenance = provenance_tags(Path(__file__).resolve().parents[3])
        self._experiments: dict[str, str] = {}
        self.run_ids: dict[int, tuple[str, str]] = {}  # run: (run id, experiment id)
        self.running: set[int] = set()
        self._metrics: dict[int, list[Any]] = {}

    def write(self, events: list[Event]) -> None:
        """Carry these events into the store."""
        with store_lock(self._location):
            for event in events:
                self._write_one(event)
            for run in list(self._metrics):
                self._flush(run)

    def end_what_is_running(self, status: str, reason: str) -> None:
        """Close the runs of a launch that will say nothing more."""
        for run in sorted(self.running):
            now = time.time_ns() // 1_000_000
            self.write([TagsSet(run, {"micrograde.reason": reason}), RunEnded(run, now, status)])  # type: ignore[arg-type]

    def _write_one(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, MetricsLogged):
            self._gather(event)
        elif isinstance(event, TagsSet):
            run_id, _ = self.run_ids[event.run]
            for key, value in event.tags.items():
                self._client.set_tag(run_id, key, value)
        elif isinstance(event, RunEnded):
            self._end(event)

    def _start(self, event: RunStarted) -> None:
        from mlflow.entities import Param

        experiment_id = self._experiment_id(event.experiment_name)
        tags = {**self._provenance, **event.tags}
        run = self._client.create_run(experiment_id, event.time, tags, event.run_name)
        self.run_ids[event.run] = (run.info.run_id, experiment_id)
        self.running.add(event.run)
        params = [Param(key, value[:_PARAM_LENGTH]) for key, value in event.params.items()]
        for start in range(0, len(params), _PARAMS):
            self._client.log_batch(run.info.run_id, params=params[start : start + _PARAMS])
        self._client.log_inputs(run.info.run_id, [_dataset_entity(event.dataset)])

    def _gather(self, event: MetricsLogged) -> None:
        from mlflow.entities import Metric

        waiting = self._metrics.setdefault(event.run, [])
        waiting += [Metric(key, value, event.time, event.step) for key, value in event.values.items()]
        if len(waiting) >= _BATCH:
            self._flush(event.run)

    def _flush(self, run: int) -> None:
        waiting = self._metrics.pop(run, [])
        for start in range(0, len(waiting), _BATCH):
            self._client.log_batch(self.run_ids[run][0], metrics=waiting[start : start + _BATCH])

    def _end(self, event: RunEnded) -> None:
        self._flush(event.run)
        run_id, _ = self.run_ids[event.run]
        files = self._folder / f"run-{event.run}"
        if any(files.iterdir()):
            self._client.log_artifacts(run_id, str(files))
        self._client.set_terminated(run_id, event.status, event.time)
        self.running.discard(event.run)

    def _experiment_id(self, name: str) -> str:
        """The experiment of this name, made if there is none."""
        if name not in self._experiments:
            experiment = self._client.get_experiment_by_name(name)
            if experiment is None:
                self._experiments[name] = self._client.create_experiment(
                    name, self._artifact_location(name), {"mlflow.experimentKind": "custom_model_development"}
                )
            elif experiment.lifecycle_stage == "deleted":
                raise ValueError(
                    f"experiment_name={name}: was deleted in the store; restore it in the MLflow UI "
                    "or choose another name"
                )
            else:
                self._experiments[name] = experiment.experiment_id
        return self._experiments[name]

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

    with store_lock(location):
        return MlflowClient(location.tracking_uri)


def follow(journal: Path, launch_is_gone: threading.Event) -> Iterator[list[Event]]:
    """The journal's events as they come, in the pieces they come in, until there will be no more."""
    rest = ""
    with journal.open(encoding="utf-8") as lines:
        while True:
            gone = launch_is_gone.is_set()  # before reading: what was written until then is read below
            *complete, rest = (rest + lines.read()).split("\n")
            events = [from_json_line(line) for line in complete]
            if events:
                yield events
            if gone or (events and isinstance(events[-1], LaunchEnded)):
                return
            launch_is_gone.wait(_POLL_SECONDS)


def carry(folder: Path, location: StoreLocation, launch_is_gone: threading.Event) -> list[dict[str, object]]:
    """Carry the whole journal into the store; the runs' ids."""
    writer = Writer(open_client(location), location, folder)
    ended = False
    try:
        for events in follow(folder / "journal.jsonl", launch_is_gone):
            writer.write(events)
            ended = isinstance(events[-1], LaunchEnded)
    except Exception:
        writer.end_what_is_running("FAILED", "recording failed")
        raise
    if not ended:
        writer.end_what_is_running("KILLED", "the training process died without a word")
    shutil.rmtree(folder)
    return [
        {"run": run, "run_id": run_id, "experiment_id": experiment_id}
        for run, (run_id, experiment_id) in writer.run_ids.items()
    ]


def main() -> None:
    """Run as a process of its own; see the module's description."""
    import_mlflow()
    line = sys.stdin.readline()
    if line:
        print(json.dumps(_record(json.loads(line))), flush=True)
        sys.stderr.flush()
    # Taking MLflow's modules apart would keep the launch waiting for another third of a second.
    os._exit(0)


def _record(launch: dict[str, Any]) -> dict[str, object]:
    """Record a launch; the runs' ids, or the error in one line."""
    folder = Path(launch["folder"])
    artifact_root = Path(launch["artifact_root"]) if launch["artifact_root"] else None
    location = StoreLocation(launch["tracking_uri"], artifact_root, folder.parents[1])
    log = os.open(folder / "writer.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, sys.stderr.fileno())

    launch_is_gone = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        launch_is_gone.set()

    threading.Thread(target=watch, daemon=True).start()
    try:
        return {"runs": carry(folder, location, launch_is_gone)}
    except Exception as error:
        print(without_password(traceback.format_exc()), file=sys.stderr)
        return {"error": without_password(f"{' '.join(str(error).split())} [{location.tracking_uri}]")}


def _dataset_entity(dataset: DatasetInput) -> Any:
    from mlflow.entities import Dataset, InputTag
    from mlflow.entities import DatasetInput as Entity

    digest = dataset.digest[:36]  # as long as MLflow's column
    described = Dataset(dataset.name, digest, "local", dataset.source, dataset.schema, dataset.profile)
    return Entity(described, [InputTag("mlflow.data.context", "training")])


if __name__ == "__main__":
    main()
