"""Modules of version 0.1 that have moved: importing one by its old name raises an error with the new one."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_NEW_NAMES = {
    "classifier": "models.trained_network",
    "equations": "gradcheck.equations",
    "errors": "core.errors",
    "estimator": "api.estimator",
    "experiment": "runs.train",
    "interactive": "api.interactive",
    "onnx_export": "models.onnx_export",
    "results": "api.results",
    "side_by_side": "runs.side_by_side",
}


class _FormerNames:
    """An import finder that finds nothing, but raises a helpful error for modules that have moved."""

    def find_spec(
        self,
        fullname: str,
        path: "Sequence[str] | None",  # noqa: ARG002
        target: "ModuleType | None" = None,  # noqa: ARG002
    ) -> "ModuleSpec | None":
        """Raise ``ModuleNotFoundError`` for a module that has moved; return None for any other."""
        package, _, module = fullname.partition(".")
        if package == "micrograde" and module in _NEW_NAMES:
            new = f"micrograde.{_NEW_NAMES[module]}"
            raise ModuleNotFoundError(f"{fullname} has moved: import {new}", name=fullname)
        return None


def explain_former_names() -> None:
    """Make imports of modules that have moved raise an error that names the new module."""
    sys.meta_path.append(_FormerNames())
