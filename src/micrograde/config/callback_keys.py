"""The keys of callbacks: each entry of ``CALLBACKS`` is a group ``training.<name>``, in all that has keys."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from micrograde.core.plugins import plugin_of
from micrograde.core.recipe_versions import Later
from micrograde.training import CALLBACKS

SchemaT = TypeVar("SchemaT")


def with_callbacks(before: str) -> Callable[[type[SchemaT]], type[SchemaT]]:
    """Give a class that is to become a dataclass a field for each callback, ahead of the field ``before``.

    A group that was not in recipes of version 1 has a legacy value: off, which its defaults are.
    """

    def add(schema: type[SchemaT]) -> type[SchemaT]:
        annotations: dict[str, Any] = {}
        for name, annotation in schema.__annotations__.items():
            if name == before:
                for group, entry in CALLBACKS.items():
                    later = Annotated[entry, Later(since=entry.since, legacy=entry())]  # type: ignore[valid-type]
                    annotations[group] = entry if entry.since == 1 else later
                    setattr(schema, group, dataclasses.field(default_factory=entry))
            annotations[name] = annotation
        schema.__annotations__ = annotations
        return schema

    return add


def leave_out_unused(training: dict[str, Any]) -> None:
    """Remove the groups of plug-ins' callbacks that are off, so that a recipe can be read without them."""
    for name, entry in CALLBACKS.items():
        if plugin_of(entry) and training[name] == dataclasses.asdict(entry()):
            del training[name]
