"""Train and record runs: configs in, results out.

``train_and_record`` checks the input of every run before it records anything, trains, records what
happens as it happens, and returns the results in the order of the configs. ``train_runs`` does the same for
callers that have a recorder already. A single run is a stack of one replica.
"""

import os
import re
import threading
from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.analysis.comparing import ascending
from micrograde.analysis.what_mattered import short_names
from micrograde.config.keys import key_of
from micrograde.config.locations import store_location
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.redaction import hide_passwords, without_password
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.data import DataSet, Dataset, load
from micrograde.data.folds import words_of_folds
from micrograde.data.frames import SOURCE as FRAME
from micrograde.data.memory import within_memory
from micrograde.data.sets.frame import FrameTable
from micrograde.diagnostics import Importances
from micrograde.metrics import KEPT, ranking_metric
from micrograde.runs.building import (
    PreparedData,
    check_batches,
    check_layers,
    data_key,
    learned_classes,
    measured_names,
    prepare_dataset,
    stack_key,
    stack_size,
    task_to_learn,
)
from micrograde.runs.deciding import Decision, check_threshold
from micrograde.runs.live_run import LiveRun, RunRequest, Status, last_values
from micrograde.runs.measured import check_watched
from micrograde.runs.pictures import check_formats
from micrograde.runs.progress import Watch, watch_epochs, watch_runs
from micrograde.runs.resuming import Resumption
from micrograde.runs.stacks import Cancel, Stack, train_stacks
from micrograde.runs.table_words import tell_tables
from micrograde.runs.warm_start import KEY as INIT_FROM
from micrograde.runs.warm_start import WarmStart, WarmStarts, like, no_layer_fits
from micrograde.store import StoreLocation, Tracking, check_experiment
from micrograde.store.tags import DATA_DIGEST
from micrograde.tasks.classification import Classification
from micrograde.tracking import Claim, NullRecorder, Recorder, RunIds, RunRecorder, WriterProcess

if TYPE_CHECKING:
    import pyarrow

_LARGE = 1_000_000  # bytes; reading a data file beyond this takes a while


@dataclass(frozen=True)
class RunResult:
    """The result of a run.

    Attributes
    ----------
    history
        Each metric's value after every epoch; accuracies are fractions.
    steps
        The values by step of the optimizer of ``step/train/loss`` and so on, with ``training.log_every``.
    kept
        Of a finished run, the metrics of the model that is saved, evaluated on every part: ``kept/epoch``,
        ``kept/train/loss``, ``kept/val/accuracy`` and so on.
    test
        ``test/loss``, ``test/accuracy`` and so on of a finished run whose data has a test part; those of
        ``kept``.
    kept_epoch
        The epoch whose weights its network has, if a callback has kept them, as early stopping does; else
        None.
    decision
        Of a finished run, the threshold by which its network tells two classes apart, if it has one.
    reason
        Why the run did not finish; None if it did.
    warnings
        Messages for the user, a line each.
    findings
        What stands out in how the network learned, a sentence each.
    importances
        What shuffling each column costs its network; None if it was not measured.
    run_id, experiment_id
        MLflow's ids; None with ``tracking=disabled``.
    registered
        The name and version of its model in MLflow's registry, such as ``trees version 3``; None if it was
        not registered.
    task
        The name of what it has learned.
    """

    config: TrainConfig
    name: str
    status: Status
    history: dict[str, list[float]]
    test: dict[str, float] = field(default_factory=dict)
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    run_id: str | None = None
    experiment_id: str | None = None
    registered: str | None = None
    kept_epoch: int | None = None
    kept: dict[str, float] = field(default_factory=dict)
    importances: Importances | None = None
    decision: Decision | None = None
    steps: dict[str, dict[int, float]] = field(default_factory=dict)
    task: str = Classification.name

    def last_metrics(self) -> dict[str, float]:
        """Return the last value of each metric; empty if the run ended before its first epoch did."""
        return last_values(self.history) | self.test | self.kept


