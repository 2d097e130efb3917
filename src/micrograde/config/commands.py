"""The typed schemas of all other configs than a run's recipe: sweeps, comparisons and so on."""

import dataclasses
import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool
from pydantic.dataclasses import dataclass

from micrograde.config.choices import ChosenFrom, NameOf
from micrograde.config.types import (
    SCHEMA,
    Metric,
    Name,
    Note,
    RunId,
    RunName,
    Tags,
    as_tuple,
)
from micrograde.core.hyperparameters import ColumnOrColumns, PositiveFloat, PositiveInt, Text
from micrograde.data.sets import DATA_SETS, path_keys
from micrograde.data.sets.tables import Table
from micrograde.store import BACKENDS, Backend
from micrograde.store.backends.local import LocalTracking
from micrograde.tasks import TASKS

AnyStore = Annotated[Backend, ChosenFrom(BACKENDS, kind=Backend)]


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class SweepConfig:
    """The options of a sweep; they are not part of any run's recipe.

    Parameters
    ----------
    name
        The sweep's name in the UI and in tables; null for the keys that are swept.
    tags
        The sweep's own tags, such as ``'sweep.tags={team: a}'``; null for none.
    note
        Markdown in the sweep's description; null for none.
    metric
        The metric that the best setting is chosen by; null for kept/val/accuracy, of numbers kept/val/rmse,
        or that of kept/train without a validation part.
    order
        Whether high or low values are best; auto is ascending for losses and errors, descending
        for accuracies.
    resume
        Whether the same sweep goes on where it was stopped; false to start anew.
    register
        Which model ``tracking.register`` registers of a sweep: that of the run in the median of the best
        setting, or the ensemble of all its runs, which is saved with the sweep; null is median.
    retest
        How many fresh seeds the best settings are run on again when the sweep is over; null for none. These
        runs take no part in choosing.
    retest_settings
        How many settings, at most, are run again.
    verbose
        Whether each run has a line; ``-v`` for short.
    runs_per_job
        Runs that another launcher, such as Ray's, is given as one job; null for as many as make one job for
        each that runs at a time, or two if they have 32 runs or more, from 4 to 256 runs; where it is not
        known how many jobs run at a time they are 32, from 16 runs.
    server_patience
        Seconds that another launcher's job waits, when it has trained, for a server that is away; what is not
        on the server then is kept on its machine. So long the sweep, too, waits before its jobs and after.
    members
        The runs of a job; set by the sweep.
    parent_run_id
        The run that a job's runs are nested under; set by the sweep.
    """

    name: RunName | None = None
    tags: Tags | None = None
    note: Note | None = None
    metric: Metric | None = None
    order: Literal["auto", "ascending", "descending"] = "auto"
    resume: StrictBool = True
    register: Literal["median", "ensemble"] | None = None
    retest: PositiveInt | None = None
    retest_settings: PositiveInt = 3
    verbose: StrictBool = False
    runs_per_job: PositiveInt | None = None
    server_patience: PositiveFloat = 300.0
    members: Annotated[str, Field(min_length=1)] | None = None  # of any length
    parent_run_id: Text | None = None


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class CompareConfig:
    """Which runs to show in a table or side by side, and how.

    The keys that choose and order the rows of a table are refused beside ``runs``.

    Parameters
    ----------
    runs
        Two to seven runs to put side by side, also typed without ``runs=``: ids, their first characters, or
        latest.
    experiment_name
        Only the runs of one experiment; null for all.
    sweep
        Only the runs of one sweep: latest, a run id or its beginning, or the sweep's name; its report is
        written too. Null for all runs.
    status
        Only the runs that ended so; null for all.
    where
        A condition, or a list of them: ``'where=["model.activation=tanh","val/accuracy>0.9"]'``.
    metric
        The metric that orders the table, or, for runs side by side, one more to draw; null for
        kept/val/accuracy, of numbers kept/val/rmse, or that of kept/train if no run has it; of runs of both
        kinds, what most of them have.
    order
        The order of the rows; auto is ascending for losses and errors, descending
        for accuracies.
    over_seeds
        Whether runs that differ only in seed, split or fold are one row: mean ± std, count, and how it stands
        to the best one.
    margin
        With over_seeds, a difference from the best that does not matter, in the unit of the metric; null for
        the standard deviation of the best setting.
    limit
        Rows of the table, at most; null for all.
    output
        A .csv, .parquet, .md or .html file to write the table to as well; for runs side by side, an .svg
        file for their curves. Null for none, and for the curves a file below mlruns/reports.
    report
        The folder of the sweep's report; null for one below mlruns/reports.
    tracking
        Where the runs are.
    """

    runs: Annotated[tuple[RunId, ...], BeforeValidator(as_tuple)] = ()
    experiment_name: Name | None = None
    sweep: RunId | None = None
    status: Literal["RUNNING", "FINISHED", "FAILED", "KILLED"] | None = None
    where: Annotated[tuple[Text, ...], BeforeValidator(as_tuple)] = ()
    metric: Text | None = None
    order: Literal["auto", "ascending", "descending"] = "auto"
    over_seeds: StrictBool = False
    margin: PositiveFloat | None = None
    limit: PositiveInt | None = None
    output: Text | None = None
    report: Text | None = None
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)

    def __post_init__(self) -> None:
        """Check the rules that involve several keys."""
        if self.runs:
            kept = ("runs", "metric", "output", "tracking")
            for field in dataclasses.fields(self):
                value = getattr(self, field.name)
                if field.name not in kept and value != field.default:
                    given = " ".join(value) if isinstance(value, tuple) else value
                    raise ValueError(
                        f"{field.name}={given}: is for a table of runs, and {' '.join(self.runs)} are to be "
                        "put side by side; give one or the other"
                    )
        if self.margin is not None and not self.over_seeds:
            raise ValueError(f"margin={self.margin}: is for settings, not for runs; add over_seeds=true")
        if self.report is not None and self.sweep is None:
            raise ValueError(f"report={self.report}: is the report of a sweep; say which: sweep=latest")


