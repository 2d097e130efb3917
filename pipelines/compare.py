"""Compare recorded runs: a table, best first, with the parameters that differ. `--help` lists the keys."""

import os
from pathlib import Path

from micrograde.analysis import (
    check_output,
    group_over_seeds,
    load_runs,
    merge_mean_and_std,
    order_runs,
    print_table,
    table_of_runs,
    write_table,
)
from micrograde.command_line import Config, entry_point
from micrograde.config import ServerTracking
from micrograde.config_parsing import parse_compare_config
from micrograde.tracking import local_store, project_home, quiet_environment


@entry_point(config_name="compare")
def main(composed: Config) -> None:
    """Load, order, print."""
    config = parse_compare_config(composed)
    output = Path(config.output) if config.output else None
    if output:
        check_output(output)
    os.environ.update(quiet_environment())  # a server is asked through MLflow
    tracking = config.tracking
    uri = tracking.uri if isinstance(tracking, ServerTracking) else local_store(project_home()).tracking_uri
    runs = load_runs(uri, experiment_name=config.experiment_name, status=config.status, where=config.where)
    if runs.empty:
        print("No runs yet, or none that match. Make one with: make train")
        return
    if config.over_seeds:
        table = group_over_seeds(runs, config.metric, config.order)
        shown = merge_mean_and_std(table)
    else:
        ordered = order_runs(runs, config.metric, config.order)
        table, shown = ordered, table_of_runs(ordered, config.metric)
    print_table(
        shown.head(config.limit or len(shown)),
        f"{len(runs)} run{'s' * (len(runs) > 1)}, best {config.metric} first",
    )
    if output:
        write_table(table.head(config.limit or len(table)), output)
        print(f"written to {output}")


if __name__ == "__main__":
    main()
