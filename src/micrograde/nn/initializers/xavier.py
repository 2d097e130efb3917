"""Glorot's distribution."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.initializers import INITIALIZERS, Initializer, Stream


@INITIALIZERS.register
@dataclass(frozen=True, kw_only=True)
class Xavier(Initializer):
    """Uniform, variance 2 / (inputs + outputs) (I2; Glorot & Bengio 2010)."""

    name: Literal["xavier"] = "xavier"

    def draw(self, input_size: int, output_size: int, stream: Stream) -> FloatArray:
        """Return uniform numbers between -limit and limit, sqrt(6 / (inputs + outputs))."""
        limit = np.sqrt(6.0 / (input_size + output_size))
        return np.asarray(stream.uniform(-limit, limit, (input_size, output_size)))
