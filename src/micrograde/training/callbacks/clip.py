"""Gradient clipping: by value, and by the norm of all of a replica's gradients together.

The conventions are PyTorch's (``clip_grad_value_``, ``clip_grad_norm_``), but the norm is computed in float64
and scaled where its square overflows, so that it is finite wherever the gradients are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np

from micrograde.core.hyperparameters import PER_REPLICA, PositiveFloat
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.callbacks import CALLBACKS, Callback, CallbackSettings
from micrograde.training.plan import TrainingPlan

_EPSILON = 1e-6  # added to the norm, as in PyTorch


@CALLBACKS.register
@dataclass(frozen=True, kw_only=True)
class Clip(CallbackSettings):
    """Gradient clipping before each step of the optimizer: by value first, then by norm.

    Parameters
    ----------
    norm
        The largest Euclidean norm of all gradients together; a larger one is scaled down to it. Null for
        none.
    value
        The largest absolute value of each gradient; larger ones are set to it. Null for none.
    """

    name: ClassVar[str] = "clip"

    norm: Annotated[PositiveFloat | None, PER_REPLICA] = None
    value: Annotated[PositiveFloat | None, PER_REPLICA] = None

    @classmethod
    def start(cls, settings: Sequence[Self], model: MLP, plan: TrainingPlan) -> Callback | None:  # noqa: ARG003
        """Return the callback that clips, or None if neither is set; each is set for all replicas or none."""
        norms, values = _column([each.norm for each in settings]), _column([each.value for each in settings])
        return None if norms is None and values is None else GradientClipping(norms, values)


class GradientClipping(Callback):
    """Clips the gradients of each replica at every step.

    A replica whose gradients have no finite norm is not scaled, so that it diverges as it does without
    clipping; NaN stays NaN. An infinite gradient clipped by value is the value.

    Parameters
    ----------
    norms, values
        (R,): the largest norm and absolute value; None for no such clipping.
    """

    every_step = True
    changes_network = True

    def __init__(self, norms: FloatArray | None, values: FloatArray | None) -> None:
        self._norms, self._values = norms, values
        self._scratch: FloatArray = np.empty(0)

    def on_gradients(self, model: MLP) -> None:
        """Clip the gradients (R, P) in place."""
        gradients = model.gradients
        if self._values is not None:
            largest = self._values.astype(gradients.dtype)[:, np.newaxis]
            np.clip(gradients, -largest, largest, out=gradients)
        if self._norms is None:
            return
        norms = self._norms_of(gradients) + _EPSILON
        scaled = (norms > self._norms) & np.isfinite(norms)
        if not scaled.any():
            return
        factors = np.ones_like(norms)
        np.divide(self._norms, norms, out=factors, where=scaled)
        tiny = factors < np.finfo(gradients.dtype).tiny  # would lose digits, or be zero, in the dtype
        if tiny.any():
            for row in np.flatnonzero(tiny).tolist():
                gradients[row] = gradients[row].astype(np.float64) / norms[row] * self._norms[row]
                factors[row] = 1.0
        np.multiply(gradients, factors.astype(gradients.dtype)[:, np.newaxis], out=gradients)

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the limits of these rows."""
        self._norms = None if self._norms is None else self._norms[rows]
        self._values = None if self._values is None else self._values[rows]

    def _norms_of(self, gradients: FloatArray) -> FloatArray:
        """Return the Euclidean norm of each replica's gradients, (R,), in float64."""
        exact = gradients
        if gradients.dtype != np.float64:  # the squares of float32 numbers overflow at 1e19
            if self._scratch.shape != gradients.shape:
                self._scratch = np.empty(gradients.shape)
            exact = self._scratch
            np.copyto(exact, gradients)
        norms: FloatArray = np.sqrt(np.vecdot(exact, exact))
        for row in np.flatnonzero(~np.isfinite(norms)).tolist():
            largest = np.max(np.abs(exact[row]))
            if np.isfinite(largest):
                norms[row] = largest * np.sqrt(np.sum(np.square(exact[row] / largest)))
        return norms


def _column(limits: Sequence[float | None]) -> FloatArray | None:
    given = [limit for limit in limits if limit is not None]
    if given and len(given) < len(limits):
        raise ValueError("a stack clips the gradients of all of its replicas, or of none")
    return np.array(given, np.float64) if given else None
