"""Compose the config of each job of a sweep, in a fraction of the time that Hydra takes.

Hydra composes every job from its files (75 ms). Jobs that choose the same config groups differ only in
values, so the config is composed once for each choice, and values are set in a copy of it. Anything that
could make a difference beyond that (an added or deleted key, a value that others refer to, an interpolation)
is left to Hydra.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

_REFERENCE = re.compile(r"\$\{([^{}:]+)\}")


@dataclass(frozen=True)
class _Base:
    """The composed config of one choice of groups.

    Attributes
    ----------
    container
        Nested dictionaries of resolved values, without the ``hydra`` node.
    referred
        The keys that its interpolations refer to; None if that cannot be determined.
    """

    container: dict[str, Any]
    referred: frozenset[str] | None


class Composer:
    """Composes the jobs of one sweep; ``master`` is the config that Hydra composed from the command line."""

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self._loader, self._master = loader, master
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, Override] = {}
        self._is_group: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], _Base] = {}

    def compose(self, overrides: Sequence[str]) -> dict[str, Any]:
        """Return what Hydra would compose for a job, resolved, without the ``hydra`` node.

        The caller may change the result.

        Raises
        ------
        HydraException, OmegaConfBaseException
            As Hydra does, for a key or a choice that does not exist.
        """
        groups: list[str] = []
        values: list[Override] = []
        for text in overrides:
            override = self._parse(text)
            # A dictionary for a group is merged into the chosen option, in the order of the overrides.
            if self._group(override) and not isinstance(override.value(), dict):
                groups.append(text)
            else:
                values.append(override)
        base = self._base(tuple(groups))
        if not all(_is_plain(value, base) for value in values):
            return self._composed(overrides)
        container = deepcopy(base.container)
        for value in values:
            _set(container, value)
        return container

    def _parse(self, text: str) -> Override:
        if text not in self._parsed:
            self._parsed[text] = self._parser.parse_override(text)
        return self._parsed[text]

    def _group(self, override: Override) -> bool:
        """Return whether an override chooses from a config group; any key of ``hydra`` counts as one."""
        key = override.key_or_group
        if key not in self._is_group:
            options = self._loader.get_group_options(key, results_filter=ObjectType.CONFIG)
            self._is_group[key] = bool(options) or key.split(".")[0] == "hydra"
        return self._is_group[key]

    def _base(self, groups: tuple[str, ...]) -> _Base:
        if groups not in self._bases:
            config = self._loader.load_sweep_config(self._master, list(groups))
            self._bases[groups] = _Base(resolved(config), _references(_raw(config)))
        return self._bases[groups]

    def _composed(self, overrides: Sequence[str]) -> dict[str, Any]:
        return resolved(self._loader.load_sweep_config(self._master, list(overrides)))


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return a config as plain values, without the ``hydra`` node, which interpolations may refer to."""
    part: dict[str, Any] = {}
    for key in map(str, config):
        if key == "hydra":
            continue
        value = "???" if OmegaConf.is_missing(config, key) else config[key]
        part[key] = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    return part


def has_validation(data: Mapping[str, Any]) -> bool:
    """Return whether data, as they are composed, have a validation part."""
    fraction = data.get("validation_fraction")
    return data.get("validation_path") is not None or (isinstance(fraction, int | float) and fraction > 0)


def _raw(config: DictConfig) -> dict[str, Any]:
    """Return the config without the ``hydra`` node, with interpolations as they are written."""
    container = OmegaConf.to_container(config, resolve=False)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items() if key != "hydra"}


def _references(container: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the dotted keys that interpolations refer to; None if one is not a plain absolute reference."""
    found = set()
    for text in _strings(container):
        rest = _REFERENCE.sub("", text)
        keys = _REFERENCE.findall(text)
        if "${" in rest or any(key.startswith(".") or "[" in key for key in keys):
            return None
        found.update(keys)
    return frozenset(found)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _is_plain(override: Override, base: _Base) -> bool:
    """Return whether setting the value in the resolved config gives what Hydra would compose."""
    key = override.key_or_group
    if override.is_add() or override.is_force_add() or override.is_delete() or override.package is not None:
        return False
    if base.referred is None or any(_touch(key, each) for each in base.referred):
        return False
    if not _is_constant(override.value()):
        return False
    here: Any = base.container
    for part in key.split("."):
        if not isinstance(here, dict) or part not in here:
            return False  # Hydra raises the error
        here = here[part]
    return not isinstance(here, dict)


def _touch(key: str, other: str) -> bool:
    return key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")


def _is_constant(value: Any) -> bool:
    """Return whether a value is a number, boolean, null, text without interpolations, or a list of these."""
    if isinstance(value, list):
        return all(_is_constant(each) for each in value)
    if isinstance(value, str):
        return "${" not in value and "\\" not in value and value != "???"
    return value is None or isinstance(value, bool | int | float)


def _set(container: dict[str, Any], override: Override) -> None:
    *path, last = override.key_or_group.split(".")
    here = container
    for part in path:
        here = here[part]
    here[last] = deepcopy(override.value())
