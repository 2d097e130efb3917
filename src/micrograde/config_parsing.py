"""From the containers that Hydra composes to the schema's dataclasses, with one line for each mistake.

A line names the key as the user types it, its value, and what is allowed.
"""

import dataclasses
import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from micrograde.config import AnyTracking, CompareConfig, SweepConfig, TrainConfig
from micrograde.errors import InputError

ConfigT = TypeVar("ConfigT", TrainConfig, SweepConfig, CompareConfig)


def parse_train_config(container: Mapping[str, Any]) -> TrainConfig:
    """The validated recipe of a run from a nested container, such as Hydra composes.

    Raises
    ------
    InputError
        One line for each key that is unknown, of the wrong type, or out of range.
    """
    return _parse(TrainConfig, {key: value for key, value in container.items() if key != "sweep"})


def parse_sweep_config(container: Mapping[str, Any]) -> SweepConfig:
    """How a sweep goes about its runs, from the same container; raises like ``parse_train_config``."""
    return _parse(SweepConfig, container["sweep"], "sweep.")


def parse_tracking(container: Mapping[str, Any]) -> AnyTracking:
    """Where runs are recorded, from the same container; raises like ``parse_train_config``."""
    tracking: AnyTracking = _parse(cast(Any, AnyTracking), container["tracking"], "tracking.")
    return tracking


def parse_compare_config(container: Mapping[str, Any]) -> CompareConfig:
    """The validated arguments of a comparison; raises like ``parse_train_config``."""
    return _parse(CompareConfig, container)


def unknown_key_message(key: str) -> str:
    """The line for a key that no config has, with the nearest ones that exist."""
    known = sorted(
        {*_known_keys(TrainConfig), *_known_keys(CompareConfig), *_known_keys(SweepConfig, "sweep.")}
    )
    siblings = [name for name in known if name.rpartition(".")[0] == key.rpartition(".")[0]]
    near = difflib.get_close_matches(key, known, n=3) or siblings
    hint = f"; did you mean {' or '.join(near[:3])}?" if near else "; see --help for the keys"
    return f"{key}: there is no such key{hint}"


def _parse(schema: type[ConfigT], container: Mapping[str, Any], prefix: str = "") -> ConfigT:
    try:
        return TypeAdapter(schema).validate_python(_given(container))
    except ValidationError as error:
        lines = [prefix + _error_line(detail, container) for detail in error.errors(include_url=False)]
        raise InputError("\n".join(dict.fromkeys(lines))) from None


def _given(container: Mapping[str, Any]) -> dict[str, Any]:
    """The container without the keys that still stand at Hydra's ``???``."""
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in container.items()
        if value != "???"
    }


def _error_line(detail: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """One pydantic error as ``key=value: what is allowed``."""
    kind, value = detail["type"], detail["input"]
    key = _user_key(detail["loc"], container)
    if kind == "unexpected_keyword_argument":
        return unknown_key_message(key)
    if kind == "missing":
        return f"{key}: is missing; it needs a value"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if kind == "value_error" and not detail["loc"]:
        return message  # a rule between keys, which names them itself
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        key, value = f"{key}.name", value.get("name") if isinstance(value, Mapping) else value
        message = f"must be one of {detail['ctx'].get('expected_tags', 'the known names')}"
    message = message.replace("Input should", "should").replace("String should", "should")
    return f"{key}={_shown(value)}: {message}"


def _shown(value: object) -> str:
    """A value as YAML writes it, cut to a length that fits a line."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    text = text.strip('"') if isinstance(value, str) and value else text
    return text if len(text) <= 80 else f"{text[:77]}..."


def _user_key(location: tuple[str | int, ...], container: Mapping[str, Any]) -> str:
    """The dotted key a user would type; pydantic's locations also hold the tags of unions."""
    parts: list[str] = []
    here: Any = container
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if isinstance(here, Mapping) and (step in here or last):
            parts.append(str(step))
            here = here.get(step)
        elif isinstance(here, list | tuple) and isinstance(step, int) and step < len(here):
            parts[-1] += f"[{step}]"
            here = here[step]
    return ".".join(parts)


def _known_keys(schema: type, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a schema, through all members of its unions."""
    for field in dataclasses.fields(schema):
        members = [
            kind for kind in _members(field.type) if isinstance(kind, type) and dataclasses.is_dataclass(kind)
        ]
        if not members:
            yield prefix + field.name
        for kind in members:
            yield from _known_keys(kind, f"{prefix}{field.name}.")


def _members(annotation: Any) -> list[Any]:
    """The classes an annotation stands for: ``Annotated`` unwrapped, unions spread."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return [member for part in get_args(annotation) for member in _members(part)]
    return [annotation]
