"""He's distribution, for rectifiers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.initializers import INITIALIZERS, Initializer, Stream


@INITIALIZERS.register
@dataclass(frozen=True, kw_only=True)
class Kaiming(Initializer):
    """Normal, variance 2 / inputs (I3; He et al. 2015)."""

    name: Literal["kaiming"] = "kaiming"

    def draw(self, input_size: int, output_size: int, stream: Stream) -> FloatArray:
        """Return normal numbers of variance 2 / input_size."""
        return np.asarray(stream.standard_normal((input_size, output_size)) * np.sqrt(2.0 / input_size))
