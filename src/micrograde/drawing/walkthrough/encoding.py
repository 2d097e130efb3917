"""How values reach the page: numbers as JSON, arrays as the bytes of their float64, each array once."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograde.autograd.values import FloatArray, Value

ENTRIES = 4096
"""Larger arrays are shown by a window; mean, norm and the like are still those of the whole."""

WINDOW = 64
"""Rows and columns of that window."""


@dataclass
class ArrayTable:
    """The arrays of a page; the same array, under whatever name, is stored once."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    _known: dict[tuple[tuple[int, ...], bytes], int] = field(default_factory=dict)

    def refer(self, value: Value | None) -> Any:
        """What stands in the JSON for a value: a number, its name if JSON has none, or an array's place."""
        if value is None:
            return None
        if isinstance(value, float):
            return value if np.isfinite(value) else str(value)  # nan, inf, -inf
        array = np.asarray(value, dtype="<f8")
        key = array.shape, array.tobytes()
        if key not in self._known:
            self._known[key] = len(self.entries)
            self.entries.append(_encoded(array))
        return {"array": self._known[key]}


def _encoded(array: FloatArray) -> dict[str, Any]:
    """An array as rows and columns: leading axes are rows, a vector is one row."""
    columns = array.shape[-1]
    matrix = array.reshape(array.size // columns if columns else 0, columns)
    shown = matrix if array.size <= ENTRIES else matrix[:WINDOW, :WINDOW]
    return {
        "shape": list(array.shape),
        "rows": shown.shape[0],
        "columns": shown.shape[1],
        "data": b64encode(np.ascontiguousarray(shown).tobytes()).decode("ascii"),
        **_summary(array),
    }


def _summary(array: FloatArray) -> dict[str, Any]:
    """Of the finite entries of the whole array, and how many there are besides."""
    finite = array[np.isfinite(array)]
    odd = {"odd": int(array.size - finite.size)}
    if not finite.size:
        return odd
    with np.errstate(over="ignore"):  # the norm of finite numbers may be infinite
        numbers = {
            "mean": np.mean(finite),
            "std": np.std(finite),
            "min": np.min(finite),
            "max": np.max(finite),
            "norm": np.linalg.norm(finite),
        }
    return odd | {name: _number(float(number)) for name, number in numbers.items()}


def _number(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)
