"""Where everything meets: configs in, recorded runs out.

``train_and_record`` checks the input of every run before it records anything, trains, records what
happens as it happens, and returns the results in the order of the configs. ``train_runs`` is the same for
whoever has a recorder already. A single run is a stack of one replica.
"""

import os
import re
import threading
from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from micrograde.analysis.comparing import ascending
from micrograde.config.keys import key_of
from micrograde.config.locations import store_location
from micrograde.config.recipe_versions import EXACT_LABELS
from micrograde.config.schema import AnyTracking, DataConfig, TrainConfig
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.redaction import hide_passwords, without_password
from micrograde.core.working import working
from micrograde.runs.building import PreparedData, check_batches, prepare_data, stack_key, stack_size
from micrograde.runs.files import data_paths
from micrograde.runs.live_run import LiveRun, RunRequest, Status, last_values
from micrograde.runs.progress import Watch, watch_epochs, watch_runs
from micrograde.runs.resuming import Resumption
from micrograde.runs.stacks import Cancel, Stack, train_stacks
from micrograde.store import check_experiment
from micrograde.store.tags import DATA_DIGEST
from micrograde.tracking import Claim, NullRecorder, Recorder, RunIds, RunRecorder, WriterProcess

_LARGE = 1_000_000  # bytes of a data file


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
    warnings
        What else is to be known, a line each.
    findings
        What stands out in how it learned, a sentence each.
    run_id, experiment_id
        MLflow's; None with ``tracking=disabled``.
    registered
        What its model has become in MLflow's registry: ``trees version 3``.
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

    def last_metrics(self) -> dict[str, float]:
        """The last value of each metric; nothing of a run that ended before its first epoch."""
        return last_values(self.history) | self.test


