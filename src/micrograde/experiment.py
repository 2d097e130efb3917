"""Where everything meets: configs in, recorded runs out.

``run_experiments`` checks the input of every run before it records anything, trains, records what
happens as it happens, and returns the results in the order of the configs. A single run is a stack of
one replica.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from micrograde.artifacts import (
    log_line,
    write_evidence,
    write_figures,
    write_graphs,
    write_model,
    write_recipe,
)
from micrograde.assembly import (
    PreparedData,
    build_model,
    build_optimizer,
    build_plan,
    check_batches,
    prepare_data,
    random_streams,
    stack_key,
)
from micrograde.config import AnyTracking, DataConfig, ServerTracking, TrainConfig, as_params, config_digest
from micrograde.gradcheck import GradientMismatch, check_network, require_agreement
from micrograde.nn import MLP
from micrograde.nn.arrays import IntArray
from micrograde.progress import epoch_line, show_progress
from micrograde.tracking import (
    DatasetInput,
    NullRecorder,
    RecordedRun,
    Recorder,
    RunRecorder,
    WriterProcess,
    local_store,
    project_home,
    server_store,
)
from micrograde.training import Departure, Samples, Training, confusion_counts, evaluate

Status = Literal["FINISHED", "FAILED", "KILLED"]

_ROWS_LOOKED_AT = 1024


@dataclass(frozen=True)
class RunResult:
    """What came of one run.

    Attributes
    ----------
    history
        Each metric's value after every epoch; accuracies are fractions.
    test
        ``test/loss`` and ``test/accuracy`` of a finished run whose data has a test part.
    reason
        Why the run did not finish; None if it did.
    run_id, experiment_id
        MLflow's; None with ``tracking=disabled``.
    """

    config: TrainConfig
    name: str
    status: Status
    history: dict[str, list[float]]
    test: dict[str, float] = field(default_factory=dict)
    reason: str | None = None
    run_id: str | None = None
    experiment_id: str | None = None


def run_experiments(
    configs: Sequence[TrainConfig], overrides: Sequence[str] = (), *, writer: WriterProcess | None = None
) -> list[RunResult]:
    """Train and record a run for each config, in order; Ctrl-C ends the run in work and the list there.

    Parameters
    ----------
    overrides
        What the user typed to get these configs: it names the runs and is kept among their files.
    writer
        A writer that was started earlier, to save time.

    Raises
    ------
    InputError
        If the data or a config that depends on it is wrong; then no run has been recorded.
    TrackingError
        If a run could not be recorded; what happened in it is kept in the file that the message names.
    """
    from threadpoolctl import threadpool_limits

    prepared: dict[tuple[DataConfig, str], PreparedData] = {}
    stacks: dict[Hashable, list[int]] = {}
    for number, config in enumerate(configs):
        source = (config.data, config.training.dtype)
        if source not in prepared:
            prepared[source] = prepare_data(*source)
        check_batches(config, len(prepared[source].training))
        stacks.setdefault(stack_key(config), []).append(number)

    runs: dict[int, _Run] = {}
    # One thread: the networks are small, and the sums of a matrix product then never depend on the machine.
    with threadpool_limits(limits=1), _open_recorder(configs[0].tracking, writer) as recorder:
        for numbers in stacks.values():
            first = configs[numbers[0]]
            data = prepared[first.data, first.training.dtype]
            stack = [_start(configs[number], data, recorder, overrides) for number in numbers]
            runs.update(zip(numbers, stack, strict=True))
            _train(stack, data)
            if any(run.status == "KILLED" for run in stack):
                break
        recorded = {run.run: run for run in recorder.close()}
    return [_result(runs[number], recorded.get(runs[number].number)) for number in sorted(runs)]


def run_name(overrides: Sequence[str]) -> str:
    """What was typed, short: ``optimizer.learning_rate=0.3 seed=1`` is ``learning_rate=0.3 seed=1``.

    Where the run is recorded is no part of its name.
    """
    short = []
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key.split(".")[0] not in ("tracking", "experiment_name"):
            short.append(f"{key.rpartition('.')[2]}={value}")
    return " ".join(short)[:250] or "defaults"


def _open_recorder(
    tracking: AnyTracking, writer: WriterProcess | None
) -> AbstractContextManager[RunRecorder]:
    if tracking.name == "disabled":
        return NullRecorder()
    home = project_home()
    location = server_store(tracking.uri, home) if isinstance(tracking, ServerTracking) else local_store(home)
    return Recorder(location, writer)


@dataclass
class _Run:
    """One run as it unfolds; ``number`` is the recorder's."""

    config: TrainConfig
    name: str
    number: int
    recorder: RunRecorder
    overrides: Sequence[str]
    history: dict[str, list[float]] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    status: Status = "FINISHED"
    reason: str | None = None
    ended: bool = False

    @property
    def folder(self) -> Path | None:
        """Where the run's files wait for its end."""
        return self.recorder.run_folder(self.number)

    def log(self, text: str) -> None:
        """A line for the run's own log."""
        log_line(self.folder, text)

    def take_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Keep and record what is known after an epoch."""
        self.recorder.log_metrics(self.number, epoch, metrics)
        for metric, value in metrics.items():
            self.history.setdefault(metric, []).append(value)
        self.log(epoch_line(epoch, self.config.training.num_epochs, metrics))

    def end(
        self, model: MLP, data: PreparedData, status: Status = "FINISHED", reason: str | None = None
    ) -> None:
        """Write what is left of the run, and end it."""
        self.status, self.reason = status, reason
        confusion = None
        if status == "FINISHED" and data.test is not None:
            loss, accuracy = evaluate(model, data.test)
            self.test = {"test/loss": float(loss[0]), "test/accuracy": float(accuracy[0])}
            self.recorder.log_metrics(self.number, len(self.history["train/loss"]), self.test)
            confusion = confusion_counts(model, data.test)[0]
        if reason:
            self.recorder.set_tags(self.number, {"micrograde.reason": reason})
        self.log(f"{status} {reason or self.test}")
        if self.folder:
            write_recipe(self.folder, self.config, self.overrides)
            write_model(self.folder, model, self.config, data.preprocessing)
            write_graphs(self.folder, self.name, model, _first_batch(self.config, data))
            write_figures(self.folder, self.name, self.history, confusion, data.dataset.class_names)
        self.recorder.end_run(self.number, status)
        self.ended = True


def _start(config: TrainConfig, data: PreparedData, recorder: RunRecorder, overrides: Sequence[str]) -> _Run:
    """Tell the recorder of a run that begins."""
    name = run_name(overrides)
    number = recorder.start_run(
        experiment_name=config.experiment_name,
        run_name=name,
        params=as_params(config),
        tags={
            "micrograde.config_digest": config_digest(config),
            "micrograde.data_digest": data.dataset.digest,
        },
        dataset=_dataset_input(config.data, data),
    )
    return _Run(config, name, number, recorder, overrides)


def _train(runs: Sequence[_Run], data: PreparedData) -> None:
    """Train runs as one stack, one replica each; how each ended is in the run, not an exception."""
    streams = [random_streams(run.config.seed) for run in runs]
    models = [run.config.model for run in runs]
    model = build_model(models, data, runs[0].config.training.dtype, [weights for weights, _ in streams])
    sound = _check_evidence(runs, model, data)
    if not len(sound):
        return
    model.keep_replicas(sound)
    runs, streams = [runs[row] for row in sound.tolist()], [streams[row] for row in sound.tolist()]

    optimizer = build_optimizer([run.config.optimizer for run in runs], model)
    plan = build_plan([run.config for run in runs], len(data.training))
    shuffling = [shuffling for _, shuffling in streams]
    stack = Training(model, optimizer, plan, data.training, data.validation, shuffling)
    name = runs[0].name if len(runs) == 1 else f"{len(runs)} runs"
    try:
        with show_progress(name, plan.num_epochs) as progress:
            for event in stack.run():
                if isinstance(event, Departure):
                    _depart(runs[event.replica], event, data)
                    continue
                for row, replica in enumerate(event.replicas.tolist()):
                    metrics = {metric: float(values[row]) for metric, values in event.metrics.items()}
                    runs[replica].take_epoch(event.epoch, metrics)
                means = {metric: float(np.mean(values)) for metric, values in event.metrics.items()}
                progress(event.epoch, means)
    except KeyboardInterrupt:
        for departure in stack.leave():
            if not runs[departure.replica].ended:
                runs[departure.replica].end(departure.model, data, "KILLED", "stopped with Ctrl-C")


def _check_evidence(runs: Sequence[_Run], model: MLP, data: PreparedData) -> IntArray:
    """Compare the hand-written gradients of each replica with autograd's; the rows of those that agree."""
    sound = []
    for row, run in enumerate(runs):
        batch = _first_batch(run.config, data)
        evidence = check_network(model, row, batch.features, batch.targets)
        error = evidence.max_relative_error
        run.recorder.log_metrics(run.number, 0, {"gradient_check/max_relative_error": error})
        run.log(f"{run.name}: {'-'.join(map(str, model.sizes))}, gradient check {error:.2g}")
        if run.folder:
            write_evidence(run.folder, evidence)
        try:
            require_agreement(evidence)
            sound.append(row)
        except GradientMismatch as mismatch:
            run.end(model.alone(row), data, "FAILED", str(mismatch))
    return np.array(sound, dtype=np.intp)