class DataPaths:
    """The paths of data files, by their keys below ``data``: those of all data sets."""

    def given(self) -> dict[str, str]:
        """Return the paths that were set."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {key: path for key, path in found.items() if path is not None}


def _documented_paths(paths: type) -> str:
    """Return the docstring of all path keys, each with the data sets that have it."""
    lines = [paths.__doc__ or "", "", "Parameters", "----------"]
    for key in path_keys():
        having = [name for name, entry in DATA_SETS.items() if key in entry.path_keys]
        lines += [
            key,
            f"    Where ``data.{key}`` of the run ({', '.join(having)}) is now; "
            "null if it is where it was, below this folder.",
        ]
    return "\n".join(lines)


if not TYPE_CHECKING:
    DataPaths = dataclass(config=SCHEMA, frozen=True, kw_only=True)(
        dataclasses.make_dataclass(
            "DataPaths",
            [(key, Text | None, dataclasses.field(default=None)) for key in path_keys()],
            bases=(DataPaths,),
            namespace={"__doc__": _documented_paths(DataPaths)},
            frozen=True,
            kw_only=True,
        )
    )


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ReplayConfig:
    """Which run to train again, and where its data files are now.

    Parameters
    ----------
    run_id
        The run's id, or its first six characters or more; latest is, of the runs that have finished, the one
        that began last.
    data
        Where the data files are.
    tracking
        Where the run is.
    """

    run_id: RunId
    data: DataPaths = dataclasses.field(default_factory=DataPaths)
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class TablePath:
    """The path of a table.

    Parameters
    ----------
    path
        The table: a .parquet file, or else CSV (.gz .bz2 .xz .zst .zip are unpacked); its columns are
        found by name, and there may be others.
    """

    path: Text


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class PredictConfig:
    """Which run's model predicts which table.

    Parameters
    ----------
    run_id
        The run's id, or its first six characters or more; latest is, of the runs that have finished, the one
        that began last. A sweep's id stands for the run in the middle of its best setting.
    data
        The table.
    output
        A .csv, .parquet, .md or .html file for all rows; null to show the first ones.
    keep_columns
        Whether the table's own columns come before the predicted ones.
    limit
        Rows that are shown if there is no output.
    tracking
        Where the run is.
    """

    run_id: RunId
    data: TablePath
    output: Text | None = None
    keep_columns: StrictBool = True
    limit: PositiveInt = 10
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnyTable(Table):
    """A table in a file of any kind, which is found out by its content; the target need not be known.

    Parameters
    ----------
    target
        The column with what is to be learned, or a list of several; null to see which could be.
    """

    name: Literal["csv", "parquet"] = "csv"
    target: ColumnOrColumns | None = None  # type: ignore[assignment]


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class DescribeConfig:
    """Which table to describe, and where its pictures are written.

    Parameters
    ----------
    data
        The table, and what ``train`` would be told about it.
    task
        What the target is taken for: classification or regression; auto to decide it by the target.
    page
        An .html file for pictures of the columns; auto for ``<table>_columns.html`` in the working directory,
        null for none.
    output
        A .csv, .parquet, .md or .html file to write the table of all columns to as well; null for none.
    limit
        Columns that are listed and drawn, at most.
    """

    data: AnyTable
    task: Annotated[str, NameOf(TASKS, ("auto",))] = "auto"
    page: Text | None = "auto"
    output: Text | None = None
    limit: PositiveInt = 60


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ExportConfig:
    """Which run's model is written as ONNX, and to which file.

    Parameters
    ----------
    run_id
        The run's id, or its first six characters or more; latest is, of the runs that have finished, the one
        that began last. A sweep's id stands for the run in the middle of its best setting.
    output
        The .onnx file to write.
    tracking
        Where the run is.
    """

    run_id: RunId
    output: Text
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class SyncConfig:
    """Which unsent records of launches to send to their stores.

    Parameters
    ----------
    launch
        The name of one folder below mlruns/launches; null for all, the earliest first.
    tracking
        A server gives the address, with credentials, for the records meant for that server.
    """

    launch: Text | None = None
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


_UNITS = {"h": 3600.0, "d": 86400.0, "w": 604800.0}
"""Seconds of each unit of time."""


def _as_age(value: object) -> object:
    """Return a length of time as it was typed, or None for no time at all."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value == 0):
        return None
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,6}(\.\d{1,6})?[hdw]|0", value, re.ASCII):
        raise ValueError("should be a number of hours, days or weeks, such as 12h, 30d or 4w; or 0 for all")
    return None if value == "0" else value


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class GcConfig:
    """Which of the deleted runs to remove for good.

    Parameters
    ----------
    older_than
        Only what was deleted so long ago: hours, days or weeks, such as 12h, 30d, 4w; null or 0 for all.
    keep_best
        How many of the deleted runs of each experiment stay, best first; null for none.
    dry_run
        Whether to say only what would go.
    yes
        Whether to remove it without a question.
    tracking
        The project's own store; for others a line says what removes runs there.
    """

    older_than: Annotated[str | None, BeforeValidator(_as_age)] = None
    keep_best: Annotated[int, Field(ge=0)] | None = None
    dry_run: StrictBool = False
    yes: StrictBool = False
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)

    @property
    def seconds(self) -> float:
        """Seconds since it was deleted, at least."""
        return float(self.older_than[:-1]) * _UNITS[self.older_than[-1]] if self.older_than else 0.0
