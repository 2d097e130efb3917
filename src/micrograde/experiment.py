"""Where everything meets: configs in, recorded runs out.

``run_experiments`` checks the input of every run before it records anything, trains, records what
happens as it happens, and returns the results in the order of the configs. A single run is a stack of
one replica.
"""

import json
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
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
    RandomStreams,
    build_model,
    build_optimizer,
    build_plan,
    check_batches,
    prepare_data,
    stack_key,
    stack_size,
    told_labels,
)
from micrograde.config import AnyTracking, DataConfig, ServerTracking, TrainConfig, as_params, config_digest
from micrograde.gradcheck import GradientMismatch, check_network, require_agreement
from micrograde.nn import MLP
from micrograde.progress import progress_line, show_progress
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
from micrograde.training import Departure, Samples, StackRunner, Training, confusion_counts, evaluate

Status = Literal["FINISHED", "FAILED", "KILLED"]

Cancel = Callable[[int, int, Mapping[str, float]], bool]

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
    configs: Sequence[TrainConfig],
    overrides: Sequence[str] = (),
    *,
    writer: WriterProcess | None = None,
    cancel: Cancel | None = None,
) -> list[RunResult]:
    """Train and record a run for each config, in order; Ctrl-C ends the run in work and the list there.

    Parameters
    ----------
    overrides
        What the user typed to get these configs: it names the runs and is kept among their files.
    writer
        A writer that was started earlier, to save time.
    cancel
        Asked after each epoch of each run with its place in ``configs``, the epoch and its metrics; on True
        the run leaves its stack at the end of the epoch that is then in training, and is KILLED.

    Raises
    ------
    InputError
        If the data or a config that depends on it is wrong; then no run has been recorded.
    TrackingError
        If a run could not be recorded; what happened in it is kept in the file that the message names.
    """
    from threadpoolctl import threadpool_limits

    prepared: dict[tuple[DataConfig, str], PreparedData] = {}
    alike: dict[Hashable, list[int]] = {}
    for number, config in enumerate(configs):
        source = (config.data, config.training.dtype)
        if source not in prepared:
            prepared[source] = prepare_data(*source)
        check_batches(config, len(prepared[source].training))
        alike.setdefault(stack_key(config), []).append(number)

    workers = os.cpu_count() or 1
    # One thread for each matrix product: the networks are small, the cores are busy with other stacks, and a
    # sum then never depends on the machine.
    with threadpool_limits(limits=1), _open_recorder(configs[0].tracking, writer) as recorder:
        stacks = []
        for numbers in alike.values():
            first = configs[numbers[0]]
            data = prepared[first.data, first.training.dtype]
            size = stack_size(first, data, len(numbers), workers)
            for start in range(0, len(numbers), size):
                part = {number: configs[number] for number in numbers[start : start + size]}
                stacks.append(_Stack(part, data, recorder, overrides))
        _train(stacks, workers, cancel)
        recorded = {run.run: run for run in recorder.close()}
    runs = {number: run for stack in stacks for number, run in stack.runs.items()}
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
        self.log(progress_line("epoch", epoch, self.config.training.num_epochs, metrics))

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


