"""Class labels as they stand in a file, turned into indices 0..C-1 and class names."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.errors import InputError


def encode_labels(values: NDArray[Any], source: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The index of each row's class, and the sorted classes' names.

    Parameters
    ----------
    values
        Shape (N,), nothing missing: integers, booleans, strings, or floats that are whole numbers.
    source
        The config key and its value, for the error line.

    Raises
    ------
    InputError
        The values are continuous, or of a kind that names no classes.
    """
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.floor(values))
        if not whole.all():
            example = float(values[~whole][0])
            raise InputError(
                f"{source}: holds continuous values such as {example}; classification needs classes, "
                "as integers or strings"
            )
    elif values.dtype.kind not in "iubUT":
        raise InputError(f"{source}: holds values such as {values[0]!r}; classes must be integers or strings")
    classes, labels = np.unique(values, return_inverse=True)
    as_text = str if classes.dtype.kind in "bUT" else lambda value: str(int(value))
    return labels.astype(np.int64), tuple(as_text(value) for value in classes)
