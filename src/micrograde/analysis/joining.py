"""Join the rows of a store into a data frame: a row for each run; a column for each param, metric and tag."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.typing_columns import typed
from micrograde.store.records import LARGEST, RawRuns, RunAbout

if TYPE_CHECKING:
    import pandas as pd

ABOUT = (
    "run_id",
    "run_name",
    "experiment_name",
    "status",
    "start_time",
    "duration",
    "parent_run_id",
)
"""The columns that every run has; they come before params, metrics and tags."""


def joined(raw: RawRuns) -> "pd.DataFrame":
    """Return the runs as a data frame, newest first; see ``load_runs`` for its columns."""
    import pandas as pd

    # Runs of a sweep may start in the same millisecond; then they are ordered by id.
    about = sorted(raw.about, key=lambda run: (-(run.start_time or 0), run.run_id))
    row_of = {run.run_id: row for row, run in enumerate(about)}
    columns = _about_columns(about)
    for name, values in _columns(raw.params, row_of).items():
        columns[name] = typed(values)
    for name, values in _columns(raw.metrics, row_of).items():
        columns[name] = infinities(np.array(values, float))  # None becomes NaN
    given = [(run_id, f"tags.{key}", value) for run_id, key, value in raw.tags]
    for name, values in _columns(given, row_of).items():
        columns[name] = pd.Series(values, dtype="str")
    return pd.DataFrame(columns)


def infinities(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Restore infinities, for which MLflow stores the largest float; change ``values`` in place."""
    large = np.abs(values) >= LARGEST
    values[large] = np.copysign(np.inf, values[large])
    return values


def _about_columns(about: Sequence[RunAbout]) -> dict[str, Any]:
    import pandas as pd

    def text(values: Sequence[str | None]) -> "pd.Series[Any]":
        return pd.Series(values, dtype="str")

    start, end = (
        np.array([run[field] for run in about], float)  # None becomes NaN
        for field in (RunAbout._fields.index("start_time"), RunAbout._fields.index("end_time"))
    )
    return {
        "run_id": text([run.run_id for run in about]),
        "run_name": text([run.run_name for run in about]),
        "experiment_name": text([run.experiment_name for run in about]),
        "status": text([run.status for run in about]),
        "start_time": pd.to_datetime(pd.Series(start), unit="ms", utc=True),
        "duration": (end - start) / 1000,
        "parent_run_id": text([run.parent_run_id for run in about]),
    }


def _columns(rows: Iterable[tuple[str, str, Any]], row_of: dict[str, int]) -> dict[str, list[Any]]:
    """Return the columns by name, sorted, with None where a run lacks the key."""
    columns: dict[str, list[Any]] = {}
    for run_id, key, value in rows:
        row = row_of.get(run_id)
        if row is not None:  # otherwise the run has started since the runs were read
            if key not in columns:
                columns[key] = [None] * len(row_of)
            columns[key][row] = value
    # The params hold ``experiment_name``, too, which is a column of ``ABOUT`` already.
    return {name: columns[name] for name in sorted(columns) if name not in ABOUT}
