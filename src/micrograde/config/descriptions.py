"""Every key of a command with its default, its range and its sentence: what help and the reference show.

All of it is derived: keys, ranges and defaults from the schema and from the entries of registries, sentences
from the "Parameters" sections of their docstrings. A value in a file below ``conf/`` is a default that wins.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from micrograde.config.choices import NameOf, NamesOf, choice_of
from micrograde.config.keys import OF_SWEEPS, SCHEMAS
from micrograde.config.recipe_versions import dataclass_members, members, names_of_choice
from micrograde.core.hyperparameters import (
    Range,
    TrueOrLine,
    WeightsOfNames,
    default_of,
    first_sentence,
    hyperparameters_of,
    parameter_sentences,
)

REQUIRED = "required"
"""What stands in place of a default for a key that must be given."""


@dataclass(frozen=True, kw_only=True)
class DescribedKey:
    """A key, and what there is to say about it.

    Attributes
    ----------
    name
        As it is typed: ``optimizer.learning_rate``.
    default
        As it is typed; ``REQUIRED`` if there is none.
    allowed
        Its range or its choices in words; empty for a switch and for text.
    sentence
        What it is, without a full stop; null is explained here.
    options
        The entries of a registry that it names, if its value is a name.
    """

    name: str
    default: str
    allowed: str
    sentence: str
    options: tuple["DescribedEntry", ...] = ()


@dataclass(frozen=True, kw_only=True)
class DescribedEntry:
    """One alternative of a group, or one entry of a registry, with the keys that are its own."""

    name: str
    sentence: str
    keys: tuple[DescribedKey, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DescribedGroup:
    """A group of keys; of one with alternatives, ``keys`` are those that all of them have.

    Attributes
    ----------
    name
        Empty for the keys that are in no group.
    """

    name: str
    keys: tuple[DescribedKey, ...]
    entries: tuple[DescribedEntry, ...] = ()


def describe(command: str, conf: Path) -> tuple[DescribedGroup, ...]:
    """Return the groups of a command's keys; the keys without a group come first.

    Parameters
    ----------
    command
        The name of the command's config, such as ``train``.
    conf
        The folder of Hydra's config files.
    """
    files = _Files(conf, command)
    alone: list[DescribedKey] = []
    groups: list[DescribedGroup] = []
    for prefix, schema in SCHEMAS[command]:
        loose: list[DescribedKey] = []
        for field in dataclasses.fields(schema):
            kinds = dataclass_members(field.type)
            entries = {name: kind for kind in kinds for name in names_of_choice(kind)}
            if entries:
                groups.append(_group_of_entries(field.name, entries, files))
            elif kinds:
                written = files.of(field.name)
                groups.append(
                    DescribedGroup(name=field.name, keys=tuple(_keys(kinds[0], f"{field.name}.", written)))
                )
            else:
                written = files.root.get(prefix.rstrip("."), {}) if prefix else files.root
                loose.append(_key(schema, field, prefix, written))
        kept = [key for key in loose if key.name not in OF_SWEEPS]
        if prefix:
            groups.append(DescribedGroup(name=prefix.rstrip("."), keys=tuple(kept)))
        else:
            alone += kept
    return (DescribedGroup(name="", keys=tuple(alone)), *groups)


def presets(group: str, conf: Path) -> tuple[DescribedEntry, ...]:
    """Return the files of a config group with what their first comments say: presets have no schema."""
    found = []
    for path in sorted((conf / group).glob("*.yaml")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "@package" not in line]
        found.append(DescribedEntry(name=path.stem, sentence=_plain(lines[0].removeprefix("#"))))
    return tuple(found)


class _Files:
    """The values in a command's config file and in the options of its groups."""

    def __init__(self, conf: Path, command: str) -> None:
        self._conf = conf
        self.root = _read(conf / f"{command}.yaml")
        pairs = [pair for pair in self.root.get("defaults", []) if isinstance(pair, dict)]
        self.chosen: dict[str, Any] = {group: option for pair in pairs for group, option in pair.items()}

    def of(self, group: str, option: str | None = None) -> Mapping[str, Any]:
        """Return the values of a group's option, by default of the one that is chosen."""
        inline = self.root.get(group)
        name = option or self.chosen.get(group)
        values = _read(self._conf / group / f"{name}.yaml") if name else {}
        return {**values, **(inline if isinstance(inline, dict) else {})}


def _read(path: Path) -> dict[str, Any]:
    import yaml

    if not path.is_file():
        return {}
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _group_of_entries(group: str, entries: Mapping[str, type], files: _Files) -> DescribedGroup:
    keys = {
        name: {key.name: key for key in _keys(kind, f"{group}.", files.of(group, name))}
        for name, kind in entries.items()
    }
    shared = [name for name in next(iter(keys.values())) if all(name in each for each in keys.values())]
    common = [_common(name, {entry: found[name] for entry, found in keys.items()}) for name in shared]
    said = {key.name: (key.sentence, key.allowed) for key in common}
    described = [
        DescribedEntry(
            name=name,
            sentence=_plain(first_sentence(kind)),
            keys=tuple(
                key for key in keys[name].values() if said.get(key.name) != (key.sentence, key.allowed)
            ),
        )
        for name, kind in entries.items()
    ]
    chosen = DescribedKey(
        name=f"{group}.name",
        default=str(files.chosen.get(group, REQUIRED)),
        allowed=", ".join(entries),
        sentence=f"Set by {group}=NAME, which brings that entry's defaults",
    )
    return DescribedGroup(name=group, keys=(chosen, *common), entries=tuple(described))


