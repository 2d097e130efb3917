"""Modules of version 0.1 that stand elsewhere now: importing one says in a line where."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_NEW_NAMES = {
    "classifier": "models.trained_network",
    "equations": "gradcheck",
    "errors": "core.errors",
    "estimator": "api.estimator",
    "experiment": "runs.train",
    "interactive": "api.interactive",
    "onnx_export": "models.onnx_export",
    "results": "api.results",
    "side_by_side": "runs.side_by_side",
}


class _FormerNames(MetaPathFinder):
    """Finds nothing, and says so better than Python for the modules that have moved."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Raise ``ModuleNotFoundError`` for a module that has moved; None for any other."""
        package, _, module = fullname.partition(".")
        if package == "micrograde" and module in _NEW_NAMES:
            new = f"micrograde.{_NEW_NAMES[module]}"
            raise ModuleNotFoundError(f"{fullname} has moved: import {new}", name=fullname)
        return None


def explain_former_names() -> None:
    """Have imports of modules that have moved say where they are."""
    sys.meta_path.append(_FormerNames())
