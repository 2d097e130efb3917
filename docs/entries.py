"""Write the reference page of keys and entries from the schema and the registries: Sphinx calls it."""

import dataclasses
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import micrograde
from micrograde.config.descriptions import DescribedKey, allowed, as_typed, describe
from micrograde.config.keys import SCHEMAS
from micrograde.core.hyperparameters import first_sentence, parameter_sentences
from micrograde.core.registry import Registry

CONF = Path(__file__).parents[1] / "conf"


def keys_page() -> str:
    """Return tables of the keys of all commands, in Markdown."""
    lines: list[str] = []
    for command in SCHEMAS:
        for group in describe(command, CONF):
            lines += ["", f"## {command}: {group.name}" if group.name else f"## {command}"]
            lines += _table(group.keys)
            for entry in group.entries:
                lines += ["", f"`{group.name}={entry.name}`: {_cell(entry.sentence)}.", *_table(entry.keys)]
    return "\n".join(lines)


def entries_page() -> str:
    """Return tables of the entries of all registries with their hyperparameters, in Markdown."""
    lines: list[str] = []
    for registry in registries():
        lines += [
            "",
            f"## {registry.kind}",
            "",
            "| entry | what it is | hyperparameters |",
            "| --- | --- | --- |",
        ]
        for name, entry in registry.items():
            own = "<br>".join(_hyperparameters(entry))
            lines.append(f"| `{name}` | {_cell(first_sentence(entry), code=True)} | {own} |")
    return "\n".join(lines)


def registries() -> list[Registry[Any]]:
    """Return the registries of all packages, by kind."""
    found: dict[str, Registry[Any]] = {}
    for module in pkgutil.walk_packages(micrograde.__path__, "micrograde."):
        if module.ispkg:
            of_package = vars(import_module(module.name)).values()
            found |= {each.package: each for each in of_package if isinstance(each, Registry)}
    return sorted(found.values(), key=lambda each: each.kind)


def _hyperparameters(entry: Any) -> Iterator[str]:
    if not dataclasses.is_dataclass(entry) or not isinstance(entry, type):
        return
    sentences = parameter_sentences(entry)
    for field in dataclasses.fields(entry):
        if field.name != "name":
            default = "" if field.default is dataclasses.MISSING else f" [{as_typed(field.default)}]"
            range_ = f" ({allowed(field.type)})" if allowed(field.type) else ""
            yield f"`{field.name}`: {_cell(sentences.get(field.name, ''))}{range_}{default}"


def _table(keys: tuple[DescribedKey, ...]) -> list[str]:
    if not keys:
        return []
    rows = [
        f"| `{key.name}` | {_cell(key.sentence)} | {_cell(key.allowed)} | `{key.default}` |" for key in keys
    ]
    return ["", "| key | what it is | what it may be | default |", "| --- | --- | --- | --- |", *rows]


def _cell(text: str, *, code: bool = False) -> str:
    """Return text as it can stand in a table; what is in double backticks stays code."""
    text = text.removesuffix(".").replace("|", "\\|")
    if code:
        return text.replace("``", "`")
    for mark in "*_$[]<>{":
        text = text.replace(mark, f"\\{mark}")
    return text
