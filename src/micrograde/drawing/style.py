"""The style that all pictures share, readable on light and dark pages and by colour-blind people."""

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import metric_of

# Okabe & Ito's palette, whose colours people with any colour vision can tell apart.
TRAIN_COLOUR = "#0072B2"
VALIDATION_COLOUR = "#D55E00"
PALETTE = (TRAIN_COLOUR, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#767676")
"""For the values of a categorical parameter; the colour that is left out marks the best run."""
INK = "#222222"
PALE_INK = "#767676"
GRID = "#E6E6E6"
PAPER = "#FFFFFF"  # a background, so that the axes can be seen on a dark page

_DECADES = 50.0  # ratio of the largest to the smallest value beyond which an axis is logarithmic


def is_spread(metric: str, values: NDArray[np.float64]) -> bool:
    """Return whether the values span orders of magnitude, so that they belong on a logarithmic axis.

    Accuracies and other metrics never do, nor do values that are zero or negative.
    """
    finite = values[np.isfinite(values)]
    if metric_of(metric) or finite.size == 0 or finite.min() <= 0:
        return False
    return bool(finite.max() / _DECADES > finite.min())
