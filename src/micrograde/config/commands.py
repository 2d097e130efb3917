"""The typed schema of what commands other than a run's recipe take: sweeps, comparisons and so on."""

import dataclasses
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool
from pydantic.dataclasses import dataclass

from micrograde.config.schema import LocalTracking, ServerTracking
from micrograde.config.types import (
    SCHEMA,
    Metric,
    Name,
    Note,
    PositiveInt,
    RunId,
    RunName,
    Tags,
    Text,
    as_tuple,
)

AnyStore = Annotated[LocalTracking | ServerTracking, Field(discriminator="name")]


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class SweepConfig:
    """How a sweep goes about its runs; no part of any run's recipe.

    ``metric`` tells the best run: null is val/accuracy, or train/accuracy without a validation part.
    ``runs_per_job`` is how many runs another launcher, such as Ray's, is given as one job: null is a 32nd
    of the sweep, from 16 to 256. ``members`` and ``parent_run_id`` are for such jobs: what they are to run,
    and the run that theirs are nested under. ``name``, ``tags`` and ``note`` are a user's own words.
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
    """Which runs to put into one table, or side by side, and how.

    ``runs`` are two or more to put side by side; what chooses and orders the rows of a table is then refused.
    ``metric`` null is val/accuracy, or train/accuracy where no run has that.
    ``sweep`` is latest, a sweep's run id or the beginning of one, or its name; its report goes into the
    folder ``report``, null for one of its own under mlruns/reports.
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
        """Rules between keys."""
        if self.runs:
            kept = ("runs", "metric", "output", "tracking")
            for field in dataclasses.fields(self):
                value = getattr(self, field.name)
                if field.name not in kept and value != field.default:
                    given = " ".join(value) if isinstance(value, tuple) else value
                    raise ValueError(
                        f"{field.name}={given}: is for a table of runs, and {' '.join(self.runs)} are to be "
                        "put side by side; give the one or the other"
                    )
        if self.report is not None and self.sweep is None:
            raise ValueError(f"report={self.report}: is the report of a sweep; say which: sweep=latest")


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class DataPaths:
    """Where data files are, by their keys below ``data``."""

    path: Text | None = None
    images: Text | None = None
    labels: Text | None = None
    test_images: Text | None = None
    test_labels: Text | None = None

    def given(self) -> dict[str, str]:
        """Those that are."""
        return {key: path for key, path in dataclasses.asdict(self).items() if path is not None}


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ReplayConfig:
    """Which run to train again."""

    run_id: RunId
    data: DataPaths = dataclasses.field(default_factory=DataPaths)
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class TablePath:
    """Where a table is."""

    path: Text


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class PredictConfig:
    """Which run's model is to classify which table.

    ``run_id`` may be a sweep's, which means its best run, or latest. ``keep_columns`` puts the table's own
    columns before what is predicted; ``limit`` is how many rows are shown where none are written.
    """

    run_id: RunId
    data: TablePath
    output: Text | None = None
    keep_columns: StrictBool = True
    limit: PositiveInt = 10
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ExportConfig:
    """Which run's model is to be written as ONNX, and where."""

    run_id: RunId
    output: Text
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class SyncConfig:
    """What to send that launches have left.

    A server in ``tracking`` is the address to use, with its credentials, for what belongs to that server;
    ``launch`` is the name of one folder below mlruns/launches.
    """

    launch: Text | None = None
    tracking: AnyStore = dataclasses.field(default_factory=LocalTracking)
