"""What can happen to a run, and how it is written down: one JSON object a line.

A journal is a sequence of these lines in the order they happened. It says all that the store needs to
know, so it can be carried into the store at once, later, or by another process.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from micrograde.core.json_files import parse_json
from micrograde.core.printable import printable
from micrograde.store.mlmodel import ModelDescription

_OURS = re.compile(r"micrograde(\.\w+)+")
_SHOWN = 100  # characters of a line that is none

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
    """A run begins. ``run`` is its number within the launch; times are milliseconds since 1970.

    ``parent`` is the number of the run that this one is nested under; ``dataset`` is None for a run that
    trains on nothing itself.
    """

    run: int
    time: int
    experiment_name: str
    run_name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: DatasetInput | None = None
    parent: int | None = None


@dataclass(frozen=True)
class RunAdopted:
    """A run that the store has already is known in this launch as number ``run``.

    It ``goes_on``, or it is only to be marked.
    """

    run: int
    run_id: str
    goes_on: bool = True


@dataclass(frozen=True)
class MetricsLogged:
    """Values that were measured at one step."""

    run: int
    time: int
    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class StackMetricsLogged:
    """Values of several runs at the same step: each metric's in the order of ``runs``."""

    runs: Sequence[int]
    time: int
    step: int
    values: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class TagsSet:
    """Something that is known of the run by now."""

    run: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RunEnded:
    """A run is over, and its folder holds the files that belong to it, perhaps a model among them."""

    run: int
    time: int
    status: Status
    model: ModelDescription | None = None


@dataclass(frozen=True)
class ModelLogged:
    """The model of a run that has ended is to be one of MLflow's logged models.

    Attributes
    ----------
    run
        The run that it is shown with.
    source_run_id
        The run that trained it, such as the best of a sweep; None if ``run`` did.
    registered_name
        What it becomes a version of in the model registry.
    """

    run: int
    source_run_id: str | None = None
    registered_name: str | None = None


@dataclass(frozen=True)
class AnswerAwaited:
    """The launch waits until all of the above is in the store, and to be told the runs' ids."""


@dataclass(frozen=True)
class LaunchEnded:
    """Nothing more will come. A journal without it belongs to a process that died."""


Event = (
    RunStarted
    | RunAdopted
    | MetricsLogged
    | StackMetricsLogged
    | TagsSet
    | RunEnded
    | ModelLogged
    | AnswerAwaited
    | LaunchEnded
)

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def to_json_line(event: Event) -> str:
    """The event as a line without its end. Floats keep every bit; NaN and infinities are kept too."""
    # vars, not asdict: that copies every number
    return json.dumps({"event": type(event).__name__, **vars(event)}, default=asdict)


def from_json_line(line: str) -> Event:
    """The event of a line.

    Raises
    ------
    json.JSONDecodeError
        If it is no JSON, such as a line that has been cut short.
    ValueError
        If it is no event, or one whose values are not what they must be.
    """
    content, shown = parse_json(line), printable(line[:_SHOWN])
    kind = _KINDS.get(str(content.pop("event", ""))) if isinstance(content, dict) else None
    if kind is None or content.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f"no event: {shown}")
    if wrong := [key for key, value in content.items() if not _is_sound(key, value)]:
        raise ValueError(f"no event, by its {wrong[0]}: {shown}")
    of_one = [not isinstance(each, list) for each in content.get("values", {}).values()]
    if any(of_one) if kind is StackMetricsLogged else not all(of_one):
        raise ValueError(f"no event, by its values: {shown}")
    if kind is RunStarted and content["dataset"] is not None:
        content["dataset"] = DatasetInput(**content["dataset"])
    if kind is RunEnded and content["model"] is not None:
        content["model"] = ModelDescription(**content["model"])
    return kind(**content)


def _is_sound(key: str, value: Any) -> bool:
    """Whether a field of an event holds what it must: numbers that name folders, texts, measured values."""
    return key in _SOUND and _SOUND[key](value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_measured(value: object) -> bool:
    """Whether it is a number, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return {*map(type, values)} <= {float, int} and all(
        abs(each) < 2**1023 for each in values if type(each) is int
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and {*map(type, value.values())} <= {str}


def _has_fields(value: object, kind: type) -> bool:
    return isinstance(value, dict) and value.keys() == {field.name for field in fields(kind)}


def _describes_model(value: Any) -> bool:
    """Whether it is a ``ModelDescription``; what loads a model is code, so it has to be ours."""
    return (
        _has_fields(value, ModelDescription)
        and isinstance(value["loader_module"], str)
        and _OURS.fullmatch(value["loader_module"]) is not None
        and isinstance(value["requirements"], list)
        and {*map(type, value["requirements"])} <= {str}
        and _are_texts(value["inputs"])
        and _are_texts(value["outputs"])
        and isinstance(value["example"], list)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return isinstance(value, str | None)


def _describes_dataset(value: object) -> bool:
    return _has_fields(value, DatasetInput) and _are_texts(value)


_SOUND: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("run", "time", "step"), _is_count),
    "parent": lambda value: value is None or _is_count(value),
    "runs": lambda value: isinstance(value, list) and all(map(_is_count, value)),
    **dict.fromkeys(("experiment_name", "run_name", "run_id"), _is_text),
    **dict.fromkeys(("source_run_id", "registered_name"), _is_text_or_none),
    **dict.fromkeys(("params", "tags"), _are_texts),
    "values": lambda value: isinstance(value, dict) and all(map(_is_measured, value.values())),
    "goes_on": lambda value: isinstance(value, bool),
    "status": lambda value: value in get_args(Status),
    "dataset": lambda value: value is None or _describes_dataset(value),
    "model": lambda value: value is None or _describes_model(value),
}
"""What each field of an event must be; a test goes through the fields of all events."""
