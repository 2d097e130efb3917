"""Registries: the alternatives of one kind, each an entry in a file of its own.

A registry belongs to a package, whose files hold its entries; a file that is put there is found by itself.
Packages that are installed beside micrograde add entries, too; see ``plugins.py``.
"""

import pkgutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, overload

from micrograde.core.errors import InputError
from micrograde.core.plugins import load_plugins, remember_origin

EntryT = TypeVar("EntryT")
AddedT = TypeVar("AddedT")

_loading = threading.RLock()
_registries: "list[Registry[Any]]" = []


def registries() -> "list[Registry[Any]]":
    """Return all registries whose packages have been imported, by kind."""
    return sorted(_registries, key=lambda each: each.kind)


class Registry(Mapping[str, EntryT], Generic[EntryT]):
    """The entries of one kind by name, in alphabetical order.

    Parameters
    ----------
    kind
        What an entry is, in words: ``activation``.
    package
        The package whose files hold the entries: ``__name__``, in its ``__init__``.

    Raises
    ------
    InputError
        When a name is looked up that is not registered; the message lists the entries.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._entries: dict[str, EntryT] = {}
        self._is_loaded = False
        _registries.append(self)

    @overload
    def register(self, entry: str) -> Callable[[AddedT], AddedT]: ...
    @overload
    def register(self, entry: AddedT) -> AddedT: ...
    def register(self, entry: Any) -> Any:
        """Add an entry: a decorator, with the entry's name unless the entry has an attribute ``name``.

        Raises
        ------
        ValueError
            If another entry has the name, or it is not a word of small letters, digits and underscores.
        """
        if isinstance(entry, str):
            return lambda added: self._add(entry, added)
        return self._add(entry.name, entry)

    def _add(self, name: str, entry: Any) -> Any:
        if not (name.isidentifier() and name == name.lower()):
            raise ValueError(f"{self.kind} {name!r}: a name is small letters, digits and underscores")
        if name in self._entries:
            where = sys.modules[self._entries[name].__module__].__name__
            raise ValueError(f"{self.kind} {name!r} is registered by {where} already; choose another name")
        if isinstance(entry, type):  # pydantic then refuses keys that the entry does not have
            entry.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
        self._entries[name] = entry
        remember_origin(entry)
        return entry

    def __getitem__(self, name: str) -> EntryT:
        self._load()
        if name not in self._entries:
            raise InputError(f"{self.kind} must be one of {', '.join(self)}, got {name!r}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def _load(self) -> None:
        if self._is_loaded:
            return
        with _loading:
            for module in pkgutil.iter_modules(import_module(self.package).__path__):
                import_module(f"{self.package}.{module.name}")
            load_plugins()
            self._is_loaded = True