def train_and_record(
    configs: Sequence[TrainConfig],
    overrides: Sequence[str] = (),
    *,
    writer: WriterProcess | None = None,
    cancel: Cancel | None = None,
    tags: Mapping[str, str] | None = None,
    resumption: Resumption | None = None,
    prepared: "PreparedSets | None" = None,
) -> list[RunResult]:
    """Train and record a run for each config, and return the results in order.

    Ctrl-C ends the runs in training; runs that have not begun are left out of the results.

    Parameters
    ----------
    overrides
        What the user typed to get these configs: it names the runs and is kept among their files.
    writer
        A writer that was started earlier, to save time.
    cancel
        Called after each epoch of each run with the run's index in ``configs``, the epoch and its metrics; if
        it returns True, the run leaves its stack at the end of the epoch that is then in training, as KILLED.
    tags
        Tags for every run, in addition to those that each has anyway.
    resumption
        The run to resume with the only config; see ``resumed_run``.
    prepared
        Data sets that are prepared already.

    Raises
    ------
    InputError
        If the data or a config that depends on it is wrong, or the experiment has been deleted in the store;
        then no run has been recorded.
    TrackingError
        If a run could not be recorded; what happened in it is kept in the file that the message names.
    """
    name = without_password(configs[0].run.name or "") or run_name(overrides)
    given = tags or {}
    prepared = prepared or PreparedSets()
    configs = [_resolved(config, prepared, resumption) for config in configs]
    requests = [
        RunRequest(config, config.run.name or name, overrides, tags=given, resumption=resumption)
        for config in configs
    ]
    with working("reading the data") if any(map(_has_large_files, configs)) else nullcontext():
        for config in configs:
            prepared.check(config)
    check_formats(configs)
    tell_tables(prepared.untold())
    for line in prepared.untold_lines():
        say(line, flush=True)
    location = store_location(configs[0].tracking)
    for experiment_name in dict.fromkeys(config.experiment_name for config in configs):
        if location and not resumption:
            check_experiment(experiment_name, location)
    if resumption:
        _check_data(resumption, prepared.of(resumption.config))
    with open_recorder(configs[0].tracking, writer, resumption.held if resumption else None) as recorder:
        with _watching(name, requests, prepared.of(configs[0]).task.name) as watch:
            runs = train_runs(requests, recorder, prepared, watch, cancel=cancel)
        if not runs:  # Ctrl-C came while the first was beginning
            raise KeyboardInterrupt
        with working("recording what waits to be recorded"):
            recorded = {run.run: run for run in recorder.close()}
    return [_result(run, recorded.get(run.number)) for run in runs]


