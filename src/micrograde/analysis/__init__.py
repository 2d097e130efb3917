"""Runs as data frames: their params and metrics, their history, comparisons and tables."""

from micrograde.analysis.best_setting import BestSetting, best_setting
from micrograde.analysis.comparing import (
    best_run,
    group_over_seeds,
    order_runs,
    parameters,
    table_of_runs,
    usual_metric,
    varying_parameters,
    without_metric,
)
from micrograde.analysis.history import load_history
from micrograde.analysis.importance import VERDICT, by_importance
from micrograde.analysis.loading import list_run_ids, load_runs
from micrograde.analysis.next_steps import next_steps
from micrograde.analysis.retests import load_retest
from micrograde.analysis.settings_compared import (
    Verdict,
    are_compared,
    compare_settings,
    in_short,
    not_worse,
    with_verdicts,
)
from micrograde.analysis.short_ids import short_ids
from micrograde.analysis.summary import best_first, summarize
from micrograde.analysis.sweeps import load_sweeps
from micrograde.analysis.tables import SUFFIXES, check_output, merge_mean_and_std, print_table, write_table
from micrograde.analysis.variance_shares import Share, VarianceShares, variance_shares
from micrograde.analysis.what_mattered import load_importance
from micrograde.store import StoredRun, find_run, find_sweep, load_run

__all__ = [
    "SUFFIXES",
    "VERDICT",
    "BestSetting",
    "Share",
    "StoredRun",
    "VarianceShares",
    "Verdict",
    "are_compared",
    "best_first",
    "best_run",
    "best_setting",
    "by_importance",
    "check_output",
    "compare_settings",
    "find_run",
    "find_sweep",
    "group_over_seeds",
    "in_short",
    "list_run_ids",
    "load_history",
    "load_importance",
    "load_retest",
    "load_run",
    "load_runs",
    "load_sweeps",
    "merge_mean_and_std",
    "next_steps",
    "not_worse",
    "order_runs",
    "parameters",
    "print_table",
    "short_ids",
    "summarize",
    "table_of_runs",
    "usual_metric",
    "variance_shares",
    "varying_parameters",
    "with_verdicts",
    "without_metric",
    "write_table",
]
