"""The activation ``softsign``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from micrograde.core.hyperparameters import PROGRAM, PositiveFloat
from micrograde.nn import ACTIVATIONS, Activation
from micrograde.nn.arrays import FloatArray


@ACTIVATIONS.register
@dataclass(frozen=True, kw_only=True)
class Softsign(Activation):
    """``x / (width + abs(x))``, from -1 to 1.

    Parameters
    ----------
    width
        Where the function reaches half of its end.
    """

    name: Literal["softsign"] = "softsign"
    width: Annotated[PositiveFloat, PROGRAM] = 1.0
    saturation: ClassVar[Literal["none"]] = "none"

    def value(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return x / (width + abs(x))."""
        return np.divide(x, np.abs(x) + self.width, out=out)

    def gradient(self, x: FloatArray, output: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Return width / (width + abs(x))**2."""
        out = np.add(np.abs(x), self.width, out=out)
        np.multiply(out, out, out=out)
        return np.divide(self.width, out, out=out)
