"""Which runs to read from a store, and the rows that are read, before they become a data frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from micrograde.store import tags

LARGEST = 1.7976931348623157e308
"""The number that MLflow stores in place of infinity."""


@dataclass(frozen=True)
class Selection:
    """Which runs to read. Deleted runs and those of deleted experiments are never read.

    Attributes
    ----------
    parent_run_id
        Only the runs of this sweep.
    run_ids
        Only these runs. Sweeps themselves and superseded attempts are read only if they are named here.
    retests
        Whether runs that repeat a setting of a sweep on a fresh seed are read, too.
    """

    experiment_name: str | None = None
    status: str | None = None
    parent_run_id: str | None = None
    run_ids: tuple[str, ...] | None = None
    retests: bool = True


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
    """What every sweep has; tags are unparsed, as they were recorded."""

    about: RunAbout
    digest: str
    varies: str | None
    launched: str | None = None
    reported: str | None = None

    @classmethod
    def of_run(cls, about: RunAbout, given: Mapping[str, str]) -> Self:
        """Return a sweep, given its parent run and that run's tags."""
        return cls(
            about._replace(parent_run_id=None),
            given[tags.SWEEP_DIGEST],
            given.get(tags.SWEEP_VARIES),
            given.get(tags.LAUNCHED),
            given.get(tags.REPORTED),
        )


class RunDetails(NamedTuple):
    """What is read of a single run only: its params, all its tags, and the address of its files."""

    params: dict[str, str]
    tags: dict[str, str]
    artifact_uri: str


@dataclass
class RawRuns:
    """Runs as they are in a store; params, metrics and tags are rows of run id, key and value."""

    about: list[RunAbout]
    params: list[tuple[str, str, Any]] = field(default_factory=list)
    metrics: list[tuple[str, str, Any]] = field(default_factory=list)
    tags: list[tuple[str, str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class StoredSweep:
    """A sweep: the parent run that its runs are nested under.

    Attributes
    ----------
    start_time, end_time
        Milliseconds since 1970; the end is None while the sweep is going on.
    launch_time
        When its command was last given, in milliseconds since 1970.
    digest
        Digest of the swept values and the config; the same if the sweep is started again.
    varies
        The params in which its runs differ.
    reported
        The metric and the order of its report, such as ``val/accuracy auto``; None without a report.
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
