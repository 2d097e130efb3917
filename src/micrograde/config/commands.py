"""The typed schemas of all other configs than a run's recipe: sweeps, comparisons and so on."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool
from pydantic.dataclasses import dataclass

from micrograde.config.schema import LocalTracking, ServerTracking
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
from micrograde.core.hyperparameters import PositiveInt, Text
from micrograde.data.sets import path_keys

AnyStore = Annotated[LocalTracking | ServerTracking, Field(discriminator="name")]


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class SweepConfig:
    """The options of a sweep; they are not part of any run's recipe.

    ``metric`` determines the best run: null is val/accuracy, or train/accuracy without a validation part.
    ``runs_per_job`` is the number of runs that another launcher, such as Ray's, is given as one job: null is
    a 32nd of the sweep, from 16 to 256. ``members`` and ``parent_run_id`` are set for such jobs by the sweep:
    the runs of the job, and the run that they are nested under. ``name``, ``tags`` and ``note`` are the
    user's own text.
    """

    name: RunName | None = None
    tags: Tags | None = None
    note: Note | None = None
    metric: Metric | None = None
    order: Literal["auto", "ascending", "descending"] = "auto"
    resume: StrictBool = True
    verbose: StrictBool = False
    runs_per_job: PositiveInt | None = None
    members: Annotated[str, Field(min_length=1)] | None = None  # of any length
    parent_run_id: Text | None = None


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class CompareConfig:
    """Which runs to show in a table or side by side, and how.

    ``runs`` are two or more to show side by side; the keys that choose and order the rows of a table are then
    refused. ``metric`` null is val/accuracy, or train/accuracy if no run has that. ``sweep`` is latest, a
    sweep's run id or the beginning of one, or its name; its report is written to the folder ``report``, null
    for a folder under mlruns/reports.
    """

    runs: Annotated[tuple[RunId, ...], BeforeValidator(as_tuple)] = ()
    experiment_name: Name | None = None
    sweep: RunId | None = None
    status: Literal["RUNNING", "FINISHED", "FAILED", "KILLED"] | None = None
    where: Annotated[tuple[Text, ...], BeforeValidator(as_tuple)] = ()
    metric: Text | None = None
    order: Literal["auto", "ascending", "descending"] = "auto"
    over_seeds: StrictBool = False
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
        if self.report is not None and self.sweep is None:
            raise ValueError(f"report={self.report}: is the report of a sweep; say which: sweep=latest")


class DataPaths:
    """The paths of data files, by their keys below ``data``: those of all data sets."""

    def given(self) -> dict[str, str]:
        """Return the paths that were set."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {key: path for key, path in found.items() if path is not None}


if not TYPE_CHECKING:
    DataPaths = dataclass(config=SCHEMA, frozen=True, kw_only=True)(
        dataclasses.make_dataclass(
            "DataPaths",
            [(key, Text | None, dataclasses.field(default=None)) for key in path_keys()],
            bases=(DataPaths,),
            frozen=True,
            kw_only=True,
        )
    )


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ReplayConfig:
    """Which run to train again, and where its data files are now."""

    run_id: RunId
    data: DataPaths = dataclasses.field(default_factory=DataPaths)
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class TablePath:
    """The path of a table."""

    path: Text


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class PredictConfig:
    """Which run's model classifies which table.

    ``run_id`` may be a sweep's, which stands for its best run, or latest. ``keep_columns`` puts the table's
    own columns before the predicted ones; ``limit`` is the number of rows shown if there is no ``output``.
    """

    run_id: RunId
    data: TablePath
    output: Text | None = None
    keep_columns: StrictBool = True
    limit: PositiveInt = 10
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ExportConfig:
    """Which run's model is written as ONNX, and to which file."""

    run_id: RunId
    output: Text
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class SyncConfig:
    """Which unsent records of launches to send to their stores.

    A server in ``tracking`` gives the address, with credentials, for the records meant for that server;
    ``launch`` is the name of one folder below mlruns/launches.
    """

    launch: Text | None = None
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)
