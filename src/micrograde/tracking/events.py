"""What can happen to a run, and how it is written down: one JSON object a line.

A journal is a sequence of these lines in the order they happened. It says all that the store needs to
know, so it can be carried into the store at once, later, or by another process.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Status = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class DatasetInput:
    """The data a run trains on, as MLflow shows it; source, schema and profile are JSON texts."""

    name: str
    digest: str
    source: str
    schema: str
    profile: str


@dataclass(frozen=True)
class RunStarted:
    """A run begins. ``run`` is its number within the launch; times are milliseconds since 1970."""

    run: int
    time: int
    experiment_name: str
    run_name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: DatasetInput


@dataclass(frozen=True)
class MetricsLogged:
    """Values that were measured at one step."""

    run: int
    time: int
    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class TagsSet:
    """Something that is known of the run by now."""

    run: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RunEnded:
    """A run is over, and its folder holds the files that belong to it."""

    run: int
    time: int
    status: Status


@dataclass(frozen=True)
class LaunchEnded:
    """Nothing more will come. A journal without it belongs to a process that died."""


Event = RunStarted | MetricsLogged | TagsSet | RunEnded | LaunchEnded

_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (RunStarted, MetricsLogged, TagsSet, RunEnded, LaunchEnded)
}


def to_json_line(event: Event) -> str:
    """The event as a line without its end. Floats keep every bit; NaN and infinities are kept too."""
    return json.dumps({"event": type(event).__name__, **asdict(event)})


def from_json_line(line: str) -> Event:
    """The event of a line; ``ValueError`` if it is none."""
    content: dict[str, Any] = json.loads(line)
    kind = _KINDS.get(content.pop("event", ""))
    if kind is None or content.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f"not an event: {line[:200]}")
    if kind is RunStarted:
        content["dataset"] = DatasetInput(**content["dataset"])
    return kind(**content)