def _common(name: str, by_entry: Mapping[str, DescribedKey]) -> DescribedKey:
    """Return a key that all entries have, with what most of them say; other defaults are named."""
    ((sentence, may_be), _), *_ = Counter(
        (key.sentence, key.allowed) for key in by_entry.values()
    ).most_common()
    (default, _), *_ = Counter(key.default for key in by_entry.values()).most_common()
    others: dict[str, list[str]] = {}
    for entry, key in by_entry.items():
        if key.default != default:
            others.setdefault(key.default, []).append(entry)
    exceptions = [f"{value} for {', '.join(names)}" for value, names in others.items()]
    return DescribedKey(
        name=name, default="; ".join([default, *exceptions]), allowed=may_be, sentence=sentence
    )


def _keys(schema: type, prefix: str, written: Mapping[str, Any]) -> Iterator[DescribedKey]:
    """Yield the keys of a data class, those of data classes within it too."""
    is_entry = bool(names_of_choice(schema))
    for field in dataclasses.fields(schema):
        if is_entry and field.name == "name":
            continue
        inner = dataclass_members(field.type)
        if not inner:
            yield _key(schema, field, prefix, written)
        for kind in inner:
            value = written.get(field.name)
            yield from _keys(kind, f"{prefix}{field.name}.", value if isinstance(value, dict) else {})


def _key(
    schema: type, field: "dataclasses.Field[Any]", prefix: str, written: Mapping[str, Any]
) -> DescribedKey:
    value = written[field.name] if field.name in written else default_of(field)
    choice = _choice_within(field.type)
    entries = choice.entries.items() if choice else ()
    options = tuple(_option(name, entry) for name, entry in entries if entry is not None)
    return DescribedKey(
        name=prefix + field.name,
        default=as_typed(value),
        allowed=allowed(field.type),
        sentence=_plain(parameter_sentences(schema).get(field.name, "")),
        options=options,
    )


def _option(name: str, entry: Any) -> DescribedEntry:
    keys = [
        DescribedKey(
            name=each.name,
            default=as_typed(each.default),
            allowed="" if each.range is None else str(each.range),
            sentence=_plain(each.sentence),
        )
        for each in (
            hyperparameters_of(entry) if isinstance(entry, type) and dataclasses.is_dataclass(entry) else {}
        ).values()
    ]
    return DescribedEntry(name=name, sentence=_plain(first_sentence(entry)), keys=tuple(keys))


def as_typed(value: Any) -> str:
    """Return a default as it is typed on the command line."""
    if value is dataclasses.MISSING or value == "???":
        return REQUIRED
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if dataclasses.is_dataclass(value):
        return str(getattr(value, "name", value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return as_typed(value[0]) if len(value) == 1 else f"[{','.join(map(as_typed, value))}]"
    return re.sub(r"\$\{([\w.]+)\}", r"the value of \1", str(value))


def allowed(annotation: Any) -> str:
    """Return the range or the choices of a key in words; empty for a switch and for text."""
    found = list(dict.fromkeys(filter(None, _allowed(annotation, ""))))
    can_be_null = type(None) in members(annotation)
    return ", ".join(found) + (", or null" if found and can_be_null else "")


def _allowed(annotation: Any, limits: str) -> Iterator[str]:
    if choice := choice_of(annotation):
        yield ", ".join(choice.entries)
    elif get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        if told := next((mark for mark in marks if isinstance(mark, TrueOrLine | WeightsOfNames)), None):
            yield str(told)
            return
        limits = next((str(mark) for mark in marks if isinstance(mark, Range)), limits)
        yield from _allowed(inner, limits)
    elif get_origin(annotation) is Literal:
        yield ", ".join(map(as_typed, get_args(annotation)))
    elif annotation in (int, float):
        kind = "whole number" if annotation is int else ""
        yield ", ".join(filter(None, (kind, "" if limits == "any number" else limits)))
    elif get_origin(annotation) is not dict:
        for each in get_args(annotation):
            if each is not Ellipsis:
                yield from _allowed(each, limits)


def _choice_within(annotation: Any) -> Any:
    """Return the mark of a choice by name, also of one that may be null, or of a list of names."""
    if get_origin(annotation) is Annotated:
        names = next((mark for mark in get_args(annotation) if isinstance(mark, NamesOf | NameOf)), None)
        if names is not None:
            return names
    if choice := choice_of(annotation):
        return choice if choice.by_name else None
    return next(filter(None, map(_choice_within, get_args(annotation))), None)


def _plain(sentence: str) -> str:
    """Return a docstring's sentence as plain text, without markup and the last full stop."""
    return sentence.replace("``", "").strip().removesuffix(".")
