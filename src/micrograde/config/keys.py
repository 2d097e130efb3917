"""The keys of each command's config, and the error line for a key that does not exist."""

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args, get_origin

from micrograde.config.commands import (
    CompareConfig,
    DescribeConfig,
    ExportConfig,
    GcConfig,
    PredictConfig,
    ReplayConfig,
    SweepConfig,
    SyncConfig,
)
from micrograde.config.recipe_versions import dataclass_members, members, names_of_choice
from micrograde.config.schema import TrainConfig
from micrograde.core.hyperparameters import MappingOfNames, marks_of
from micrograde.core.redaction import hide_passwords
from micrograde.data import DATA_SETS

SCHEMAS: Mapping[str, tuple[tuple[str, type], ...]] = {
    "train": (("", TrainConfig), ("sweep.", SweepConfig)),
    "compare": (("", CompareConfig),),
    "replay": (("", ReplayConfig),),
    "predict": (("", PredictConfig),),
    "describe": (("", DescribeConfig),),
    "export": (("", ExportConfig),),
    "sync": (("", SyncConfig),),
    "gc": (("", GcConfig),),
}
"""For each command, by the name of its config: the prefix of keys, and the schema that has them."""

OF_SWEEPS = ("sweep.members", "sweep.parent_run_id")
"""Keys that a sweep sets for its own jobs; users do not type them."""

UNTYPED = (*OF_SWEEPS, "plugins", "model.init_digest")
"""Keys that users do not type: a sweep's, and what a recipe says about itself."""

_LENGTH = 80  # characters of a key or a value in a line
_OFFERED = 3  # similar keys, at most
_NAMES_ALIKE = 0.7  # similarity of the last parts of two keys, from 0 to 1


@dataclasses.dataclass(frozen=True)
class Key:
    """A key of a config.

    Attributes
    ----------
    choices
        The choices of its group that have it: ``("sgd",)`` for ``optimizer.momentum``; empty if all do.
    is_text
        Whether its values are text, or lists of texts, in all choices that have it.
    holds_texts
        Whether its values are dictionaries of texts, as tags are.
    maps_names
        Whether its values are names with a value each, as a dictionary or as a list of texts.
    """

    choices: tuple[str, ...] = ()
    is_text: bool = False
    holds_texts: bool = False
    maps_names: bool = False


@cache
def keys_of(command: str) -> Mapping[str, Key]:
    """Return every key of a command's config by its dotted name, for all choices of its groups."""
    found: dict[str, Key] = {}
    for prefix, schema in SCHEMAS[command]:
        for field in dataclasses.fields(schema):
            kinds = dataclass_members(field.type)
            if not kinds:
                found[prefix + field.name] = _leaf(field.type)
            for name, key in _of_group(kinds):
                found[f"{prefix}{field.name}.{name}"] = key
    return found


@cache
def text_keys() -> frozenset[str]:
    """Return the keys of all commands whose values are text; ``run.tags.`` stands for all keys below it."""
    every = [(name, key) for command in SCHEMAS for name, key in keys_of(command).items()]
    tags = [f"{name}." for name, key in every if key.holds_texts]
    return frozenset([*(name for name, key in every if key.is_text), *tags])


@cache
def keys_of_mappings() -> frozenset[str]:
    """Return the keys of all commands whose values are names with a value each, such as ``data.roles``."""
    return frozenset(name for command in SCHEMAS for name, key in keys_of(command).items() if key.maps_names)


@cache
def takes_list(key: str) -> bool:
    """Return whether one value of a key may be a list, as of ``model.hidden_size``."""
    kinds: list[Any] = [TrainConfig]
    annotation: Any = None
    for part in key.split("."):
        fields = {field.name: field.type for kind in kinds for field in dataclasses.fields(kind)}
        if part not in fields:
            return False
        annotation = fields[part]
        kinds = dataclass_members(annotation)
    return any(get_origin(kind) is tuple for kind in members(annotation))


def key_of(override: str) -> str:
    """Return the key that an override sets: ``optimizer.momentum`` for ``+optimizer.momentum=0.1``."""
    return override.partition("=")[0].lstrip("+~")


def unknown_key_message(key: str, command: str = "train", typed: Sequence[str] = ()) -> str:
    """Return the error line for a key that a config does not have, with the most similar keys it can have.

    Parameters
    ----------
    command
        The name of the command's config, such as ``compare``: only keys of this command are offered.
    typed
        All overrides that were typed; they show which choices were made, and the format of a data file.
    """
    known = keys_of(command)
    chosen = {key_of(text): text.partition("=")[2] for text in typed}
    group, _, last = key.rpartition(".")
    if key in known and last == "name" and "." not in group:  # of a group of which nothing is chosen
        return f"{key}: nothing of {group} is chosen; type {group}={shorten(chosen.get(key) or 'NAME')}"
    if key in known:  # such as a key of sgd while the optimizer is adam
        return f"{key}: is no key of the {key.partition('.')[0]} that is chosen{_how(key, known, chosen)}"
    near = _nearest(key, known)
    others = [other for other in SCHEMAS if key in keys_of(other)]
    if others and not any(name.endswith(f".{key}") for name in near):
        return f"{key}: there is no such key here; it is one of {' and '.join(others)}"
    offered = " or ".join(_with_choice(name, known, chosen) for name in near)
    hint = f"did you mean {offered}?" if offered else "see --help for the keys"
    return f"{shorten(key)}: there is no such key; {hint}"