def train_and_record(
    configs: Sequence[TrainConfig],
    overrides: Sequence[str] = (),
    *,
    writer: WriterProcess | None = None,
    cancel: Cancel | None = None,
    tags: Mapping[str, str] | None = None,
    resumption: Resumption | None = None,
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
    tags
        For every run, beside those that it has anyway.
    resumption
        The run that goes on with the only config there is; see ``resumed_run``.

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
    requests = [
        RunRequest(config, config.run.name or name, overrides, tags=given, resumption=resumption)
        for config in configs
    ]
    prepared = PreparedSets()
    with working("reading the data") if any(map(_has_large_files, configs)) else nullcontext():
        for config in configs:
            prepared.check(config)
    location = store_location(configs[0].tracking)
    for experiment_name in dict.fromkeys(config.experiment_name for config in configs):
        if location and not resumption:
            check_experiment(experiment_name, location)
    if resumption:
        _check_data(resumption, prepared.of(resumption.config))
    with open_recorder(configs[0].tracking, writer, resumption.held if resumption else None) as recorder:
        with _watching(name, requests) as watch:
            runs = train_runs(requests, recorder, prepared, watch, cancel=cancel)
        if not runs:  # Ctrl-C came while the first was beginning
            raise KeyboardInterrupt
        with working("recording what waits to be recorded"):
            recorded = {run.run: run for run in recorder.close()}
    return [_result(run, recorded.get(run.number)) for run in runs]


class PreparedSets:
    """Data sets, each prepared once however many runs train on it."""

    def __init__(self) -> None:
        self._sets: dict[tuple[DataConfig, str, bool], PreparedData] = {}

    def of(self, config: TrainConfig) -> PreparedData:
        """The run's data; raises ``InputError`` for whatever is wrong with it."""
        exact_labels = config.recipe_version >= EXACT_LABELS
        source = (config.data, config.training.dtype, exact_labels)
        if source not in self._sets:
            self._sets[source] = prepare_data(config.data, config.training.dtype, exact_labels=exact_labels)
        return self._sets[source]

    def check(self, config: TrainConfig) -> None:
        """Raise ``InputError`` unless the run could train on its data, in this machine's memory."""
        data = self.of(config)
        check_batches(config, len(data.training))
        stack_size(config, data, 1, 1)


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
    """Train and record a run for each request; those that have begun, in order.

    How each run ended is in the run, not an exception; Ctrl-C ends those in training as KILLED.

    Parameters
    ----------
    watch
        Is told of what happens, from this thread.
    cancel
        See ``train_and_record``; the place is that in ``requests``.
    closing
        Once it is set, no further stack begins; those in training go on to their end.
    workers
        How many stacks train at a time; one for each core by default.

    Raises
    ------
    InputError
        If a config does not fit its data; ``prepared.check`` says so beforehand.
    """
    from threadpoolctl import threadpool_limits

    alike: dict[Hashable, list[int]] = {}
    for place, request in enumerate(requests):
        alike.setdefault(stack_key(request.config), []).append(place)
    workers = workers or os.cpu_count() or 1
    stacks = []
    for places in alike.values():
        first = requests[places[0]].config
        data = prepared.of(first)
        size = stack_size(first, data, len(places), workers)
        for start in range(0, len(places), size):
            part = {place: requests[place] for place in places[start : start + size]}
            stacks.append(Stack(part, data, recorder))
    # One thread for each matrix product: the networks are small, the cores are busy with other stacks, and a
    # sum then never depends on the machine.
    with threadpool_limits(limits=1):
        train_stacks(stacks, workers, watch, cancel, closing or threading.Event())
    return sorted((run for stack in stacks for run in stack.runs), key=lambda run: run.place)


def default_metric(validation_fraction: float) -> str:
    """What tells a good run from a bad one, where nothing else is said."""
    return "val/accuracy" if validation_fraction > 0 else "train/accuracy"


def run_name(overrides: Sequence[str]) -> str:
    """What was typed, short: ``optimizer.learning_rate=0.3 seed=1`` is ``learning_rate=0.3 seed=1``.

    Where the run is recorded, and what else is said of it, is no part of its name.
    """
    short = []
    for override in overrides:
        key, value = key_of(override), override.partition("=")[2]
        if (
            key.split(".")[0] not in ("tracking", "experiment_name", "sweep", "run")
            and key != "training.resume"
        ):
            # Text that looks like a number has been quoted for Hydra.
            value = re.sub(r"""(?<![^,([])"([\w.+-]+)"(?![^,)\]])""", r"\1", value)
            short.append(f"{key.rpartition('.')[2]}={value}")
    return printable(" ".join(map(hide_passwords, short)))[:250] or "defaults"


def open_recorder(
    tracking: AnyTracking, writer: WriterProcess | None, held: Claim | None = None
) -> AbstractContextManager[RunRecorder]:
    """A recorder for what a config says of tracking."""
    location = store_location(tracking)
    return Recorder(location, writer, held) if location else NullRecorder()


def _has_large_files(config: TrainConfig) -> bool:
    """Whether its data take a while to read."""
    try:
        files = [Path(path).expanduser() for path in data_paths(config.data).values()]
        return any(path.is_file() and path.stat().st_size > _LARGE for path in files)
    except (OSError, RuntimeError, ValueError):  # reading it says what is wrong with the path
        return False


def _check_data(resumption: Resumption, data: PreparedData) -> None:
    digest = resumption.stored.tags.get(DATA_DIGEST)
    if digest != data.dataset.digest:
        raise InputError(
            f"training.resume={resumption.run_id}: the data have changed since that run began "
            f"(digest {data.dataset.digest[:12]}, not {str(digest)[:12]})"
        )


def _watching(name: str, requests: Sequence[RunRequest]) -> AbstractContextManager[Watch]:
    """One run is watched by its epochs, many by their ends."""
    configs = [request.config for request in requests]
    epochs = [config.training.num_epochs for config in configs]
    metric = default_metric(configs[0].data.validation_fraction)
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
    )
