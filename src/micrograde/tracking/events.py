"""The journal's form of the events: one JSON object per line.

A journal consists of these lines in the order in which the events happened. It contains everything that the
store needs, so it can be written to the store at once, later, or by another process.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, get_args

from micrograde.core.bounds import LONGEST_ID
from micrograde.core.json_files import parse_json
from micrograde.core.printable import printable
from micrograde.store.events import (
    AnswerAwaited,
    DatasetInput,
    Event,
    LaunchEnded,
    LinesMissing,
    MetricsLogged,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    Status,
    StepMetricsLogged,
    TagsSet,
)
from micrograde.store.mlmodel import ModelDescription

__all__ = [
    "AnswerAwaited",
    "DatasetInput",
    "Event",
    "LaunchEnded",
    "LinesMissing",
    "MetricsLogged",
    "ModelLogged",
    "RunAdopted",
    "RunEnded",
    "RunStarted",
    "StackMetricsLogged",
    "Status",
    "StepMetricsLogged",
    "TagsSet",
    "from_json_line",
    "to_json_line",
]

_ID = re.compile(rf"[0-9A-Za-z_-]{{1,{LONGEST_ID}}}")  # with which no path leads elsewhere
_OURS = re.compile(r"micrograde(\.\w+)+")
_SHOWN = 100  # characters of an invalid line in an error message

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def to_json_line(event: Event) -> str:
    """Return the event as a line, without a newline. Floats are exact; NaN and infinities are kept."""
    # vars, not asdict, which copies every number
    return json.dumps({"event": type(event).__name__, **vars(event)}, default=asdict)


def from_json_line(line: str) -> Event:
    """Return the event of a line.

    Raises
    ------
    json.JSONDecodeError
        If the line is not JSON, for example because it was cut short.
    ValueError
        If it is not an event, or one with invalid values.
    """
    content, shown = parse_json(line), printable(line[:_SHOWN])
    kind = _KINDS.get(str(content.pop("event", ""))) if isinstance(content, dict) else None
    if kind is None or content.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f"no event: {shown}")
    if wrong := [key for key, value in content.items() if not _is_sound(key, value)]:
        raise ValueError(f"no event, by its {wrong[0]}: {shown}")
    if not _has_shape(kind, content):
        raise ValueError(f"no event, by its values: {shown}")
    if kind is RunStarted and content["dataset"] is not None:
        content["dataset"] = DatasetInput(**content["dataset"])
    if kind is RunEnded and content["model"] is not None:
        content["model"] = ModelDescription(**content["model"])
    return kind(**content)


def _has_shape(kind: type[Event], content: Mapping[str, Any]) -> bool:
    """Return whether values are numbers or, where the event has several, lists as long as it asks for."""
    of_metrics = content.get("values", {}).values()
    if kind is StepMetricsLogged:
        runs, steps = len(content["runs"]), len(content["steps"])
        return all(
            isinstance(of_steps, list)
            and len(of_steps) == steps
            and all(isinstance(each, list) and len(each) == runs for each in of_steps)
            for of_steps in of_metrics
        )
    lists = kind is StackMetricsLogged
    return all(
        isinstance(each, list) == lists and not (lists and any(isinstance(value, list) for value in each))
        for each in of_metrics
    )


def _is_sound(key: str, value: Any) -> bool:
    """Return whether the value is valid for this field of an event (``_SOUND``)."""
    return key in _SOUND and _SOUND[key](value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_measured(value: Any) -> bool:
    """Return whether it is a number within float64's range, a list of these, or a list of such lists."""
    values = value if isinstance(value, list) else [value]
    if values and isinstance(values[0], list):  # of several steps
        return all(
            isinstance(each, list) and {*map(type, each)} <= {float, int} and _is_measured(each)
            for each in values
        )
    return {*map(type, values)} <= {float, int} and all(
        abs(each) < 2**1023 for each in values if type(each) is int
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and {*map(type, value.values())} <= {str}


def _has_fields(value: object, kind: type) -> bool:
    return isinstance(value, dict) and value.keys() == {field.name for field in fields(kind)}


def _describes_model(value: Any) -> bool:
    """Return whether the value is a ``ModelDescription`` whose loader, which is code, is in this package."""
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


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_text_or_none(value: object) -> bool:
    return isinstance(value, str | None)


def _describes_dataset(value: object) -> bool:
    return _has_fields(value, DatasetInput) and _are_texts(value)


_SOUND: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("run", "time", "step", "lines"), _is_count),
    "parent": lambda value: value is None or _is_count(value),
    **dict.fromkeys(("runs", "steps"), lambda value: isinstance(value, list) and all(map(_is_count, value))),
    **dict.fromkeys(("experiment_name", "run_name"), _is_text),
    "run_id": _is_id,
    "source_run_id": lambda value: value is None or _is_id(value),
    "registered_name": _is_text_or_none,
    **dict.fromkeys(("params", "tags"), _are_texts),
    "values": lambda value: isinstance(value, dict) and all(map(_is_measured, value.values())),
    "goes_on": lambda value: isinstance(value, bool),
    "status": lambda value: value in get_args(Status),
    "dataset": lambda value: value is None or _describes_dataset(value),
    "model": lambda value: value is None or _describes_model(value),
}
"""A check for each field of an event; a test makes sure that no field of any event is missing here."""
