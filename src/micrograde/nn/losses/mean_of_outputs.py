"""The mean over a row's outputs, which the losses of numbers and truths have in common."""

import numpy as np

from micrograde.nn.arrays import FloatArray


def mean_of_outputs(losses: FloatArray) -> FloatArray:
    """Return the mean of losses (..., N, C) over the outputs, (..., N), in their dtype."""
    mean: FloatArray = np.add.reduce(losses, axis=-1)
    mean /= losses.shape[-1]
    return mean