class PreparedSets:
    """A cache of what runs begin with: data sets, each prepared once, and weights of other runs.

    Parameters
    ----------
    location
        The store of the runs whose weights others begin with; None for the one that these are recorded in.
    """

    def __init__(self, location: StoreLocation | None = None) -> None:
        self._location = location
        self._warm_starts: dict[StoreLocation, WarmStarts] = {}
        self._gone: set[str] = set()
        self._lines: dict[Hashable, str] = {}
        self._told_lines: set[str] = set()
        self._sets: dict[Hashable, PreparedData] = {}
        self._read_sets: dict[Hashable, Dataset] = {}
        self._given: dict[str, pyarrow.Table] = {}
        self._told: set[str] = set()

    def of(self, config: TrainConfig) -> PreparedData:
        """Return the run's data; raise ``InputError`` if anything is wrong with them."""
        source = self._source(config)
        if source not in self._sets:
            self._sets[source] = prepare_dataset(
                self._read(config), config.data, config.training.dtype, config.model.output
            )
        return self._sets[source]

    def _read(self, config: TrainConfig) -> Dataset:
        """Return the rows before they are split: a table is read once, however many splits there are."""
        data, task, key = config.data, asked_task(config), self.rows_key(config)
        if key not in self._read_sets:
            rows = self._given.get(data.digest) if isinstance(data, FrameTable) else None
            if isinstance(data, FrameTable) and rows is not None:
                with within_memory(FRAME):
                    self._read_sets[key] = data.of_rows(rows, config.recipe_version, task)
            else:
                self._read_sets[key] = load(data, version=config.recipe_version, task=task)
        return self._read_sets[key]

    def untold(self) -> list[PreparedData]:
        """Return those of data that have not been returned here before, of several splits the first."""
        found: dict[str, PreparedData] = {}
        for each in self._sets.values():
            if each.dataset.digest not in self._told:
                found.setdefault(each.dataset.digest, each)
        self._told |= found.keys()
        return list(found.values())

    def give(self, digest: str, rows: "pyarrow.Table") -> None:
        """Take a table that is at hand, so that it is not read from where it is kept, or will be."""
        self._given[digest] = rows

    def rows_key(self, config: TrainConfig) -> Hashable:
        """Return a key that is equal for runs whose data have the same rows, however these are split."""
        return config.data.rows_key(), config.recipe_version, asked_task(config)

    def rows_of(self, config: TrainConfig) -> Dataset:
        """Return the rows of a run's data before they are split."""
        return self._read(config)

    def take_rows(self, key: Hashable, rows: Dataset) -> None:
        """Take the rows of this key, perhaps from another machine, so that nothing is read or made here."""
        self._read_sets[key] = rows

    def resolved(self, config: TrainConfig) -> TrainConfig:
        """Return the config with the whole id of the run that it begins from, and its weights' digest.

        Raises
        ------
        InputError
            If there is no such run, or its weights are not those that the config asks for.
        """
        return self._runs_of(config).resolved(config) if config.model.init_from else config

    def warm_start(self, config: TrainConfig) -> WarmStart | None:
        """Return the weights that a run begins with, if they are another's and are needed."""
        typed = config.model.init_from
        return None if typed is None or typed in self._gone else self._runs_of(config).of(typed)

    def do_without(self, run_id: str) -> None:
        """Let runs begin without the weights of this run: they go on from checkpoints of their own."""
        self._gone.add(run_id)

    def untold_lines(self) -> list[str]:
        """Return the lines about layers that begin with other runs' weights, each once."""
        lines = [line for line in dict.fromkeys(self._lines.values()) if line not in self._told_lines]
        self._told_lines.update(lines)
        return lines

    def _runs_of(self, config: TrainConfig) -> WarmStarts:
        location = self._location or store_location(config.tracking)
        if location is None:
            raise InputError(
                f"{INIT_FROM}={config.model.init_from}: needs a store; with tracking={config.tracking.name} "
                "none is read"
            )
        return self._warm_starts.setdefault(location, WarmStarts(location))

    def _check_warm_start(self, config: TrainConfig, data: PreparedData) -> None:
        start = self.warm_start(config)
        if start is None:
            return
        key = (start.digest, replace(config.model, initial_scale=1.0), self._source(config))
        if key in self._lines:
            return
        copied = start.copy_to(
            like(config, data.training.features.shape[1], task_to_learn(config, data).output_size)
        )
        if not copied.layers:
            raise no_layer_fits(str(config.model.init_from), start.run, copied)
        self._lines[key] = f"{INIT_FROM}: {copied.line(start.run)}"

    def _source(self, config: TrainConfig) -> Hashable:
        return (
            config.data,
            config.training.dtype,
            config.recipe_version,
            config.task,
            config.model.output,
        )

    def check(self, config: TrainConfig) -> None:
        """Raise ``InputError`` if the run cannot train on its data, or not in this machine's memory."""
        data = self.of(config)
        check_layers(config)
        measured_names(config, task_to_learn(config, data))
        check_batches(config, len(data.training))
        stack_size(config, data, 1, 1)
        learned_classes([config], [data])
        check_watched(config, data)
        check_threshold(config, data)
        self._check_warm_start(config, data)
        if fold := config.data.held_out:
            key = ("folds", fold.count, data.dataset.digest)
            unused = config.data.test_fraction not in (0, DataSet.test_fraction)
            self._lines.setdefault(
                key,
                words_of_folds(data.dataset, fold.count)
                + f"; data.test_fraction={config.data.test_fraction} is not used" * unused,
            )


def asked_task(config: TrainConfig) -> str | None:
    """Return the task that a recipe asks for; None if the data decide."""
    return None if config.task == "auto" else config.task


def train_runs(
    requests: Sequence[RunRequest],
    recorder: RunRecorder,
    prepared: PreparedSets,
    watch: Watch,
    *,
    cancel: Cancel | None = None,
    closing: threading.Event | None = None,
    workers: int | None = None,
) -> list[LiveRun]:
    """Train and record a run for each request, and return those that have begun, in order.

    A run that fails raises nothing: its ``status`` and ``reason`` say how it ended. Ctrl-C ends the runs in
    training as KILLED.

    Parameters
    ----------
    watch
        Called for each epoch and each end of a run, in this thread.
    cancel
        As in ``train_and_record``, with the run's index in ``requests``.
    closing
        Once it is set, no further stack begins; those in training are finished.
    workers
        How many stacks train at a time; one for each core by default.

    Raises
    ------
    InputError
        If a config does not fit its data; ``prepared.check`` tells beforehand.
    """
    from threadpoolctl import threadpool_limits

    data_of = [prepared.of(request.config) for request in requests]
    alike: dict[Hashable, list[int]] = {}
    for place, request in enumerate(requests):
        alike.setdefault((stack_key(request.config), data_key(data_of[place])), []).append(place)
    workers = workers or os.cpu_count() or 1
    stacks = []
    for together in alike.values():
        # Where they make several stacks, those of one data set are in one, as far as that is possible.
        of_set: dict[int, list[int]] = {}
        for place in together:
            of_set.setdefault(id(data_of[place]), []).append(place)
        places = list(chain.from_iterable(of_set.values()))
        first = requests[places[0]].config
        size = stack_size(first, data_of[places[0]], len(places), workers, len(of_set))
        for start in range(0, len(places), size):
            part = places[start : start + size]
            stacks.append(
                Stack(
                    {place: requests[place] for place in part},
                    {place: data_of[place] for place in part},
                    recorder,
                    prepared.warm_start(first),
                )
            )
    # One thread for each matrix product: the networks are small, the cores are busy with other stacks, and
    # the rounding of sums then does not depend on the number of cores.
    with threadpool_limits(limits=1):
        train_stacks(stacks, workers, watch, cancel, closing or threading.Event())
    return sorted((run for stack in stacks for run in stack.runs), key=lambda run: run.place)


