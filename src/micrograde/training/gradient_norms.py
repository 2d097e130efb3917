"""Euclidean norms of the gradient: of all parameters together, and of each."""

from collections.abc import Sequence

import numpy as np

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.callbacks import Callback


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


class GradientNorms(Callback):
    """Adds the norms at an epoch's last step on a whole batch to its metrics, as they are before clipping."""

    def __init__(self) -> None:
        self._norms: dict[str, FloatArray] = {}

    def on_gradients(self, model: MLP) -> None:
        """Measure the gradients of the step."""
        self._norms = gradient_norms(model)

    def on_epoch(
        self,
        epoch: int,  # noqa: ARG002
        model: MLP,  # noqa: ARG002
        replicas: Sequence[int],  # noqa: ARG002
        metrics: dict[str, FloatArray],
    ) -> None:
        """Add the norms to the metrics, after all others."""
        if metrics:
            metrics |= self._norms

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the norms of these rows."""
        self._norms = {name: norms[rows] for name, norms in self._norms.items()}
