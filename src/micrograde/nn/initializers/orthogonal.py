"""Orthogonal matrices."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.initializers import INITIALIZERS, Initializer, Stream


@INITIALIZERS.register
@dataclass(frozen=True, kw_only=True)
class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer (I5; Saxe et al. 2014)."""

    name: Literal["orthogonal"] = "orthogonal"

    def draw(self, input_size: int, output_size: int, stream: Stream) -> FloatArray:
        """Return the Q of a normal matrix; with the signs of R's diagonal, all such are equally probable."""
        longer, shorter = max(input_size, output_size), min(input_size, output_size)
        q, r = np.linalg.qr(stream.standard_normal((longer, shorter)))
        weights: FloatArray = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return weights if input_size >= output_size else np.ascontiguousarray(weights.T)
