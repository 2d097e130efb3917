"""Compare recorded runs: a table, best first, with the parameters that differ. `--help` lists the keys."""

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.analysis import (
    SUFFIXES,
    VERDICT,
    best_setting,
    by_importance,
    check_output,
    compare_settings,
    group_over_seeds,
    in_short,
    list_run_ids,
    load_history,
    load_runs,
    merge_mean_and_std,
    order_runs,
    print_table,
    table_of_runs,
    usual_metric,
    varying_parameters,
    with_verdicts,
    without_metric,
    write_table,
)
from micrograde.analysis.repeats import of_settings, split_retests
from micrograde.analysis.short_ids import SHORTEST
from micrograde.analysis.what_mattered import in_words
from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import CompareConfig
from micrograde.config.locations import store_location
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.project import command_line, project_home
from micrograde.core.terminal import print_notice, say, terminal_lines, terminal_width
from micrograde.core.working import working
from micrograde.metrics import is_of_one_class
from micrograde.runs.side_by_side import compare_runs, picture_path, told_apart
from micrograde.store import StoredSweep, StoreLocation, find_sweep, make_command
from micrograde.store.garbage import find_garbage
from micrograde.store.metric_names import name_among
from micrograde.store.readers import store_of
from micrograde.store.sizes import large_store
from micrograde.sweeps.best_pictures import pictures_of_run
from micrograde.sweeps.out_of_fold import read_out_of_fold
from micrograde.sweeps.report import SweepReport, metrics_drawn, report_folder, write_sweep_report
from micrograde.sweeps.retest import Retested, retested
from micrograde.sweeps.searched import is_of_a_search
from micrograde.tracking import recover

if TYPE_CHECKING:
    import pandas as pd

_ROOM = 70  # columns for what mattered, beside the label, on a terminal of 80
_LONG = 40  # characters; longer values are shown from the place where they differ


@entry_point(config_name="compare", names_runs=True)
def main(composed: Config) -> None:
    """Show a table of runs, or a few runs side by side."""
    config = parse_command(CompareConfig, composed)
    output = Path(config.output) if config.output else None
    if output:
        check_output(output, (".svg", *SUFFIXES) if config.runs else SUFFIXES)
    location = store_location(config.tracking)
    with working("looking for unsent records", "nowhere"):
        recover(location)
    if config.runs:
        show_side_by_side(location.tracking_uri, config, output)
    else:
        show_table(location, config, output)
    if config.tracking.removed_by is None and (size := large_store(location.folder)):
        there_are = ""
        with suppress(InputError):
            if freed := len(find_garbage(location).runs):
                there_are = f"; {command_line('gc')} removes {freed:,} deleted run{'s' * (freed != 1)}"
        print_notice(f"mlruns has grown to {size}{there_are}")


def show_table(location: StoreLocation, config: CompareConfig, output: Path | None) -> None:
    """Load the runs, order and print them; write the report of a sweep."""
    uri = location.tracking_uri
    name = config.experiment_name
    sweep = find_sweep(uri, config.sweep, experiment_name=name) if config.sweep else None
    which = sweep.run_id if sweep else None
    with working("reading the runs", "stderr"):
        read = load_runs(
            uri,
            experiment_name=name,
            status=config.status,
            where=config.where,
            sweep=which,
            retests=True,
        )
    runs, retests = split_retests(read) if sweep or config.over_seeds else (read, read.iloc[:0])
    if runs.empty and not sweep:  # only retests were asked for
        runs, retests = retests, runs
    chosen = bool(name or config.status or config.where or sweep)
    if runs.empty:
        say(f"No runs yet, or none that match. Make one with: {make_command('train', uri)}")
        return
    metric = name_among(config.metric, runs) if config.metric else usual_metric(runs)
    measured = config.metric is not None or (metric in runs and runs[metric].notna().any())
    if config.over_seeds:
        if not measured:
            raise InputError(f"over_seeds=true: no run has {metric}, so there is no mean to take")
        means = group_over_seeds(runs, metric, config.order)
        table = with_verdicts(means, compare_settings(runs, metric, config.order, margin=config.margin))
        shown = merge_mean_and_std(means)
        shown.insert(list(shown).index(metric) + 1, VERDICT, table["words"])
    else:
        table = order_runs(runs, metric, config.order, finished_first=sweep is not None) if measured else runs
        shown = table_of_runs(table, metric, list_run_ids(uri) if chosen else ())
    # A mean with its deviation is text, of which a part is useless.
    whole = [name for name in map(str, shown) if name == VERDICT or "/" in name]
    title = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    with working("drawing the report", "stderr"):
        again = retested(runs, retests, sweep.varies, metric, config.order) if sweep else None
        report = write_report(location, sweep, runs, metric, config, again) if sweep else None
    if sweep and report:
        unfinished = f", {report.unfinished} did not" if report.unfinished else ""
        title = f"{sweep.name}: {title}, {report.finished} finished{unfinished}"
    order = f"best {metric} first" if measured else f"none has {metric}"
    rows = min(config.limit or len(shown), len(shown))
    print_table(
        shown.head(rows),
        f"{title}, {order}",
        important=by_importance(runs, metric),
        unbroken=whole if config.over_seeds else (),
        folding=(VERDICT,),
        needed=of_settings(varying_parameters(runs)) if config.over_seeds else (),
        whole=f"output={config.output or 'runs.csv'}",
    )
    if config.metric is None and (line := without_metric(runs, metric)):
        say(f"note      {line}; metric=... orders by another")
    if 0 < terminal_lines() < rows:
        say(f"{rows} rows, the best at the top; limit=20 prints the first 20")
    if config.over_seeds and not sweep:
        best = best_setting(runs, metric, config.order)
        for note in best.notes if best and best.passed_over else ():
            say(f"note      {note}")
    if len(retests) and not sweep:
        say(f"note      {_not_counted(retests)}")
    if output:
        write_table(table.head(rows), output)
        say(f"written to {output}")
    if report:
        lines = report.best.lines() if report.best else [("best", f"none: no run that finished has {metric}")]
        for word, text in lines:
            say(f"{word:<9} {printable(text)}")
        if report.compared is not None and (found := in_short(report.compared)):
            word, text = found
            say(f"{word:<9} {printable(text)}")
        if line := in_words(report.mattered, metric, _ROOM):
            say(f"mattered  {line}")
        if again:
            if report.page:
                again.write(report.page.parent)
            for number, line in enumerate(again.lines()):
                say(f"{'' if number else 'retest':<10}{line}")
        for line in report.left_out:
            print(printable(line), file=sys.stderr)
        if report.page:
            say(f"report    {report.page}")


