"""The notebook's distribution."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from micrograde.nn.arrays import FloatArray
from micrograde.nn.initializers import INITIALIZERS, Initializer, Stream


@INITIALIZERS.register
@dataclass(frozen=True, kw_only=True)
class Normal(Initializer):
    """0.01 N(0, 1), the notebook's (I1)."""

    name: Literal["normal"] = "normal"

    def draw(self, input_size: int, output_size: int, stream: Stream) -> FloatArray:
        """Return 0.01 times standard normal numbers."""
        return np.asarray(stream.standard_normal((input_size, output_size)) * 0.01)
