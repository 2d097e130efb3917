"""Euclidean norms of the gradient: of all parameters together, and of each."""

import numpy as np

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray


def gradient_norms(model: MLP) -> dict[str, FloatArray]:
    """Return ``gradient_norm/total`` and ``gradient_norm/<parameter>`` of the last backward pass, each (R,).

    Summed in float64: the squares of float32 gradients overflow at 1e19.
    """
    squares = np.square(model.gradients, dtype=np.float64)
    sums = np.add.reduceat(squares, model.layout.offsets, axis=-1)
    norms = {"gradient_norm/total": np.sqrt(sums.sum(axis=-1))}
    for index, name in enumerate(model.layout.names):
        norms[f"gradient_norm/{name}"] = np.sqrt(sums[..., index])
    return norms
