"""Plug-ins: packages installed beside micrograde that add entries to its registries.

A plug-in names modules under the entry point group ``micrograde.plugins``; importing them registers their
entries. A config never names Python: it names entries, and what is installed decides which there are.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points
from importlib.metadata import version as version_of

from micrograde.core.errors import InputError

GROUP = "micrograde.plugins"

_state = threading.local()
_loaded = False
_origins: "dict[int, tuple[object, Plugin]]" = {}  # by identity, with the entry, so that it stays alive


@dataclass(frozen=True)
class Plugin:
    """An installed package that adds entries."""

    package: str
    version: str

    def __str__(self) -> str:
        """Return ``package==version``, as pip writes it and as a recipe records it."""
        return f"{self.package}=={self.version}"


def remember_origin(entry: object) -> None:
    """Take note of an entry if a plug-in is being loaded by this thread, which then brings it."""
    if plugin := getattr(_state, "plugin", None):
        _origins[id(entry)] = (entry, plugin)


def plugin_of(entry: object) -> Plugin | None:
    """Return the plug-in that brought an entry; None if it is one of micrograde's own."""
    return _origins[id(entry)][1] if id(entry) in _origins else None


def load_plugins() -> None:
    """Import the modules of all plug-ins, once.

    Raises
    ------
    InputError
        If one cannot be imported; the message names its package.
    """
    global _loaded
    if _loaded:
        return
    _loaded = True  # a plug-in's own imports may ask for entries
    try:
        for each in sorted(entry_points(group=GROUP), key=lambda point: point.value):
            _load(each)
    except InputError:
        _loaded = False
        raise


def require_plugins(needed: Iterable[str], what: str) -> None:
    """Raise ``InputError`` if a plug-in is not installed, in whatever version.

    Parameters
    ----------
    needed
        Plug-ins as a recipe records them: ``package==version``.
    what
        What needs them, at the beginning of the message.
    """
    for each in needed:
        package = each.partition("==")[0]
        if _installed(package) is None:
            raise InputError(
                f"{what} needs the plug-in {each}, and {package} is not installed here; "
                "install it if you trust it"
            )


def changed_plugins(needed: Iterable[str]) -> list[str]:
    """Return a line for each plug-in of a recipe that is installed in another version."""
    lines = []
    for each in needed:
        package, _, version = each.partition("==")
        if (here := _installed(package)) not in (None, version):
            lines.append(f"plug-in {package} {here}, was {version}")
    return lines


def _installed(package: str) -> str | None:
    try:
        return version_of(package)
    except PackageNotFoundError:
        return None


def _load(point: EntryPoint) -> None:
    package = Plugin(point.dist.name, point.dist.version) if point.dist else Plugin(point.module, "unknown")
    _state.plugin = package
    try:
        point.load()
    except Exception as error:  # whatever the package does: it is not ours
        raise InputError(
            f"the plug-in {package} cannot be used ({type(error).__name__}: {error}); "
            f"mend it, or uninstall it: pip uninstall {package.package}"
        ) from error
    finally:
        _state.plugin = None
