"""The plug-ins that a config's entries come from."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from micrograde.core.plugins import plugin_of


def used_plugins(config: Any) -> tuple[str, ...]:
    """Return the plug-ins of all entries in a config, sorted: ``package==version``."""
    return tuple(sorted(set(_used(config))))


def _used(part: Any) -> Iterator[str]:
    if plugin := plugin_of(type(part)):
        yield str(plugin)
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield from _used(value)
