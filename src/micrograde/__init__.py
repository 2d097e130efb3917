"""micrograde: a laboratory for watching small neural networks learn.

The notebook's names live here, so that its cells run on ``from micrograde import ...``; everything
else is imported from the room it lives in, such as ``micrograde.training``.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":  # where a file cannot be locked as the records need it
    print("micrograde runs on Linux and macOS; on Windows use WSL", file=sys.stderr)
    sys.exit(2)

from micrograde.core.former_names import explain_former_names
from micrograde.core.process_limits import too_little_memory

if line := too_little_memory():
    print(line, file=sys.stderr)
    sys.exit(2)

from micrograde.autograd import Variable
from micrograde.drawing import draw_graph, draw_svg, render_graph
from micrograde.gradcheck import check_gradients
from micrograde.nn import (
    MLP,
    BatchNormalization,
    CrossEntropyLoss,
    LinearLayer,
    ReLUActivation,
    SigmoidActivation,
    TanhActivation,
    calculate_accuracy,
)

if TYPE_CHECKING:
    from micrograde.api.estimator import MLPClassifier
    from micrograde.api.interactive import run, sweep
    from micrograde.api.results import Run, Sweep, compare

explain_former_names()
Variable.drawer = draw_svg  # autograd knows no drawing; in Jupyter a variable shows its graph

__all__ = [
    "MLP",
    "BatchNormalization",
    "CrossEntropyLoss",
    "LinearLayer",
    "MLPClassifier",
    "ReLUActivation",
    "Run",
    "SigmoidActivation",
    "Sweep",
    "TanhActivation",
    "Variable",
    "calculate_accuracy",
    "check_gradients",
    "compare",
    "draw_graph",
    "render_graph",
    "run",
    "sweep",
]

_WHEN_ASKED_FOR = {
    "MLPClassifier": "api.estimator",
    "Run": "api.results",
    "Sweep": "api.results",
    "compare": "api.results",
    "run": "api.interactive",
    "sweep": "api.interactive",
}


def __getattr__(name: str) -> Any:
    """What brings scikit-learn or Hydra with it is imported when it is asked for."""
    if name in _WHEN_ASKED_FOR:
        return getattr(import_module(f"micrograde.{_WHEN_ASKED_FOR[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is, also what has not been asked for yet; no helpers of this file."""
    rooms = (name for name, value in globals().items() if isinstance(value, ModuleType) and name != "sys")
    hidden = (name for name in globals() if name.startswith("__"))
    return sorted({*__all__, *rooms, *hidden})