def shorten(text: str) -> str:
    """Return what was typed without passwords, cut to at most 80 characters."""
    # An address is hidden as a whole: one that cannot be parsed may contain a password anywhere.
    text = hide_passwords(re.sub(r"(?<=tracking\.uri=).+", "***", text, flags=re.DOTALL))
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def _of_group(kinds: Sequence[type]) -> Iterator[tuple[str, Key]]:
    """Yield each key below a group once, no matter how many of the group's choices have it."""
    having: dict[str, list[tuple[type, Key]]] = {}
    for kind in kinds:
        for field in dataclasses.fields(kind):
            inner = [(f"{field.name}.{name}", key) for name, key in _of_group(dataclass_members(field.type))]
            for name, key in inner or [(field.name, _leaf(field.type))]:
                having.setdefault(name, []).append((kind, key))
    for name, found in having.items():
        some = len(found) < len(kinds)
        choices = [choice for kind, _ in found for choice in names_of_choice(kind)] if some else []
        yield (
            name,
            Key(
                tuple(choices),
                all(key.is_text for _, key in found),
                all(key.holds_texts for _, key in found),
                all(key.maps_names for _, key in found),
            ),
        )


def _leaf(annotation: Any) -> Key:
    kinds = [kind for kind in members(annotation) if kind is not type(None)]
    texts = all(
        kind is str or (get_origin(kind) is tuple and _leaf(get_args(kind)[0]).is_text) for kind in kinds
    )
    maps_names = any(isinstance(mark, MappingOfNames) for mark in marks_of(annotation))
    holds_texts = all(get_origin(kind) is dict for kind in kinds)
    return Key(is_text=texts, holds_texts=holds_texts, maps_names=maps_names)


def _how(key: str, known: Mapping[str, Key], chosen: Mapping[str, str]) -> str:
    """Return the advice which choice to type for the key to exist; empty if all choices have it."""
    group, choices = key.partition(".")[0], _choices(key, known, chosen)
    if not choices:
        return ""
    if group in chosen:
        return f"; write {_one_of(group, choices)} in place of {shorten(f'{group}={chosen[group]}')}"
    return f"; add {_one_of(group, choices)}"


def _choices(key: str, known: Mapping[str, Key], chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the choices that have a key; of several kinds of files, the one of the file's suffix."""
    typed = tuple(name for name in known[key].choices if name not in DATA_SETS or DATA_SETS[name].typed)
    choices = typed or known[key].choices
    with_suffix = {name for name, data in DATA_SETS.items() if data.suffixes}
    if len(choices) > 1 and set(choices) <= with_suffix:
        return (_kind_of_table(chosen.get("data.path", "")),)
    return choices


def _one_of(group: str, choices: Sequence[str]) -> str:
    return " or ".join(f"{group}={choice}" for choice in choices)


def _kind_of_table(path: str) -> str:
    """Return the kind of data file that a path names, by its suffix; csv if the suffix is unknown."""
    ending = path.strip("'\" ").lower().rpartition(".")[2]
    by_suffix = {suffix: name for name, data in DATA_SETS.items() for suffix in data.suffixes}
    return by_suffix.get(ending, by_suffix[""])


def _nearest(key: str, known: Mapping[str, Key]) -> list[str]:
    """Return the keys that may be meant: those with the same last part, else similar ones, else siblings."""
    if len(key) > _LENGTH:
        return []
    names = sorted((name for name in known if name not in UNTYPED), key=lambda name: (name.count("."), name))
    by_last_part: dict[str, list[str]] = {}
    for name in names:
        by_last_part.setdefault(name.rpartition(".")[2], []).append(name)
    group, _, last = key.rpartition(".")
    alike = difflib.get_close_matches(last, by_last_part, _OFFERED, _NAMES_ALIKE)
    found = (
        by_last_part.get(last)
        or difflib.get_close_matches(key, names, _OFFERED)
        or [name for each in alike for name in by_last_part[each]]
        or [name for name in names if group and name.rpartition(".")[0] == group]
    )
    return found[:_OFFERED]


def _with_choice(key: str, known: Mapping[str, Key], chosen: Mapping[str, str]) -> str:
    """Return a key as it is offered: ``data.path (with data=csv)`` if it needs a choice that was not made."""
    group, choices = key.partition(".")[0], _choices(key, known, chosen)
    if not choices or len(choices) > _OFFERED or chosen.get(group) in choices:
        return key
    return f"{key} (with {_one_of(group, choices)})"
