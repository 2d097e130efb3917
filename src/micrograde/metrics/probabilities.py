"""The probabilities of the classes, in float64, whatever the network's own dtype."""

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import FloatArray


def probabilities(logits: FloatArray) -> NDArray[np.float64]:
    """Return the softmax of logits (..., C), (..., C); NaN in a row that has no class.

    They do not depend on what else is in the array: a replica's are the same bits alone and in a stack.
    """
    by_class = np.array(np.moveaxis(logits, -1, 0), np.float64, order="C")  # short axes are slow to reduce
    with np.errstate(all="ignore"):  # rows may overflow
        by_class -= by_class.max(axis=0)
        np.exp(by_class, out=by_class)
        total = by_class[0].copy()
        for powers in by_class[1:]:  # one after the other: NumPy's order depends on the other axes
            total += powers
        by_class /= total
    return np.moveaxis(by_class, 0, -1)
