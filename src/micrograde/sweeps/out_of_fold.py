"""Out-of-fold predictions: what the runs of a sweep say of rows that they held out, in files.

``out_of_fold.parquet`` has one row for each row of the data and each setting, the best setting first, and
``out_of_fold_runs.parquet`` one for each run and each row that it held out, of which the former is made. For
the columns see ``micrograde.analysis.out_of_fold``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.analysis.out_of_fold import ROW, held_out_rows, of_rows
from micrograde.analysis.repeats import of_repeats, of_settings
from micrograde.core.errors import InputError
from micrograde.runs.files import contained, files_of
from micrograde.runs.row_predictions import FILE as PREDICTIONS
from micrograde.runs.row_predictions import read_predictions, read_table_file
from micrograde.store import StoreLocation, load_run, tags

if TYPE_CHECKING:
    import pandas as pd

FILE, FILE_OF_RUNS = "out_of_fold.parquet", "out_of_fold_runs.parquet"
_FOLD = "data.fold"
_MOST_ROWS = 20_000_000  # of all runs together


def write_out_of_fold(
    folder: Path, runs: "pd.DataFrame", location: StoreLocation, varies: Sequence[str]
) -> "pd.DataFrame | None":
    """Write both files, and return the first as a frame; None if no run that has finished holds out a fold.

    Parameters
    ----------
    runs
        The sweep's runs, those of the best setting first.
    varies
        The params in which they differ.
    """
    import pandas as pd

    if _FOLD not in runs:
        return None
    done = runs[(runs["status"] == "FINISHED") & runs[_FOLD].notna()]
    settings = [name for name in of_settings(varies) if name in done]
    digest, seed = f"tags.{tags.DATA_DIGEST}", "data.seed"
    if seed in done and done.groupby([*settings, "status"], dropna=False)[digest].nunique().max() > 1:
        settings.append(seed)  # which has made other rows
    beside = [name for name in of_repeats(map(str, done)) if name not in settings]
    frames = []
    for number, run in enumerate(done.to_dict("records")):
        with files_of(load_run(location.read_at, run["run_id"]), location, (PREDICTIONS,)) as files:
            path = contained(files, PREDICTIONS)
            rows = held_out_rows(read_predictions(path)) if path else None
        if rows is None:
            continue
        if number == 0 and len(rows) * len(done) > _MOST_ROWS:
            raise InputError(f"{FILE}: is not written, as it would be made of over {_MOST_ROWS:,} rows")
        for place, name in enumerate([*settings, "run_id", *beside]):
            rows.insert(place, name, run[name])
        frames.append(rows)
    if not frames:
        return None
    of_runs = pd.concat(frames, ignore_index=True)
    for name in settings:
        if of_runs[name].dtype == object:  # values of several types, which no file has in one column
            of_runs[name] = of_runs[name].astype("str")
    table = of_rows(of_runs, settings)
    table.to_parquet(folder / FILE, index=False)
    of_runs.to_parquet(folder / FILE_OF_RUNS, index=False)
    return table


def read_out_of_fold(location: StoreLocation, sweep: str, *, each_run: bool = False) -> "pd.DataFrame | None":
    """Return one of the files of a sweep's parent run; None if it has none.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    name = FILE_OF_RUNS if each_run else FILE
    with files_of(load_run(location.read_at, sweep), location, (name,)) as files:
        path = contained(files, name)
        return read_table_file(path, always=(ROW, "loss")) if path else None
