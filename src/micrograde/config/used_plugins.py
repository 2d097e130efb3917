"""The plug-ins that a config's entries come from."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from micrograde.core.plugins import plugin_of
from micrograde.metrics import METRICS


def used_plugins(config: Any) -> tuple[str, ...]:
    """Return the plug-ins of all entries in a config, sorted: ``package==version``."""
    measured = (plugin_of(METRICS[name]) for name in config.training.metrics)
    return tuple(sorted({*_used(config), *(str(plugin) for plugin in measured if plugin)}))


def _used(part: Any) -> Iterator[str]:
    if plugin := plugin_of(type(part)):
        yield str(plugin)
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield from _used(value)
