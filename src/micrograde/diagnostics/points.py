"""Evaluate a network at many points of a trajectory at once, as stacks."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.training.samples import Samples

_BYTES = 4 * 2**20  # memory for the arrays of a stack; more would not stay in the processor's caches
_ARRAYS = 8  # how many arrays of the size of its output a layer's passes hold, about
_OPERATIONS = 30  # multiplications that take as long as the work on one element of a layer's output


def stacks_for(
    model: MLP, points: int, rows: int, *, dtype: DTypeLike | None = None
) -> Iterator[tuple[slice, MLP]]:
    """Yield stacks of the network for a few points at a time, so that memory stays small.

    The caller sets the parameters and statistics of each stack before using it; the stack may be the same
    object each time.

    Parameters
    ----------
    model
        A stack of one; it is not changed.
    points
        The number of points.
    rows
        The number of rows in the batches that will be given to the stacks.
    dtype
        The dtype of the stacks; the model's own if None.

    Yields
    ------
    A slice of the points, and the stack for them.
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
    """Estimate the time that a forward pass takes for a row, in multiplications."""
    return model.layout.size + _OPERATIONS * sum(model.sizes[1:])


def chosen_points(trajectory: Trajectory, most: int) -> tuple[list[int], FloatArray, FloatArray]:
    """Choose at most ``most`` points evenly, with the first and the last.

    Returns
    -------
    Their epochs, parameters (E, P) and statistics (E, S).
    """
    count = len(trajectory.epochs)
    places = np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(int)).tolist()
    return (
        [trajectory.epochs[place] for place in places],
        np.stack([trajectory.parameters[place] for place in places]),
        np.stack([trajectory.statistics[place] for place in places]),
    )


def some_rows(samples: Samples, most: int) -> Samples:
    """Return at most ``most`` rows, drawn at random, as data may be sorted by class; the same each time."""
    if len(samples) <= most:
        return samples
    rows = np.sort(np.random.default_rng(0).choice(len(samples), most, replace=False))
    return samples.at(rows)