def default_metric(has_validation: bool, task: str) -> str:
    """Return the metric that runs of a task are ranked by unless another is given: of the kept model."""
    return f"{KEPT}{'val' if has_validation else 'train'}/{ranking_metric(task)}"


def run_name(overrides: Sequence[str]) -> str:
    """Return a name for a run, made from its overrides.

    For example, ``optimizer.learning_rate=0.3 seed=1`` gives ``learning_rate=0.3 seed=1``, and of keys that
    end alike more is left: ``seed=1 data.seed=0``. Overrides that say where the run is recorded, or that
    name or describe it, are left out.
    """
    short, names = [], short_names([key_of(override) for override in overrides])
    for override in overrides:
        key, value = key_of(override), override.partition("=")[2]
        if key.split(".")[0] not in (
            "tracking",
            "experiment_name",
            "sweep",
            "run",
            "drawing",
        ) and key not in (
            "training.resume",
            "data.digest",
        ):
            # Without the quotes that Hydra needs around text that looks like a number.
            value = re.sub(r"""(?<![^,([])"([\w.+-]+)"(?![^,)\]])""", r"\1", value)
            short.append(f"{names[key]}={value}")
    return printable(" ".join(map(hide_passwords, short)))[:250] or "defaults"


def open_recorder(
    tracking: Tracking,
    writer: WriterProcess | None,
    held: Claim | None = None,
    **more: Any,
) -> AbstractContextManager[RunRecorder]:
    """Return a recorder for a config's ``tracking``; ``more`` is for ``Recorder``."""
    location = store_location(tracking)
    return Recorder(location, writer, held, **more) if location else NullRecorder()


def _resolved(config: TrainConfig, prepared: PreparedSets, resumption: Resumption | None) -> TrainConfig:
    """Return the config with the run that it begins from, which one with a checkpoint does not need."""
    try:
        return prepared.resolved(config)
    except InputError as error:
        if not resumption or not resumption.checkpoint:
            raise
        say(f"{error}; not needed, as the run goes on from its checkpoint", flush=True)
        prepared.do_without(str(config.model.init_from))
        return config


def _has_large_files(config: TrainConfig) -> bool:
    """Return whether the data of a config take a while to read."""
    try:
        files = [Path(path).expanduser() for path in config.data.paths().values()]
        return any(path.is_file() and path.stat().st_size > _LARGE for path in files)
    except (OSError, RuntimeError, ValueError):  # a wrong path is reported when it is read
        return False


def _check_data(resumption: Resumption, data: PreparedData) -> None:
    digest = resumption.stored.tags.get(DATA_DIGEST)
    if digest != data.dataset.digest:
        raise InputError(
            f"training.resume={resumption.run_id}: the data have changed since that run began "
            f"(digest {data.dataset.digest[:12]}, not {str(digest)[:12]})"
        )


def _watching(name: str, requests: Sequence[RunRequest], task: str) -> AbstractContextManager[Watch]:
    """Show the progress of one run by its epochs, of many by how many have ended."""
    configs = [request.config for request in requests]
    epochs = [config.training.num_epochs for config in configs]
    metric = default_metric(configs[0].data.has_validation, task)
    if len(configs) == 1:
        return watch_epochs(name, epochs[0])
    names = [request.name for request in requests]
    seeds = [config.seed for config in configs]
    up = ascending(metric, "auto")
    return watch_runs(names, epochs, title=name, metric=metric, ascending=up, seeds=seeds)


def _result(run: LiveRun, recorded: RunIds | None) -> RunResult:
    return RunResult(
        run.config,
        run.request.name,
        run.status,
        run.history,
        run.test,
        run.reason,
        tuple(run.warnings),
        tuple(run.findings),
        recorded.run_id if recorded else None,
        recorded.experiment_id if recorded else None,
        recorded.registered if recorded else None,
        run.kept_epoch,
        run.kept,
        run.importances,
        run.decision,
        run.steps.points(),
        run.task.name,
    )
