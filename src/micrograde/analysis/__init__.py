"""Where runs are read: data frames of them, comparisons, tables."""

from micrograde.analysis.comparing import (
    group_over_seeds,
    order_runs,
    parameters,
    table_of_runs,
    varying_parameters,
)
from micrograde.analysis.loading import load_runs
from micrograde.analysis.tables import check_output, merge_mean_and_std, print_table, write_table

__all__ = [
    "check_output",
    "group_over_seeds",
    "load_runs",
    "merge_mean_and_std",
    "order_runs",
    "parameters",
    "print_table",
    "table_of_runs",
    "varying_parameters",
    "write_table",
]
