"""The plug-ins that a config's entries come from."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from micrograde.core.plugins import plugin_of
from micrograde.store import Tracking
from micrograde.training import CallbackSettings


def used_plugins(config: Any, others: Iterable[Any] = ()) -> tuple[str, ...]:
    """Return the plug-ins of all entries in a config and of ``others``, sorted: ``package==version``.

    Callbacks that are off are not used, and where a run is recorded is no part of its recipe.
    """
    named = (str(plugin) for entry in others if (plugin := plugin_of(entry)))
    return tuple(sorted({*_used(config), *named}))


def _used(part: Any) -> Iterator[str]:
    if isinstance(part, CallbackSettings) and part == type(part)():
        return
    if isinstance(part, Tracking):
        return
    if plugin := plugin_of(type(part)):
        yield str(plugin)
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield from _used(value)
