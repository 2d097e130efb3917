"""Where runs are read: data frames of them, their history, comparisons, tables."""

from micrograde.analysis.comparing import (
    best_run,
    group_over_seeds,
    order_runs,
    parameters,
    table_of_runs,
    usual_metric,
    varying_parameters,
)
from micrograde.analysis.finding import find_run_id, find_run_ids
from micrograde.analysis.history import load_history
from micrograde.analysis.importance import by_importance
from micrograde.analysis.loading import list_run_ids, load_runs
from micrograde.analysis.selection import Sweep
from micrograde.analysis.short_ids import short_ids
from micrograde.analysis.stored_run import (
    StoredRun,
    find_run,
    last_run_of,
    last_stopped_run,
    load_run,
    same_value,
)
from micrograde.analysis.stored_sweeps import find_sweep
from micrograde.analysis.stores import is_server, make_command, public_address
from micrograde.analysis.summary import summarize
from micrograde.analysis.sweeps import load_sweeps
from micrograde.analysis.tables import SUFFIXES, check_output, merge_mean_and_std, print_table, write_table

__all__ = [
    "SUFFIXES",
    "StoredRun",
    "Sweep",
    "best_run",
    "by_importance",
    "check_output",
    "find_run",
    "find_run_id",
    "find_run_ids",
    "find_sweep",
    "group_over_seeds",
    "is_server",
    "last_run_of",
    "last_stopped_run",
    "list_run_ids",
    "load_history",
    "load_run",
    "load_runs",
    "load_sweeps",
    "make_command",
    "merge_mean_and_std",
    "order_runs",
    "parameters",
    "print_table",
    "public_address",
    "same_value",
    "short_ids",
    "summarize",
    "table_of_runs",
    "usual_metric",
    "varying_parameters",
    "write_table",
]
