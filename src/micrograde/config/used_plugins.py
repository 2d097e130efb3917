"""The plug-ins that a config's entries come from."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from micrograde.core.plugins import plugin_of


def used_plugins(config: Any, others: Iterable[Any] = ()) -> tuple[str, ...]:
    """Return the plug-ins of all entries in a config and of ``others``, sorted: ``package==version``."""
    named = (str(plugin) for entry in others if (plugin := plugin_of(entry)))
    return tuple(sorted({*_used(config), *named}))


def _used(part: Any) -> Iterator[str]:
    if plugin := plugin_of(type(part)):
        yield str(plugin)
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield from _used(value)