def _depart(run: _Run, departure: Departure, data: PreparedData) -> None:
    """End the run of a replica that has left its stack."""
    divergence = departure.divergence
    if divergence is None:
        run.end(departure.model, data)
        return
    run.recorder.set_tags(
        run.number,
        {
            "micrograde.diverged_step": str(divergence.step),
            "micrograde.diverged_parameter": divergence.parameter or "none",
        },
    )
    run.end(departure.model, data, "FAILED", str(divergence))


def _result(run: _Run, recorded: RecordedRun | None) -> RunResult:
    return RunResult(
        run.config,
        run.name,
        run.status,
        run.history,
        run.test,
        run.reason,
        recorded.run_id if recorded else None,
        recorded.experiment_id if recorded else None,
    )


def _first_batch(config: TrainConfig, data: PreparedData) -> Samples:
    """The rows that gradients are checked and the network is drawn at: a batch, if it is not huge."""
    return data.training.first(min(config.training.batch_size or len(data.training), _ROWS_LOOKED_AT))


def _dataset_input(config: DataConfig, data: PreparedData) -> DatasetInput:
    """The data set as MLflow shows it."""
    dataset = data.dataset
    schema = {"features": list(dataset.feature_names), "classes": list(dataset.class_names)}
    parts = {"training": data.training, "validation": data.validation, "test": data.test}
    profile = {f"{name}_rows": len(samples) if samples else 0 for name, samples in parts.items()}
    return DatasetInput(
        name=dataset.name,
        digest=dataset.digest,
        source=json.dumps(asdict(config)),
        schema=json.dumps(schema, ensure_ascii=False),
        profile=json.dumps(profile),
    )
