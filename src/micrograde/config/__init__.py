"""Configs: the schema of a recipe, its versions, what configs must not do, and one line for each mistake."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Return what was imported from here in version 0.1: a name of ``micrograde.config.schema``."""
    schema = import_module("micrograde.config.schema")  # not `from micrograde.config`, which would ask here
    if not name.startswith("_") and hasattr(schema, name):
        return getattr(schema, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
