"""Choices in the schema that are looked up in a registry, plug-ins included; there is no list beside it."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from micrograde.core.registry import Registry


class ChosenFrom:
    """Mark a field of the schema whose value is an entry of a registry, chosen by ``name``.

    Parameters
    ----------
    by_name
        Whether a name alone stands for the entry with its default hyperparameters. It is written so, too,
        where they are: ``activation: tanh``, and ``activation: {name: leaky_relu, negative_slope: 0.2}``.
    kind
        A class: then only the entries that are of it can be chosen.
    optional
        Whether null is a value, too.
    """

    def __init__(
        self, registry: Registry[Any], *, by_name: bool = False, kind: type = object, optional: bool = False
    ) -> None:
        self.by_name, self.optional = by_name, optional
        self._registry, self._kind = registry, kind

    @property
    def entries(self) -> Mapping[str, Any]:
        """The entries that can be chosen, by name."""
        if self._kind is object:
            return self._registry
        return {name: entry for name, entry in self._registry.items() if issubclass(entry, self._kind)}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return pydantic's schema: a union of the entries, told apart by ``name``."""
        from pydantic_core import core_schema

        if self.optional:
            source = next(kind for kind in get_args(source) if kind is not type(None))
        choices = {name: handler.generate_schema(entry) for name, entry in self.entries.items()}
        union = core_schema.tagged_union_schema(choices, discriminator="name")
        if not self.by_name:
            return core_schema.nullable_schema(union) if self.optional else union
        return core_schema.no_info_before_validator_function(
            self._as_mapping,
            union,
            serialization=core_schema.plain_serializer_function_ser_schema(as_chosen),
        )

    def _as_mapping(self, value: object) -> object:
        if not isinstance(value, str):
            if isinstance(value, Mapping) or dataclasses.is_dataclass(value):
                return value
            raise ValueError(f"should be {one_of(self.entries)}")
        if value not in self.entries:
            raise ValueError(f"should be {one_of(self.entries)}")
        return {"name": value}


@dataclasses.dataclass(frozen=True)
class NamesOf:
    """Mark a field of the schema whose value is a list of names of a registry's entries."""

    entries: Registry[Any]


@dataclasses.dataclass(frozen=True)
class NameOf:
    """Mark a field of the schema whose value is the name of a registry's entry, or one of ``others``."""

    registry: Registry[Any]
    others: tuple[str, ...] = ()

    @property
    def entries(self) -> Mapping[str, Any]:
        """The entries by name; None for a name that is none of an entry."""
        return {**dict.fromkeys(self.others), **self.registry}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return pydantic's schema of such a name."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, name: str) -> str:
        if name not in self.entries:
            raise ValueError(f"should be {one_of(self.entries)}")
        return name


def one_of(names: Mapping[str, Any]) -> str:
    """Return ``'a', 'b' or 'c'``."""
    *others, last = (repr(name) for name in names)
    return f"{', '.join(others)} or {last}" if others else last


def as_chosen(entry: Any) -> Any:
    """Return an entry as it is written in a config: its name, or a mapping if a hyperparameter was set."""
    values = dataclasses.asdict(entry)
    return entry.name if entry == type(entry)() else values


def choice_of(annotation: Any) -> ChosenFrom | None:
    """Return the mark of a field whose value is an entry; None for any other."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((mark for mark in get_args(annotation)[1:] if isinstance(mark, ChosenFrom)), None)