class _Stack:
    """Runs that train together; ``configs`` by their place in the list that was given."""

    def __init__(
        self,
        configs: Mapping[int, TrainConfig],
        data: PreparedData,
        recorder: RunRecorder,
        overrides: Sequence[str],
    ) -> None:
        self.configs, self.data, self.recorder, self.overrides = configs, data, recorder, overrides
        self.runs: dict[int, _Run] = {}
        self.replicas: list[_Run] = []  # of the runs those that train

    def start(self) -> Training | None:
        """Begin the runs, and check their gradients; None if none of them is sound."""
        self.runs = {number: self._start_run(config) for number, config in self.configs.items()}
        runs = list(self.runs.values())
        streams = [RandomStreams.spawn(run.config.seed) for run in runs]
        models, dtype = [run.config.model for run in runs], runs[0].config.training.dtype
        model = build_model(models, self.data, dtype, [each.weights for each in streams])
        sound = [row for row, run in enumerate(runs) if self._is_sound(run, model, row)]
        if not sound:
            return None
        model.keep_replicas(np.array(sound))
        self.replicas = [runs[row] for row in sound]
        configs = [run.config for run in self.replicas]
        streams = [streams[row] for row in sound]
        return Training(
            model,
            build_optimizer([config.optimizer for config in configs], model),
            build_plan(configs, len(self.data.training)),
            self.data.training,
            self.data.validation,
            [each.shuffling for each in streams],
            told_labels(configs, self.data, [each.label_noise for each in streams]),
        )

    def place(self, replica: int) -> int:
        """Where the replica's config stands in the list that was given."""
        run = self.replicas[replica]
        return next(place for place, each in self.runs.items() if each is run)

    def _start_run(self, config: TrainConfig) -> _Run:
        name = run_name(self.overrides)
        number = self.recorder.start_run(
            experiment_name=config.experiment_name,
            run_name=name,
            params=as_params(config),
            tags={
                "micrograde.config_digest": config_digest(config),
                "micrograde.data_digest": self.data.dataset.digest,
            },
            dataset=_dataset_input(config.data, self.data),
        )
        return _Run(config, name, number, self.recorder, self.overrides)

    def _is_sound(self, run: _Run, model: MLP, row: int) -> bool:
        """Whether the hand-written gradients agree with autograd's; if not, the run has failed."""
        batch = _first_batch(run.config, self.data)
        evidence = check_network(model, row, batch.features, batch.targets)
        error = evidence.max_relative_error
        run.recorder.log_metrics(run.number, 0, {"gradient_check/max_relative_error": error})
        run.log(f"{run.name}: {'-'.join(map(str, model.sizes))}, gradient check {error:.2g}")
        if run.folder:
            write_evidence(run.folder, evidence)
        try:
            require_agreement(evidence)
        except GradientMismatch as mismatch:
            run.end(model.alone(row), self.data, "FAILED", str(mismatch))
            return False
        return True


def _train(stacks: Sequence[_Stack], workers: int, cancel: Cancel | None) -> None:
    """Train all stacks; how each run ended is in the run, not an exception."""
    total = sum(len(stack.configs) for stack in stacks)
    alone = next(iter(stacks[0].configs.values())) if total == 1 else None
    ended = 0
    runner = StackRunner([stack.start for stack in stacks], workers)
    name = run_name(stacks[0].overrides)
    unit, steps = ("epoch", alone.training.num_epochs) if alone else ("run", total)
    try:
        with show_progress(name, unit, steps) as progress:
            for number, event in runner.run():
                stack = stacks[number]
                if isinstance(event, Departure):
                    run = stack.replicas[event.replica]
                    _depart(run, event, stack.data)
                    ended += 1
                    if not alone:
                        progress(ended, {metric: values[-1] for metric, values in run.history.items()})
                    continue
                for row, replica in enumerate(event.replicas.tolist()):
                    metrics = {metric: float(values[row]) for metric, values in event.metrics.items()}
                    stack.replicas[replica].take_epoch(event.epoch, metrics)
                    if cancel and cancel(stack.place(replica), event.epoch, metrics):
                        runner.cancel(number, replica)
                    if alone:
                        progress(event.epoch, metrics)
    except KeyboardInterrupt:
        for number, departure in runner.leave():
            run = stacks[number].replicas[departure.replica]
            if not run.ended:
                run.end(departure.model, stacks[number].data, "KILLED", "stopped with Ctrl-C")


def _depart(run: _Run, departure: Departure, data: PreparedData) -> None:
    """End the run of a replica that has left its stack."""
    divergence = departure.divergence
    if departure.cancelled:
        run.end(departure.model, data, "KILLED", f"cancelled after epoch {departure.epoch}")
        return
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
