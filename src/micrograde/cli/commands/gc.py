"""Remove for good the runs that were deleted in MLflow, with their files. `--help` lists the keys."""

import sys
from collections.abc import Collection, Sequence

from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import GcConfig
from micrograde.config.exit_lines import RUN_FAILED
from micrograde.config.locations import store_location
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError
from micrograde.core.file_sizes import Size, in_bytes, size_of
from micrograde.core.terminal import clear_status, say
from micrograde.core.working import working
from micrograde.store import StoreLocation
from micrograde.store.garbage import Best, DeletedRun, Garbage, find_garbage
from micrograde.store.removing import Removed, remove, shrink_database
from micrograde.store.sizes import measure
from micrograde.tracking import recover

_LINES = 20  # of what stays, at most
_FLAGS = {"--older-than": "older_than", "--keep-best": "keep_best", "--dry-run": "dry_run", "--yes": "yes"}


@entry_point(config_name="gc", flags=_FLAGS)
def main(composed: Config) -> None:
    """Say what would go and what stays, ask, and remove it; exit with status 1 if something could not be."""
    config = parse_command(GcConfig, composed)
    tracking = config.tracking
    if tracking.removed_by is not None:
        raise InputError(
            f"tracking={tracking.name}: gc is for the project's own store; use {tracking.removed_by}"
        )
    location = store_location(tracking)
    with working("looking for unsent records", "nowhere"):
        recover(location)
    best = best_of(config.keep_best) if config.keep_best else None

    def find() -> Garbage:
        return find_garbage(location, config.seconds, best)

    with working("looking for what was deleted", "stderr"):
        garbage = find()
        say(f"mlruns      {measure(location.folder)}")
    if config.seconds:
        say(f"older than  {config.older_than}, counted from when a run was deleted")
    for line in garbage.stays[:_LINES]:
        say(f"stays       {line}")
    if len(garbage.stays) > _LINES:
        say(f"stays       and {len(garbage.stays) - _LINES:,} more")
    if garbage:
        say(f"goes        {what_goes(garbage, location)}")
    if not garbage:
        say("nothing to remove")
        if not config.dry_run:
            say_shrunk(location)
    elif config.dry_run:
        say("nothing removed: this is a dry run")
    elif not (config.yes or agreed()):
        say("nothing removed")
    else:
        with working("removing", "stderr"):
            removed = remove(location, garbage, find)
        report(removed)
        say_shrunk(location)
        if removed.failed:
            sys.exit(RUN_FAILED)


def best_of(number: int) -> Best:
    """Return what finds the best of an experiment's deleted runs, by the metric that runs are compared by."""

    def best(runs: Sequence[DeletedRun]) -> Collection[str]:
        import pandas as pd

        from micrograde.analysis import order_runs, usual_metric

        rows = [{"run_id": run.run_id, "run_name": run.name, **run.metrics} for run in runs]
        frame = pd.DataFrame(rows)
        metric = usual_metric(frame)
        if metric not in frame:
            return ()
        return order_runs(frame[frame[metric].notna()], metric).head(number)["run_id"].tolist()

    return best


def what_goes(garbage: Garbage, location: StoreLocation) -> str:
    """Return a phrase of how many runs, files and bytes go."""
    size = Size()
    for path in garbage.paths(location):
        size = size.plus(size_of(path))
    models = len(garbage.models) + sum(len(run.models) for run in garbage.runs)
    return counted(len(garbage.runs), models, len(garbage.experiments), len(garbage.tables), size)


def counted(runs: int, models: int, experiments: int, tables: int, size: Size) -> str:
    """Return the numbers in words."""
    numbers = {"run": runs, "logged model": models, "experiment": experiments, "table": tables}
    there_are = {what: number for what, number in numbers.items() if number} or {"run": 0}
    there_are["file"] = size.files
    parts = [f"{number:,} {what}{'s' * (number != 1)}" for what, number in there_are.items()]
    return ", ".join([*parts, in_bytes(size.bytes)])


def agreed() -> bool:
    """Ask, and return whether the answer is yes; anything else is no.

    Raises
    ------
    InputError
        If nobody answers, as where no terminal is.
    """
    clear_status()
    print("remove them for good? [y/N] ", end="", flush=True)
    try:
        answer = sys.stdin.readline() if sys.stdin else ""
    except (OSError, ValueError):
        answer = ""
    on_terminal = bool(sys.stdin and sys.stdin.isatty())
    if not (on_terminal and answer.endswith("\n")):
        print(flush=True)
    if not answer and not on_terminal:
        raise InputError("nothing removed: nobody has answered; without a terminal type --yes, or --dry-run")
    return answer.strip().lower() in ("y", "yes")


def report(removed: Removed) -> None:
    """Say what was removed, and what could not be."""
    numbers = (removed.runs, removed.models, removed.experiments, removed.tables)
    say(f"removed     {counted(*numbers, removed.size)}")
    for line in removed.failed[:_LINES]:
        say(f"failed      {line}", sys.stderr)
    if len(removed.failed) > _LINES:
        say(f"failed      and {len(removed.failed) - _LINES:,} more", sys.stderr)


def say_shrunk(location: StoreLocation) -> None:
    """Give free space in the database back, and say so if it was worthwhile."""
    with working("shrinking the database", "stderr"):
        line = shrink_database(location)
    if line:
        say(f"database    {line}")
