"""Where everything meets: configs in, recorded runs out.

``run_experiments`` checks the input of every run before it records anything, trains, records what
happens as it happens, and returns the results in the order of the configs. A single run is a stack of
one replica.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from micrograde.artifacts import open_log, write_figures, write_model, write_recipe
from micrograde.assembly import (
    PreparedData,
    build_model,
    build_optimizer,
    build_plan,
    prepare_data,
    random_streams,
)
from micrograde.config import AnyTracking, ServerTracking, TrainConfig, config_digest, flatten, to_container
from micrograde.progress import epoch_line, show_progress
from micrograde.tracking import (
    DatasetInput,
    NullRecorder,
    Recorder,
    RunRecorder,
    local_store,
    make_launch_folder,
    project_home,
    server_store,
)
from micrograde.training import TrainingDiverged, confusion_counts, evaluate, train

Status = Literal["FINISHED", "FAILED", "KILLED"]


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


def run_experiments(configs: Sequence[TrainConfig], overrides: Sequence[str] = ()) -> list[RunResult]:
    """Train and record a run for each config, in order; Ctrl-C ends the run in work and the list there.

    Parameters
    ----------
    overrides
        What the user typed to get these configs: it names the runs and is kept among their files.

    Raises
    ------
    InputError
        If the data or a config that depends on it is wrong; then no run has been recorded.
    TrackingError
        If a run could not be recorded; what happened in it is kept in the file that the message names.
    """
    from threadpoolctl import threadpool_limits

    prepared: dict[object, PreparedData] = {}
    for config in configs:
        recipe = (config.data, config.training, config.model.batch_norm)
        prepared[recipe] = prepared.get(recipe) or prepare_data(config)

    results: list[RunResult] = []
    # One thread: the networks are small, and the sums of a matrix product then never depend on the machine.
    with threadpool_limits(limits=1), _open_recorder(configs[0].tracking) as recorder:
        for number, config in enumerate(configs):
            data = prepared[config.data, config.training, config.model.batch_norm]
            results.append(_run(config, data, recorder, overrides, number))
            if results[-1].status == "KILLED":
                break
        recorded = {run.key: run for run in recorder.close()}
    return [
        replace(result, run_id=recorded[key].run_id, experiment_id=recorded[key].experiment_id)
        if key in recorded
        else result
        for key, result in enumerate(results)
    ]


def run_name(overrides: Sequence[str]) -> str:
    """What was typed, short: ``optimizer.learning_rate=0.3 seed=1`` is ``learning_rate=0.3 seed=1``."""
    short = []
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        short.append(f"{key.rpartition('.')[2]}={value}")
    return " ".join(short)[:250] or "defaults"


def _open_recorder(tracking: AnyTracking) -> AbstractContextManager[RunRecorder]:
    if tracking.name == "disabled":
        return NullRecorder()
    home = project_home()
    location = server_store(tracking.uri, home) if isinstance(tracking, ServerTracking) else local_store(home)
    return Recorder(location, make_launch_folder(location))


def _run(
    config: TrainConfig, data: PreparedData, recorder: RunRecorder, overrides: Sequence[str], number: int
) -> RunResult:
    """Train one config as a stack of one, telling the recorder and the terminal as it goes."""
    name = run_name(overrides)
    folder = recorder.folder / f"run-{number}"
    key = recorder.start_run(
        experiment_name=config.experiment_name,
        run_name=name,
        params={key: _as_text(value) for key, value in flatten(to_container(config)).items()},
        tags={
            "micrograde.config_digest": config_digest(config),
            "micrograde.data_digest": data.dataset.digest,
        },
        dataset=_dataset_input(config, data),
    )
    log = open_log(folder)
    write_recipe(folder, config, overrides)

    initial, shuffling = random_streams(config.seed)
    model = build_model(config, data, [initial])
    optimizer = build_optimizer([config.optimizer], model)
    plan = build_plan([config], len(data.training))
    log.info("%s: %s, %s parameters", name, "-".join(map(str, model.sizes)), model.layout.size)

    history: dict[str, list[float]] = {}
    test: dict[str, float] = {}
    confusion = None
    status: Status = "FINISHED"
    reason = None
    try:
        with show_progress(name, plan.num_epochs) as progress:
            for record in train(model, optimizer, plan, data.training, data.validation, [shuffling]):
                metrics = {metric: float(values[0]) for metric, values in record.metrics.items()}
                recorder.log_metrics(key, record.epoch, metrics)
                for metric, value in metrics.items():
                    history.setdefault(metric, []).append(value)
                log.info(epoch_line(record.epoch, plan.num_epochs, metrics))
                progress(record.epoch, metrics)
        if data.test is not None:
            loss, accuracy = evaluate(model, data.test)
            test = {"test/loss": float(loss[0]), "test/accuracy": float(accuracy[0])}
            recorder.log_metrics(key, len(history["train/loss"]), test)
            confusion = confusion_counts(model, data.test)[0]
    except TrainingDiverged as diverged:
        status, reason = "FAILED", str(diverged)
        recorder.set_tags(
            key,
            {
                "micrograde.diverged_step": str(diverged.step),
                "micrograde.diverged_parameter": diverged.parameter or "none",
            },
        )
    except KeyboardInterrupt:
        status, reason = "KILLED", "stopped with Ctrl-C"

    if reason:
        recorder.set_tags(key, {"micrograde.reason": reason})
        log.error("%s: %s", status, reason)
    log.info("%s %s", status, test)
    logging_done(log)
    write_model(folder, {k: v[0] for k, v in model.state().items()}, config, data.preprocessing)
    if history:
        write_figures(folder, name, history, confusion, data.dataset.class_names)
    recorder.log_artifacts(key, folder)
    recorder.end_run(key, status)
    return RunResult(config, name, status, history, test, reason)
