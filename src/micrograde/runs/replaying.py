"""Replay: train a recorded run again from its stored recipe, and compare every value.

Nothing from the store is executed: the recipe is YAML that the schema checks, and neither weights nor
checkpoints are read.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from micrograde.config.locations import store_location
from micrograde.core.errors import InputError
from micrograde.core.plugins import changed_plugins
from micrograde.core.working import working
from micrograde.metrics import STEP
from micrograde.runs.building import steps_of_epoch
from micrograde.runs.files import files_of, read_recipe
from micrograde.runs.live_run import RunRequest
from micrograde.runs.progress import watch_epochs
from micrograde.runs.train import PreparedSets, train_runs
from micrograde.store import Backend, StoredRun, load_run, same_value, tags
from micrograde.store.backends.disabled import DisabledTracking
from micrograde.tracking import UNCOMMITTED, NullRecorder, present_provenance, provenance_of, recover

History = Mapping[str, Mapping[int, float]]
"""Each metric's value by step."""

_EPOCHS = "train/loss"  # the metric that every epoch has


@dataclass(frozen=True)
class MetricComparison:
    """A metric of the stored run compared with that of the replay.

    Attributes
    ----------
    values
        The number of steps with a value, stored or replayed.
    different
        The number of steps at which the values differ, bit for bit, or one of them is missing.
    first
        The first such step, the stored and the replayed value; a missing one is None.
    recorded
        Whether the run has the metric at all. One that only later versions measure counts as no difference.
    """

    metric: str
    values: int
    different: int
    first: tuple[int, float | None, float | None] | None
    recorded: bool = True

    def line(self, width: int = 0) -> str:
        """Return the result in a line, with the metric's name padded to ``width`` characters."""
        start = f"{self.metric:<{width}} {self.values:>6} values"
        if not self.recorded:
            return f"{start}  not recorded then"
        if self.first is None:
            return f"{start}  identical"
        step, stored, replayed = self.first
        error = ""
        if stored is not None and replayed is not None and stored:
            error = f", relative {abs(replayed - stored) / abs(stored):.1e}"
        what = f"at step {step} {_shown(replayed)}, stored {_shown(stored)}{error}"
        return f"{start}  {self.different} differ: {what}"


@dataclass(frozen=True)
class Replay:
    """The result of a replay.

    Attributes
    ----------
    differences
        What is known to differ between the run and its replay, a line each: data, code, libraries, processor.
    """

    run: StoredRun
    metrics: Sequence[MetricComparison]
    differences: Sequence[str]

    @property
    def identical(self) -> bool:
        """Whether every value that the run recorded was reproduced, bit for bit."""
        return not any(each.different for each in self.metrics)


def replay_run(run_id: str, where: Backend, data_paths: Mapping[str, str] | None = None) -> Replay:
    """Train a run again as it was recorded, up to the epoch that it reached.

    Parameters
    ----------
    run_id
        The run's id or its beginning.
    data_paths
        Paths of its data files, by key below ``data``, if they are not where the run had them.

    Raises
    ------
    InputError
        If there is no such run, it is still running, is a sweep, has recorded no value, or its recipe or
        data cannot be read.
    """
    location = store_location(where)
    with working("looking for the run", "nowhere"):
        recover(location)
        run = load_run(location.tracking_uri, run_id)
    name = f"run_id={run.about.run_id}"
    if run.about.status == "RUNNING":
        raise InputError(f"{name}: the run is going on; wait until it has ended")
    if tags.SWEEP_DIGEST in run.tags:
        raise InputError(f"{name}: is a sweep; replay one of its runs")
    if not run.history:
        raise InputError(f"{name}: has recorded no value, so there is nothing to compare")
    epochs = max(run.history.get(_EPOCHS, {}), default=0)
    steps = max((max(points) for name, points in run.history.items() if name.startswith(STEP)), default=0)
    with files_of(run, location) as files:
        config = read_recipe(files, run, DisabledTracking(), data_paths)
    prepared = PreparedSets(location)
    with working("reading the data"):
        config = prepared.resolved(config)
        prepared.check(config)
    recorder = _MemoryRecorder()
    title = f"replaying {run.about.run_name}"
    # A run that was stopped is stopped again, after the epoch that it reached, or was in: it may have logged
    # steps of that.
    stopped = run.about.status == "KILLED"
    in_epoch = steps > epochs * steps_of_epoch(config, len(prepared.of(config).training))
    last = epochs + in_epoch if stopped else None
    with watch_epochs(title, last or config.training.num_epochs) as watch:
        train_runs(
            [RunRequest(config, title)],
            recorder,
            prepared,
            watch,
            cancel=lambda place, epoch, metrics: epoch == last,  # noqa: ARG005
        )
    replayed = recorder.history
    if stopped and in_epoch:
        replayed = _up_to(replayed, epochs, steps)
    metrics = compare_histories(run.history, replayed)
    differences = _differences(run.tags, prepared.of(config).dataset.digest)
    return Replay(run, metrics, [*differences, *changed_plugins(config.plugins)])


def compare_histories(stored: History, replayed: History) -> list[MetricComparison]:
    """Compare stored and replayed values metric by metric, in the order of the replay."""
    comparisons = []
    for metric in dict.fromkeys((*replayed, *stored)):
        before, after = stored.get(metric, {}), replayed.get(metric, {})
        if not before:
            comparisons.append(MetricComparison(metric, len(after), 0, None, recorded=False))
            continue
        steps = sorted({*before, *after})
        different = [
            step
            for step in steps
            if step not in before or step not in after or not same_value(before[step], after[step])
        ]
        first = next(((step, before.get(step), after.get(step)) for step in different), None)
        comparisons.append(MetricComparison(metric, len(steps), len(different), first))
    return comparisons


def _up_to(history: History, epochs: int, steps: int) -> dict[str, dict[int, float]]:
    """Return the values until so many epochs, and of what is logged by step until so many steps."""
    found = {}
    for name, of_steps in history.items():
        last = steps if name.startswith(STEP) else epochs
        if kept := {step: value for step, value in of_steps.items() if step <= last}:
            found[name] = kept
    return found


def _differences(recorded: Mapping[str, str], data_digest: str) -> list[str]:
    """Return what differs from when the run was recorded, as far as that was recorded, a line each."""
    now = present_provenance()
    before, after = provenance_of(recorded), provenance_of({**now, tags.DATA_DIGEST: data_digest})
    names = [name for name in {**after, **before} if name != UNCOMMITTED]
    lines = [
        f"{name} {after.get(name, 'unknown')}, was {before.get(name, 'unknown')}"
        for name in names
        if before.get(name) != after.get(name)
    ]
    for when, given in (("then", before), ("now", after)):
        if given.get(UNCOMMITTED) == "yes":
            lines.append(f"the working tree had changes that were not committed ({when})")
    return lines


class _MemoryRecorder(NullRecorder):
    """Keeps the values of a single run in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, dict[int, float]] = {}

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:  # noqa: ARG002
        for metric, value in values.items():
            self.history.setdefault(metric, {})[step] = value

    def log_steps(
        self,
        runs: Sequence[int],  # noqa: ARG002
        steps: Sequence[int],
        values: Mapping[str, Sequence[Sequence[float]]],
    ) -> None:
        for metric, of_steps in values.items():
            of_run = zip(steps, (of_runs[0] for of_runs in of_steps), strict=True)
            self.history.setdefault(metric, {}).update(of_run)

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        self.log_metrics(runs[0], step, {metric: of_runs[0] for metric, of_runs in values.items()})


def _shown(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.17g}" if math.isfinite(value) else str(value)
