"""Read recipes of earlier versions, in spite of keys that were added and defaults that changed since.

The marks of ``core/recipe_versions.py`` say what is meant where a key is missing: ``complete`` reads a recipe
accordingly. ``without_legacy`` removes from it what did not exist in version 1, so that runs and sweeps
recorded then are still recognised by their digest.
"""

import copy
import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from micrograde.config.choices import choice_of
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION, DefaultBefore, Later

VERSION_KEY = "recipe_version"

Mark = TypeVar("Mark", "Later", "DefaultBefore")


def complete(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    """Return a recipe with its version, and with the values that missing keys have in that version.

    Parameters
    ----------
    container
        Nested dictionaries of plain values; it is not changed.
    schema
        The dataclass that the recipe is parsed into.

    Raises
    ------
    InputError
        If the version is not one that this micrograde knows.
    """
    version = _version(container)
    return {**_completed(container, schema, version), VERSION_KEY: version}


def without_legacy(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    """Return a recipe without its version, and without keys added later that have their legacy value."""
    return {key: value for key, value in _stripped(container, schema).items() if key != VERSION_KEY}


def complete_part(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    """Return a part of a recipe that holds no version, but all keys that there were when it was written."""
    return _completed(container, schema, 1)


class EntryName(str):
    """The type of a value that is the name of an entry."""


def members(annotation: Any) -> list[Any]:
    """Return the types in an annotation, with ``Annotated`` unwrapped and unions expanded.

    Of a choice from a registry, the entries; where a name alone is a value, a type without keys.
    """
    if choice := choice_of(annotation):
        return [EntryName] if choice.by_name else list(choice.entries.values())
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return [member for part in get_args(annotation) for member in members(part)]
    return [annotation]


def dataclass_members(annotation: Any) -> list[type]:
    """Return the types in an annotation that are dataclasses, which have keys of their own."""
    kinds = members(annotation)
    return [kind for kind in kinds if isinstance(kind, type) and dataclasses.is_dataclass(kind)]


def _version(container: Mapping[str, Any]) -> int:
    version = container.get(VERSION_KEY, 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(
            f"{VERSION_KEY}={_shown(version)}: should be a whole number from 1 to {RECIPE_VERSION}"
        )
    if version > RECIPE_VERSION:
        raise InputError(
            f"{VERSION_KEY}={_shown(version)}: was made by a later micrograde; this one knows recipes "
            f"up to version {RECIPE_VERSION}, so install a newer one to use it"
        )
    return version


@dataclasses.dataclass(frozen=True)
class _Key:
    """The history and the types of one key of a schema.

    Attributes
    ----------
    later
        The mark of a key that was added later; None if it was there from the beginning.
    meanings
        The value that its absence stood for before each version in which that changed.
    kinds
        The dataclasses that its value may be parsed into.
    """

    later: Later | None
    meanings: tuple[DefaultBefore, ...]
    kinds: tuple[type, ...]


@functools.cache  # a sweep asks for the same few schemas hundreds of times
def _keys(schema: type) -> Mapping[str, _Key]:
    keys = {}
    for field in dataclasses.fields(schema):
        later = tuple(_marks(field.type, Later))
        meanings = (
            *(DefaultBefore(mark.since, mark.legacy) for mark in later),
            *_marks(field.type, DefaultBefore),
        )
        keys[field.name] = _Key(next(iter(later), None), meanings, tuple(dataclass_members(field.type)))
    return keys


def _shown(version: object) -> str:
    """Return a version for an error line: Python converts no integer of thousands of digits to text."""
    return "over 10**40" if isinstance(version, int) and version > 10**40 else str(version)[:40]


def _completed(container: Mapping[str, Any], schema: type, version: int) -> dict[str, Any]:
    filled = dict(container)
    for name, key in _keys(schema).items():
        if name not in filled:
            meant = _meaning_of_absence(key, version)
            if meant is not None:
                filled[name] = _plain(meant.value)
                continue
        value = filled.get(name, {})
        kind = _chosen(key, value)
        if kind is not None and isinstance(value, Mapping):
            inner = _completed(value, kind, version)
            if inner or name in filled:
                filled[name] = inner
    return filled


def _stripped(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    keys = _keys(schema)
    kept: dict[str, Any] = {}
    for name, value in container.items():
        key = keys.get(name)
        if key and key.later and _is_legacy(value, _plain(key.later.legacy)):
            continue
        kind = _chosen(key, value) if key else None
        kept[name] = _stripped(value, kind) if kind is not None and isinstance(value, Mapping) else value
    return kept


def _is_legacy(value: Any, legacy: Any) -> bool:
    """Return whether a value is that from before its key existed; null stands for no names with values."""
    return _same(value, legacy) or (value is None and legacy == {})


def _meaning_of_absence(key: _Key, version: int) -> DefaultBefore | None:
    """Return the value that a missing key has in a version; None if that is today's default."""
    changed_after = [each for each in key.meanings if each.version > version]
    return min(changed_after, key=lambda each: each.version, default=None)


def _marks(annotation: Any, kind: type[Mark]) -> Iterator[Mark]:
    if get_origin(annotation) is Annotated:
        yield from (mark for mark in get_args(annotation)[1:] if isinstance(mark, kind))


def _chosen(key: _Key, value: Any) -> type | None:
    """Return the dataclass for a part of a recipe; of several the one that its ``name`` chooses."""
    if len(key.kinds) <= 1 or not isinstance(value, Mapping):
        return key.kinds[0] if len(key.kinds) == 1 else None
    return next((kind for kind in key.kinds if value.get("name") in names_of_choice(kind)), None)


@functools.cache
def names_of_choice(kind: type) -> tuple[Any, ...]:
    """Return the values that the field ``name`` of a dataclass allows."""
    annotations = [field.type for field in dataclasses.fields(kind) if field.name == "name"]
    return tuple(
        name
        for annotation in annotations
        for member in members(annotation)
        if get_origin(member) is Literal
        for name in get_args(member)
    )


def _plain(value: Any) -> Any:
    """Return a value as it stands in a recipe: nested dictionaries, lists, numbers and texts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return json.loads(json.dumps(value)) if isinstance(value, tuple | list | dict) else copy.copy(value)


def _same(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)
