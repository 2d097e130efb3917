"""What a recipe of an earlier version means: keys that came later, and defaults that have changed.

A recipe carries its version; one without is of version 1, which is what micrograde 0.1 wrote. A field of the
schema says in its annotation what its absence meant before it came, or before its default changed:

>>> dropout: Annotated[Fraction, Later(since=2, legacy=0.0)] = 0.1
>>> momentum: Annotated[Fraction, DefaultBefore(version=2, value=0.0)] = 0.9

``complete`` reads a recipe accordingly, and ``without_legacy`` takes out of it what no digest of version 1
could know, so that runs and sweeps recorded then are recognised.
"""

import copy
import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from micrograde.errors import InputError

RECIPE_VERSION = 2
"""The version of the recipes that are made now."""

EXACT_LABELS = 2
"""The version from which on classes are what stands in a table, where numbers would merge them."""

VERSION_KEY = "recipe_version"

Mark = TypeVar("Mark", "Later", "DefaultBefore")


@dataclasses.dataclass(frozen=True)
class Later:
    """Marks a key that came with recipe version ``since``.

    Attributes
    ----------
    legacy
        What runs did before there was the key; it need not be the default.
    """

    since: int
    legacy: Any


@dataclasses.dataclass(frozen=True)
class DefaultBefore:
    """Marks a key whose default was ``value`` in recipes of versions earlier than ``version``."""

    version: int
    value: Any


def complete(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    """Return a recipe with its version, and with what the absence of a key means in that version.

    Parameters
    ----------
    container
        Nested dictionaries of plain values; it is not changed.
    schema
        The dataclass that the recipe is to become.

    Raises
    ------
    InputError
        If the version is none that this micrograde knows.
    """
    version = _version(container)
    return {**_completed(container, schema, version), VERSION_KEY: version}


def without_legacy(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    """Return a recipe without its version and without later keys that have their legacy value."""
    return {key: value for key, value in _stripped(container, schema).items() if key != VERSION_KEY}


def members(annotation: Any) -> list[Any]:
    """Return the types that an annotation stands for: ``Annotated`` unwrapped, unions spread."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return [member for part in get_args(annotation) for member in members(part)]
    return [annotation]


def dataclass_members(annotation: Any) -> list[type]:
    """Return those of ``members`` that are dataclasses, which hold keys of their own."""
    kinds = members(annotation)
    return [kind for kind in kinds if isinstance(kind, type) and dataclasses.is_dataclass(kind)]


def _version(container: Mapping[str, Any]) -> int:
    version = container.get(VERSION_KEY, 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(
            f"{VERSION_KEY}={str(version)[:40]}: should be a whole number from 1 to {RECIPE_VERSION}"
        )
    if version > RECIPE_VERSION:
        raise InputError(
            f"{VERSION_KEY}={str(version)[:40]}: was made by a later micrograde; this one knows recipes "
            f"up to version {RECIPE_VERSION}, so install a newer one to use it"
        )
    return version


def _completed(container: Mapping[str, Any], schema: type, version: int) -> dict[str, Any]:
    filled = dict(container)
    for field in dataclasses.fields(schema):
        if field.name not in filled:
            meant = _meaning_of_absence(field.type, version)
            if meant is not None:
                filled[field.name] = _plain(meant.value)
                continue
        value = filled.get(field.name, {})
        kind = _chosen(field.type, value)
        if kind is not None and isinstance(value, Mapping):
            inner = _completed(value, kind, version)
            if inner or field.name in filled:
                filled[field.name] = inner
    return filled


def _stripped(container: Mapping[str, Any], schema: type) -> dict[str, Any]:
    fields = {field.name: field for field in dataclasses.fields(schema)}
    kept: dict[str, Any] = {}
    for key, value in container.items():
        field = fields.get(key)
        later = next(_marks(field.type, Later), None) if field else None
        if later is not None and _same(value, _plain(later.legacy)):
            continue
        kind = _chosen(field.type, value) if field else None
        kept[key] = _stripped(value, kind) if kind is not None and isinstance(value, Mapping) else value
    return kept


def _meaning_of_absence(annotation: Any, version: int) -> DefaultBefore | None:
    """Return what the absence of a key means in a version, if that is not today's default."""
    meanings = [
        *(DefaultBefore(mark.since, mark.legacy) for mark in _marks(annotation, Later)),
        *_marks(annotation, DefaultBefore),
    ]
    changed_after = [each for each in meanings if each.version > version]
    return min(changed_after, key=lambda each: each.version, default=None)


def _marks(annotation: Any, kind: type[Mark]) -> Iterator[Mark]:
    if get_origin(annotation) is Annotated:
        yield from (mark for mark in get_args(annotation)[1:] if isinstance(mark, kind))


def _chosen(annotation: Any, value: Any) -> type | None:
    """Return the dataclass that a part of a recipe is to become; of several the one it names."""
    kinds = dataclass_members(annotation)
    if len(kinds) <= 1 or not isinstance(value, Mapping):
        return kinds[0] if len(kinds) == 1 else None
    return next((kind for kind in kinds if value.get("name") in names_of_choice(kind)), None)


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
    """Whether two plain values mean the same; 1 and 1.0 do, 1 and true do not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)
