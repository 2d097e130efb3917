"""micrograde: a laboratory for watching small neural networks learn.

The notebook's names live here, so that its cells run on ``from micrograde import ...``; everything
else is imported from the room it lives in, such as ``micrograde.training``.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":  # where a file cannot be locked as the records need it
    print("micrograde runs on Linux and macOS; on Windows use WSL", file=sys.stderr)
    sys.exit(2)

from micrograde.core.display import GraphDrawer
from micrograde.core.former_names import explain_former_names
from micrograde.core.process_limits import too_little_memory
from micrograde.core.version import VERSION

if line := too_little_memory():
    print(line, file=sys.stderr)
    sys.exit(2)

if TYPE_CHECKING:
    from micrograde.analysis import compare_settings
    from micrograde.api.estimator import MLPClassifier
    from micrograde.api.fitting import fit
    from micrograde.api.interactive import run, sweep
    from micrograde.api.regressor import MLPRegressor
    from micrograde.api.results import (
        Run,
        Sweep,
        compare,
        load_importance,
        load_importances,
        load_out_of_fold,
        load_predictions,
        load_retest,
    )
    from micrograde.autograd import Variable
    from micrograde.drawing import draw_graph, render_graph
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

__all__ = [
    "MLP",
    "BatchNormalization",
    "CrossEntropyLoss",
    "LinearLayer",
    "MLPClassifier",
    "MLPRegressor",
    "ReLUActivation",
    "Run",
    "SigmoidActivation",
    "Sweep",
    "TanhActivation",
    "Variable",
    "calculate_accuracy",
    "check_gradients",
    "compare",
    "compare_settings",
    "draw_graph",
    "fit",
    "load_importance",
    "load_importances",
    "load_out_of_fold",
    "load_predictions",
    "load_retest",
    "render_graph",
    "run",
    "sweep",
]

_ROOM_OF = {
    "MLP": "nn",
    "BatchNormalization": "nn",
    "CrossEntropyLoss": "nn",
    "LinearLayer": "nn",
    "MLPClassifier": "api.estimator",
    "MLPRegressor": "api.regressor",
    "ReLUActivation": "nn",
    "Run": "api.results",
    "SigmoidActivation": "nn",
    "Sweep": "api.results",
    "TanhActivation": "nn",
    "Variable": "autograd",
    "calculate_accuracy": "nn",
    "check_gradients": "gradcheck",
    "compare": "api.results",
    "compare_settings": "analysis",
    "draw_graph": "drawing",
    "fit": "api.fitting",
    "load_importance": "api.results",
    "load_importances": "api.results",
    "load_out_of_fold": "api.results",
    "load_predictions": "api.results",
    "load_retest": "api.results",
    "render_graph": "drawing",
    "run": "api.interactive",
    "sweep": "api.interactive",
}


def _draw(variable: "Variable") -> str:
    from micrograde.drawing import draw_svg

    return draw_svg(variable)


GraphDrawer.draw = _draw  # autograd knows no drawing; in Jupyter a variable shows its graph
explain_former_names()
__version__ = VERSION


def __getattr__(name: str) -> Any:
    """Return a name of ``__all__``, or a room: neither is imported before, as ``--version`` needs none."""
    if name in _ROOM_OF:
        return getattr(import_module(f"micrograde.{_ROOM_OF[name]}"), name)
    if not name.startswith("_") and (Path(__file__).parent / name / "__init__.py").exists():
        return import_module(f"micrograde.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is, also what has not been asked for yet; no helpers of this file."""
    rooms = (name for name, value in globals().items() if isinstance(value, ModuleType) and name != "sys")
    hidden = (name for name in globals() if name.startswith("__"))
    return sorted({*__all__, *rooms, *hidden})
