"""A network at many points of its parameters, as stacks: what is computed at one is computed at all."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.training.batches import Samples

_BYTES = 4 * 2**20  # that the arrays of a stack may take; more would not stay in the processor's caches
_ARRAYS = 8  # of the size of a layer's output that its forward and backward pass hold, about
_OPERATIONS = 30  # multiplications that take as long as what is done to an element of a layer's output


def stacks_for(
    model: MLP, points: int, rows: int, *, dtype: DTypeLike | None = None
) -> Iterator[tuple[slice, MLP]]:
    """Stacks of the network for so many points, a few at a time, so that memory stays small.

    Their parameters and statistics are to be set by the caller, for each stack before it is used; the next
    one is the same object.

    Parameters
    ----------
    model
        A stack of one; it stays as it is.
    rows
        Of the batches that will be given to the stacks.
    dtype
        The model's own, if None.

    Yields
    ------
    Which of the points, and the stack for them.
    """
    stack = model.same_kind([np.random.default_rng(0)], dtype=dtype)
    floats = 2 * model.layout.size + _ARRAYS * rows * sum(model.sizes)
    at_a_time = max(1, _BYTES // (floats * stack.dtype.itemsize))
    for start in range(0, points, at_a_time):
        part = slice(start, min(start + at_a_time, points))
        if stack.replicas != (part.stop - start,):
            stack.keep_replicas(np.zeros(part.stop - start, np.intp))  # the first one, as often as needed
        yield part, stack


def cost_of_a_row(model: MLP) -> int:
    """How long a forward pass takes for a row, in multiplications."""
    return model.layout.size + _OPERATIONS * sum(model.sizes[1:])


def chosen_points(trajectory: Trajectory, most: int) -> tuple[list[int], FloatArray, FloatArray]:
    """Epochs, parameters (E, P) and statistics (E, S) of some points, the first and the last too."""
    count = len(trajectory.epochs)
    places = np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(int)).tolist()
    return (
        [trajectory.epochs[place] for place in places],
        np.stack([trajectory.parameters[place] for place in places]),
        np.stack([trajectory.statistics[place] for place in places]),
    )


def some_rows(samples: Samples, most: int) -> Samples:
    """At most so many rows, drawn at random but the same each time: a data set may be sorted by class."""
    if len(samples) <= most:
        return samples
    rows = np.sort(np.random.default_rng(0).choice(len(samples), most, replace=False))
    return Samples(samples.features[rows], samples.targets[rows], samples.labels[rows])