def _not_counted(retests: "pd.DataFrame") -> str:
    """Return a line about the runs on fresh seeds that the means of a whole store leave out."""
    count = len(retests)
    which = "1 run on a fresh seed is" if count == 1 else f"{count:,} runs on fresh seeds are"
    sweep = str(retests["parent_run_id"].iloc[0])[:SHORTEST]  # of the newest
    return f"{which} not counted (sweep.retest): {command_line('compare', f'sweep={sweep}')}"


def show_side_by_side(uri: str, config: CompareConfig, output: Path | None) -> None:
    """Print the params that differ and the last values of metrics; draw the curves."""
    with working("reading the runs", "stderr"):
        found = compare_runs(uri, config.runs, config.metric)
    whole = f"output={config.output if output and output.suffix != '.svg' else 'runs.csv'}"
    differences = found.differences.fillna("-").reset_index()
    if terminal_width():
        for row, values in enumerate(found.differences.fillna("-").to_numpy().tolist()):
            differences.iloc[row, 1:] = told_apart(values, _LONG, "…")
    print_table(differences, found.title, whole=whole)
    metrics = found.readable_metrics()
    of_classes = metrics["metric"].map(is_of_one_class)
    print_table(metrics[~of_classes], "last values", numbers=found.metrics.columns, whole=whole)
    if of_classes.any():
        say(f"note      {of_classes.sum()} values of single classes: {whole}")
    for note in found.notes:
        say(f"note      {printable(note)}")
    if output and output.suffix != ".svg":
        write_table(found.table(), output)
        say(f"written   {output}")
    if found.curves is None:
        return
    picture = output if output and output.suffix == ".svg" else picture_path(project_home(), found.runs)
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        found.curves.save(picture)
    except OSError as error:
        raise InputError(f"{picture}: cannot be written ({error.strerror})") from None
    say(f"curves    {picture}")


def write_report(
    location: StoreLocation,
    sweep: StoredSweep,
    runs: "pd.DataFrame",
    metric: str,
    config: CompareConfig,
    again: Retested | None,
) -> SweepReport:
    """Write the sweep's report to the folder in the config, by default one named after the sweep."""
    uri = location.tracking_uri
    history = load_history(uri, sweep=sweep.run_id, metrics=metrics_drawn(metric))
    folder = report_folder(project_home(), sweep.name, sweep.run_id)
    folder = Path(config.report) if config.report else folder
    try:
        return write_sweep_report(
            folder,
            runs,
            history,
            title=sweep.name,
            varies=sweep.varies,
            metric=metric,
            order=config.order,
            pictures_of=partial(pictures_of_run, location=location),
            retests=again.table if again else None,
            held_out=read_out_of_fold(location, sweep.run_id),
            searched=is_of_a_search(store_of(uri).read_details(uri, sweep.run_id), len(runs)),
        )
    except OSError as error:
        raise InputError(f"report={folder}: cannot be written ({error.strerror})") from None
