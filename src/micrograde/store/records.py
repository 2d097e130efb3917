"""What is read from a store: which runs, and the rows as they come, before they are a data frame."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

LARGEST = 1.7976931348623157e308
"""What MLflow stores in the place of an infinity."""


@dataclass(frozen=True)
class Selection:
    """Which runs to read. Deleted ones and those of deleted experiments never are.

    Attributes
    ----------
    parent_run_id
        Only the runs of this sweep.
    run_ids
        These and no others, and the only way to read sweeps themselves and superseded attempts.
    """

    experiment_name: str | None = None
    status: str | None = None
    parent_run_id: str | None = None
    run_ids: tuple[str, ...] | None = None


class RunAbout(NamedTuple):
    """What every run has; times in milliseconds since 1970."""

    run_id: str
    run_name: str | None
    experiment_name: str
    status: str
    start_time: int | None
    end_time: int | None
    parent_run_id: str | None


class SweepAbout(NamedTuple):
    """What every sweep has; tags as they were written down."""

    about: RunAbout
    digest: str
    varies: str | None
    launched: str | None = None
    reported: str | None = None


class RunDetails(NamedTuple):
    """What only one who looks at a single run wants: its params, all its tags, and where its files are."""

    params: dict[str, str]
    tags: dict[str, str]
    artifact_uri: str


@dataclass
class RawRuns:
    """Runs as a store has them; params, metrics and tags in rows of run id, key and value."""

    about: list[RunAbout]
    params: list[tuple[str, str, Any]] = field(default_factory=list)
    metrics: list[tuple[str, str, Any]] = field(default_factory=list)
    tags: list[tuple[str, str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class StoredSweep:
    """A sweep: the run that its runs are nested under.

    Attributes
    ----------
    start_time, end_time
        Milliseconds since 1970; None while it is going on.
    launch_time
        The same, of the last time that its command was given.
    digest
        The same for the same sweep started anew.
    varies
        The params in which its runs differ.
    reported
        By which metric and order its report is; None without a report.
    """

    run_id: str
    name: str
    experiment_name: str
    status: str
    start_time: int
    digest: str
    varies: tuple[str, ...]
    end_time: int | None = None
    launch_time: int = 0
    reported: str | None = None
