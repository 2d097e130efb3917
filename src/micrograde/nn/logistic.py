"""The logistic function where small results must keep their digits, as a factor of gated activations."""

import numpy as np

from micrograde.nn.arrays import FloatArray


def logistic(x: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) as a new array: nothing overflows, and results near 0 keep their digits."""
    power = np.exp(-np.abs(x))
    share: FloatArray = np.where(x >= 0, power.dtype.type(1.0), power)
    return np.divide(share, np.add(power, 1.0, out=power), out=power)
