"""Compare recorded runs: a table, best first, with the parameters that differ. `--help` lists the keys."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.analysis import (
    Sweep,
    check_output,
    find_sweep,
    group_over_seeds,
    load_history,
    load_runs,
    merge_mean_and_std,
    order_runs,
    print_table,
    table_of_runs,
    usual_metric,
    write_table,
)
from micrograde.command_configs import CompareConfig
from micrograde.command_line import Config, entry_point
from micrograde.config_parsing import parse_compare_config
from micrograde.errors import InputError
from micrograde.locations import store_location
from micrograde.sweep_report import SweepReport, metrics_drawn, report_folder, write_sweep_report
from micrograde.tracking import project_home, quiet_environment, recover

if TYPE_CHECKING:
    import pandas as pd


@entry_point(config_name="compare")
def main(composed: Config) -> None:
    """Load, order, print; of a sweep write the report, too."""
    config = parse_compare_config(composed)
    output = Path(config.output) if config.output else None
    if output:
        check_output(output)
    os.environ.update(quiet_environment())  # a server is asked through MLflow
    location, name = store_location(config.tracking), config.experiment_name
    recover(location)
    uri = location.tracking_uri
    sweep = find_sweep(uri, config.sweep, experiment_name=name) if config.sweep else None
    which = sweep.run_id if sweep else None
    runs = load_runs(uri, experiment_name=name, status=config.status, where=config.where, sweep=which)
    if runs.empty:
        print("No runs yet, or none that match. Make one with: make train")
        return
    metric = config.metric or usual_metric(runs)
    if sweep:  # among equals the first by name, as in its report
        runs = runs.sort_values("run_name", kind="stable")
    if config.over_seeds:
        table = group_over_seeds(runs, metric, config.order)
        shown = merge_mean_and_std(table)
    else:
        table = order_runs(runs, metric, config.order, finished_first=sweep is not None)
        shown = table_of_runs(table, metric)
    title = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    report = write_report(uri, sweep, runs, metric, config) if sweep else None
    if sweep and report:
        unfinished = f", {report.unfinished} did not" if report.unfinished else ""
        title = f"{sweep.name}: {title}, {report.finished} finished{unfinished}"
    print_table(shown.head(config.limit or len(shown)), f"{title}, best {metric} first")
    if output:
        write_table(table.head(config.limit or len(table)), output)
        print(f"written to {output}")
    if report:
        print(f"best run  {report.best_run_id or 'none has finished'}")
        print(f"report    {report.page}")


def write_report(
    uri: str, sweep: Sweep, runs: "pd.DataFrame", metric: str, config: CompareConfig
) -> SweepReport:
    """Write the sweep's report where the config or its name puts it."""
    history = load_history(uri, sweep=sweep.run_id, metrics=metrics_drawn(metric))
    folder = report_folder(project_home(), sweep.name, sweep.run_id)
    folder = Path(config.report) if config.report else folder
    try:
        return write_sweep_report(
            folder, runs, history, title=sweep.name, varies=sweep.varies, metric=metric, order=config.order
        )
    except OSError as error:
        raise InputError(f"report={folder}: cannot be written ({error.strerror})") from None


if __name__ == "__main__":
    main()
