"""LeCun's distribution."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.initializers import INITIALIZERS, Initializer, Stream


@INITIALIZERS.register
@dataclass(frozen=True, kw_only=True)
class LeCun(Initializer):
    """Normal, variance 1 / inputs (I4; LeCun et al. 1998)."""

    name: Literal["lecun"] = "lecun"

    def draw(self, input_size: int, output_size: int, stream: Stream) -> FloatArray:
        """Return normal numbers of variance 1 / input_size."""
        return np.asarray(stream.standard_normal((input_size, output_size)) * np.sqrt(1.0 / input_size))
