"""The main job: train a network on a data set and record the run. `--help` lists the keys."""

import sys
from collections.abc import Mapping

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from micrograde.cli.command_line import SEVERAL_RUNS, Config, recording_entry_point
from micrograde.config.exit_lines import INTERRUPTED
from micrograde.config.locations import store_location, where_to_look
from micrograde.config.parsing import parse_sweep_config, parse_train_config
from micrograde.core.errors import RunFailedError
from micrograde.core.terminal import say
from micrograde.data.messages import quoted
from micrograde.diagnostics import Importances
from micrograde.metrics import BASELINE, KEPT, formatted, name_of_entry
from micrograde.runs.measured import measuring
from micrograde.runs.resuming import Resumption, resumed_run
from micrograde.runs.train import RunResult, default_metric, train_and_record
from micrograde.store import tags
from micrograde.store.metric_names import recorded_name
from micrograde.sweeps.folds import held_out
from micrograde.sweeps.members import run_members
from micrograde.sweeps.options import check_alone
from micrograde.tasks import TASKS, Task
from micrograde.tracking import WriterProcess
from micrograde.training.callbacks.early_stopping import EarlyStoppingSettings

_PARTS = {"val": "validation", "test": "test"}
_COLUMNS = 3  # whose importances are shown, at most


@recording_entry_point(config_name="train")
def main(composed: Config, writer: WriterProcess | None) -> object:
    """Train, print the outcome, and return the metric that a search optimizes; train a sweep's job."""
    sweep = parse_sweep_config(composed)
    if sweep.members:
        return run_members(sweep.members)
    alone = HydraConfig.get().mode != RunMode.MULTIRUN
    if alone and held_out(composed["data"]).space:
        return SEVERAL_RUNS
    if alone:
        check_alone(sweep)
    config = parse_train_config(measuring(composed, sweep.metric))
    nested = {tags.PARENT: sweep.parent_run_id} if sweep.parent_run_id else None
    overrides = HydraConfig.get().overrides.task
    with resumed_run(config, overrides) as resumption:
        if config.training.resume:
            say(resuming(resumption), flush=True)
        config = resumption.config if resumption else config
        (result,) = train_and_record([config], overrides, writer=writer, tags=nested, resumption=resumption)
    for warning in result.warnings:
        say(warning, sys.stderr)
    say(outcome(result))
    if result.status == "FAILED":
        raise RunFailedError(f"the run FAILED: {result.reason}")
    if result.status == "KILLED":
        sys.exit(INTERRUPTED)
    metric = sweep.metric or default_metric(config.data.has_validation, result.task)
    return result.last_metrics().get(recorded_name(metric, config.recipe_version))


def resuming(resumption: Resumption | None) -> str:
    """Return the lines that say which run is resumed, and from where."""
    if resumption is None:
        return "nothing to resume; a new run"
    lines = [f"{problem}; not used" for problem in resumption.problems]
    where = (
        f"after epoch {resumption.epoch}" if resumption.epoch else "from its beginning: it has no checkpoint"
    )
    return "\n".join([*lines, f"resuming    run {resumption.run_id} {where}"])


def kept_weights(result: RunResult) -> str:
    """Return which epoch's weights a run has kept, and the metric that early stopping went by."""
    text = f"the weights of epoch {result.kept_epoch} of {len(result.history['train/loss'])}"
    stopping = result.config.training.settings_of(EarlyStoppingSettings)
    by_metric = stopping.enabled or result.config.training.keep == "best"  # if not, another callback keeps
    if not by_metric or f"{KEPT}{stopping.metric}" not in result.kept:
        return text
    value = formatted(stopping.metric.partition("/")[2], result.kept[f"{KEPT}{stopping.metric}"], ".4f")
    return f"{text} ({stopping.metric} {value})"


def _baseline(values: Mapping[str, float], task: type[Task]) -> str:
    """Return what is reached without learning anything of the features; empty if that is not known."""
    measured = task.metrics[0]
    found = {title: values.get(f"{KEPT}{part}/{BASELINE}{measured}") for part, title in _PARTS.items()}
    texts = [
        f"{formatted(measured, value, '.4f')} ({title})"
        for title, value in found.items()
        if value is not None
    ]
    return f"{measured} {', '.join(texts)} by {task.baseline}" if texts else ""


def columns_that_matter(found: Importances) -> str:
    """Return what shuffling the most important columns costs, if it is more than chance can make."""
    cost, metric = found.cost, found.metric
    rows = f"on {found.rows} {_PARTS.get(found.part, 'training')} rows"
    told = [place for place, low in enumerate(cost.low.tolist()) if low > 0][:_COLUMNS]
    if not told:
        return ""
    costs = (
        f"{quoted(found.columns[place])} {formatted(metric, cost.mean[place], '.4f')} "
        f"± {formatted(metric, cost.high[place] - cost.mean[place], '.4f')}"
        for place in told
    )
    what = f"how much shuffling one raises the {metric}"
    if found.worsens == "falls":
        what = f"what shuffling one costs of the {metric}"
    return f"{what} {rows}: {', '.join(costs)}"


def outcome(result: RunResult) -> str:
    """Return the summary of a run: what the kept model reaches, findings, its status, and where to look."""
    lines, values = [], result.kept or result.last_metrics()
    kept = KEPT if result.kept else ""
    task = TASKS[result.task]
    first, *others = (*task.metrics, *map(name_of_entry, result.config.training.measured))
    names = dict.fromkeys((first, "loss", *others, *task.shown))
    for part, title in _PARTS.items():
        there_are = [name for name in names if f"{kept}{part}/{name}" in values]
        if there_are:
            texts = [f"{name} {formatted(name, values[f'{kept}{part}/{name}'], '.4f')}" for name in there_are]
            lines.append(f"{title:<11} {'  '.join(texts)}")
    if baseline := _baseline(values, task):
        lines.append(f"{'baseline':<11} {baseline}")
    if result.kept_epoch:
        lines.append(f"{'kept':<11} {kept_weights(result)}")
    if result.decision:
        lines.append(f"{'threshold':<11} {result.decision}")
    if result.importances and (columns := columns_that_matter(result.importances)):
        lines.append(f"{'columns':<11} {columns}")
    lines.extend(f"finding     {finding}" for finding in result.findings)
    if result.run_id:
        lines.append(
            f"{result.status.lower():<11} run {result.run_id} of experiment {result.config.experiment_name}"
        )
        if result.registered:
            lines.append(f"registered  {result.registered}")
        location = store_location(result.config.tracking)
        assert location
        lines.append(where_to_look(location.tracking_uri))
    return "\n".join(lines)
