"""Store values in the page: numbers as JSON, arrays as the bytes of their float64, each array once."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograde.autograd.values import FloatArray, Value

ENTRIES = 4096
"""The most entries of an array that is shown whole. Of a larger one only a window is shown, but mean, norm
and so on are those of the whole array."""

WINDOW = 64
"""The number of rows, and of columns, of that window."""


@dataclass
class ArrayTable:
    """The arrays of a page; equal arrays are stored once."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    _known: dict[tuple[tuple[int, ...], bytes], int] = field(default_factory=dict)

    def refer(self, value: Value | None) -> Any:
        """Return a value's JSON: a number, ``"nan"``, ``"inf"`` or ``"-inf"``, or an array's index."""
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
    """Encode an array as rows and columns: leading axes are merged into rows, a vector is one row."""
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
    """Return mean, std, min, max and norm of the finite entries, and how many others (``odd``) there are."""
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
