"""The sweeps of a store as a data frame."""

from typing import TYPE_CHECKING

from micrograde.store.readers import store_of
from micrograde.store.stored_sweeps import list_sweeps

if TYPE_CHECKING:
    import pandas as pd


def load_sweeps(tracking_uri: str, *, experiment_name: str | None = None) -> "pd.DataFrame":
    """Return all sweeps of a store, one row for each, the most recently launched first.

    Columns
    -------
    run_id, name, experiment, status
        Text; ``run_id`` is the id of the sweep's parent run.
    started
        UTC.
    varies
        A tuple: the params in which the sweep's runs differ.
    runs
        The number of its runs, whatever their status; attempts that were run again, and
        retests on fresh seeds, are not counted.

    Raises
    ------
    InputError
        If the store cannot be read.
    """
    import pandas as pd

    sweeps = list_sweeps(tracking_uri, experiment_name)
    counts = store_of(tracking_uri).count_runs(tracking_uri) if sweeps else {}
    columns = {
        "run_id": pd.Series([each.run_id for each in sweeps], dtype="str"),
        "name": pd.Series([each.name for each in sweeps], dtype="str"),
        "experiment": pd.Series([each.experiment_name for each in sweeps], dtype="str"),
        "status": pd.Series([each.status for each in sweeps], dtype="str"),
        "started": pd.to_datetime(
            pd.Series([each.start_time for each in sweeps], dtype="int64"), unit="ms", utc=True
        ),
        "varies": pd.Series([each.varies for each in sweeps], dtype="object"),
        "runs": pd.Series([counts.get(each.run_id, 0) for each in sweeps], dtype="int64"),
    }
    return pd.DataFrame(columns)
