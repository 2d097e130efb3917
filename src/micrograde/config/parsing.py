"""Make the schema's dataclasses from the containers that Hydra composes, with one line for each mistake.

A line names the key as the user types it, its value, and what is allowed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from micrograde.config.adapters import adapter_of
from micrograde.config.commands import (
    CompareConfig,
    DescribeConfig,
    ExportConfig,
    GcConfig,
    PredictConfig,
    ReplayConfig,
    SweepConfig,
    SyncConfig,
)
from micrograde.config.keys import SCHEMAS, shorten, unknown_key_message
from micrograde.config.recipe_versions import complete
from micrograde.config.schema import AnyTracking, DrawingConfig, TrainConfig
from micrograde.config.table_choice import missing_target_line
from micrograde.config.types import PluginVersion
from micrograde.core.errors import InputError
from micrograde.core.plugins import require_plugins
from micrograde.core.printable import printable
from micrograde.store import Tracking

_KEYS_WANTED = "should be keys with values, not one value"
_ADDRESSES = ("tracking.uri", "tracking.database")
_IS_MISSING = ": is missing; it needs a value"
_TARGET_MISSING = f"data.target{_IS_MISSING}"

ConfigT = TypeVar(
    "ConfigT",
    TrainConfig,
    DrawingConfig,
    SweepConfig,
    CompareConfig,
    ReplayConfig,
    PredictConfig,
    DescribeConfig,
    ExportConfig,
    SyncConfig,
    GcConfig,
)


def parse_train_config(container: Mapping[str, Any]) -> TrainConfig:
    """Return the validated recipe of a run, from a container composed by Hydra or recorded with a run.

    A container without a version is of version 1.

    Raises
    ------
    InputError
        One line for each key that is unknown, of the wrong type, or out of range.
    """
    recipe = {key: value for key, value in container.items() if key != "sweep"}
    require_plugins(_plugins_of(recipe), "this recipe")
    try:
        return _parse(TrainConfig, complete(recipe, TrainConfig))
    except InputError as error:
        if str(error) != _TARGET_MISSING:
            raise
        raise InputError(missing_target_line(recipe["data"]) or _TARGET_MISSING) from None


def _plugins_of(recipe: Mapping[str, Any]) -> list[str]:
    """Return the plug-ins that a recipe says it needs, as far as they are well formed."""
    found = recipe.get("plugins")
    try:
        return list(adapter_of(tuple[PluginVersion, ...]).validate_python(found or ()))
    except ValidationError:
        return []  # the schema refuses it, with a line


def parse_sweep_config(container: Mapping[str, Any]) -> SweepConfig:
    """Return the options of a sweep, from the same container; raises like ``parse_train_config``."""
    return _parse(SweepConfig, container["sweep"], "sweep.")


def parse_tracking(container: Mapping[str, Any]) -> Tracking:
    """Return where runs are recorded, from the same container; raises like ``parse_train_config``."""
    tracking: Tracking = _parse(cast(Any, AnyTracking), container["tracking"], "tracking.")
    return tracking


def parse_drawing(container: Mapping[str, Any]) -> DrawingConfig:
    """Return how pictures are kept, from the same container; raises like ``parse_train_config``."""
    return _parse(DrawingConfig, container.get("drawing", {}), "drawing.")


def parse_command(schema: type[ConfigT], container: Mapping[str, Any]) -> ConfigT:
    """Return the validated config of a command; raises like ``parse_train_config``.

    ``schema`` is one of ``micrograde.config.commands``.
    """
    return _parse(schema, container)


def _parse(schema: type[ConfigT], container: Any, prefix: str = "") -> ConfigT:
    if not isinstance(container, Mapping):
        raise InputError(f"{prefix.rstrip('.')}={_shown(container)}: {_KEYS_WANTED}")
    lines = [f"{prefix}{key}{_IS_MISSING}" for key in _missing(container)]
    try:
        config: ConfigT = adapter_of(schema).validate_python(_given(container))
    except ValidationError as error:
        details = error.errors(include_url=False)
        lines += [_error_line(detail, container, prefix, _command_of(schema)) for detail in details]
    if lines:
        raise InputError("\n".join(dict.fromkeys(lines)))
    return config


def _missing(container: Mapping[str, Any]) -> Iterator[str]:
    """Yield the dotted keys whose value is still Hydra's ``???``, for a value that must be given."""
    for key, value in container.items():
        if isinstance(value, Mapping):
            yield from (f"{key}.{inner}" for inner in _missing(value))
        elif value == "???":
            yield key


def _given(container: Mapping[str, Any]) -> dict[str, Any]:
    """Return the container without the keys whose value is ``???``."""
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in container.items()
        if value != "???"
    }


def _command_of(schema: Any) -> str:
    """Return the command whose config has this schema; ``train`` for a part of its schema."""
    return next((name for name, parts in SCHEMAS.items() if parts[0][1] is schema), "train")


def _error_line(detail: Mapping[str, Any], container: Mapping[str, Any], prefix: str, command: str) -> str:
    """Return one pydantic error as ``key=value: what is allowed``, with ``prefix`` before the key."""
    kind, value = detail["type"], detail["input"]
    key = (prefix + _user_key(detail["loc"], container)).rstrip(".")
    if kind == "unexpected_keyword_argument":
        return unknown_key_message(key, command)
    if kind == "missing":
        return f"{key}{_IS_MISSING}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    of_entry = isinstance(value, Mapping) and detail["loc"] and value.get("name") == detail["loc"][-1]
    if kind == "value_error" and (of_entry or not detail["loc"]):
        return message  # of a rule that involves several keys; it names them itself
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        key, value = f"{key}.name", value.get("name") if isinstance(value, Mapping) else value
        message = f"must be one of {detail['ctx'].get('expected_tags', 'the known names')}"
    if kind == "dataclass_type":
        message = _KEYS_WANTED
    message = re.sub("(Input|String|Tuple) should", "should", message).replace(" after validation", "")
    if key in _ADDRESSES:  # its value may contain a password
        return f"{key}: {message}"
    return f"{key}={_shown(value)}: {message}"


def _shown(value: object) -> str:
    """Return a value as it is typed in YAML, cut to a length that fits a line."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except ValueError:  # Python converts no integer of thousands of digits to text
        text = "a number of very many digits"
    text = text.strip('"') if isinstance(value, str) and value else text
    return shorten(printable(text))


def _user_key(location: tuple[str | int, ...], container: Mapping[str, Any]) -> str:
    """Return the dotted key that a user would type; pydantic's locations also contain the tags of unions."""
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
