"""Where everything meets: configs in, recorded runs out.

``run_experiments`` checks the input of every run before it records anything, trains, records what
happens as it happens, and returns the results in the order of the configs. A single run is a stack of
one replica.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Literal

from micrograde.artifacts import (
    run_log,
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
)
from micrograde.config import AnyTracking, DataConfig, ServerTracking, TrainConfig, as_params, config_digest
from micrograde.gradcheck import GradientEvidence, GradientMismatch, check_network, require_agreement
from micrograde.nn import MLP
from micrograde.progress import epoch_line, show_progress
from micrograde.tracking import (
    DatasetInput,
    NullRecorder,
    Recorder,
    RunRecorder,
    WriterProcess,
    local_store,
    project_home,
    server_store,
)
from micrograde.training import Samples, TrainingDiverged, confusion_counts, evaluate, train

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
    for config in configs:
        source = (config.data, config.training.dtype)
        if source not in prepared:
            prepared[source] = prepare_data(*source)
        check_batches(config, len(prepared[source].training))

    results: list[RunResult] = []
    # One thread: the networks are small, and the sums of a matrix product then never depend on the machine.
    with threadpool_limits(limits=1), _open_recorder(configs[0].tracking, writer) as recorder:
        for config in configs:
            data = prepared[config.data, config.training.dtype]
            results.append(_run(config, data, recorder, overrides))
            if results[-1].status == "KILLED":
                break
        recorded = {run.run: run for run in recorder.close()}
    return [
        replace(result, run_id=recorded[run].run_id, experiment_id=recorded[run].experiment_id)
        if run in recorded
        else result
        for run, result in enumerate(results)
    ]


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
class _Training:
    """One run as it unfolds."""

    model: MLP
    evidence: GradientEvidence
    history: dict[str, list[float]] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    status: Status = "FINISHED"
    reason: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


def _run(
    config: TrainConfig, data: PreparedData, recorder: RunRecorder, overrides: Sequence[str]
) -> RunResult:
    """Train one config as a stack of one, telling the recorder and the terminal as it goes."""
    name = run_name(overrides)
    run = recorder.start_run(
        experiment_name=config.experiment_name,
        run_name=name,
        params=as_params(config),
        tags={
            "micrograde.config_digest": config_digest(config),
            "micrograde.data_digest": data.dataset.digest,
        },
        dataset=_dataset_input(config.data, data),
    )
    folder = recorder.run_folder(run)
    batch = _first_batch(config, data)
    with run_log(folder) as log:
        done = _train(config, data, name, log, partial(recorder.log_metrics, run))
        log.info("%s %s", done.status, done.reason or done.test)
    if done.tags:
        recorder.set_tags(run, done.tags)
    if folder:
        write_recipe(folder, config, overrides)
        write_evidence(folder, done.evidence)
        write_model(folder, done.model, config, data.preprocessing)
        confusion = confusion_counts(done.model, data.test)[0] if data.test and done.test else None
        write_graphs(folder, name, done.model, batch)
        write_figures(folder, name, done.history, confusion, data.dataset.class_names)
    recorder.end_run(run, done.status)
    return RunResult(config, name, done.status, done.history, done.test, done.reason)


def _train(
    config: TrainConfig,
    data: PreparedData,
    name: str,
    log: logging.Logger,
    log_metrics: Callable[[int, Mapping[str, float]], None],
) -> _Training:
    """The run itself; how it ended is part of what is returned, not an exception."""
    initial, shuffling = random_streams(config.seed)
    model = build_model(config, data, [initial])
    optimizer = build_optimizer([config.optimizer], model)
    plan = build_plan([config], len(data.training))
    batch = _first_batch(config, data)
    done = _Training(model, check_network(model, 0, batch.features, batch.targets))
    log_metrics(0, {"gradient_check/max_relative_error": done.evidence.max_relative_error})
    log.info("%s: %s, %s parameters", name, "-".join(map(str, model.sizes)), model.layout.size)
    try:
        require_agreement(done.evidence)
        with show_progress(name, plan.num_epochs) as progress:
            for record in train(model, optimizer, plan, data.training, data.validation, [shuffling]):
                metrics = {metric: float(values[0]) for metric, values in record.metrics.items()}
                log_metrics(record.epoch, metrics)
                for metric, value in metrics.items():
                    done.history.setdefault(metric, []).append(value)
                log.info(epoch_line(record.epoch, plan.num_epochs, metrics))
                progress(record.epoch, metrics)
        if data.test is not None:
            loss, accuracy = evaluate(model, data.test)
            done.test = {"test/loss": float(loss[0]), "test/accuracy": float(accuracy[0])}
            log_metrics(len(done.history["train/loss"]), done.test)
    except TrainingDiverged as diverged:
        done.status, done.reason = "FAILED", str(diverged)
        done.tags = {
            "micrograde.diverged_step": str(diverged.step),
            "micrograde.diverged_parameter": diverged.parameter or "none",
        }
    except GradientMismatch as mismatch:
        done.status, done.reason = "FAILED", str(mismatch)
    except KeyboardInterrupt:
        done.status, done.reason = "KILLED", "stopped with Ctrl-C"
    if done.reason:
        done.tags["micrograde.reason"] = done.reason
    return done


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
