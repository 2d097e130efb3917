"""Plug-ins: packages installed beside micrograde that add entries to its registries.

A plug-in names modules under the entry point group ``micrograde.plugins``; importing them registers their
entries. A config never names Python: it names entries, and what is installed decides which there are.
"""

import threading
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from micrograde.core.errors import InputError

GROUP = "micrograde.plugins"

_state = threading.local()
_loaded = False


@dataclass(frozen=True)
class Plugin:
    """An installed package that adds entries."""

    package: str
    version: str

    def __str__(self) -> str:
        """Return ``package version``."""
        return f"{self.package} {self.version}"


def plugin_being_loaded() -> Plugin | None:
    """Return the plug-in whose module is being imported by ``load_plugins`` in this thread."""
    return getattr(_state, "plugin", None)


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
