"""The function that a network of one or two inputs computes, on a grid, along a trajectory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from micrograde.diagnostics.points import chosen_points, cost_of_a_row, stacks_for
from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, blocks_of_rows
from micrograde.training.samples import Samples

POINTS = 30
"""The most points of a trajectory that are used; of a longer one they are taken evenly."""

_FINEST, _COARSEST = 80, 32  # rows and columns of the grid of two inputs
_OF_ONE = 200  # points of the grid of one
_BUDGET = 6e8  # multiplications, for all points together
_ROWS = 128  # of the grid that are predicted at once: few enough for new arrays to be cheap
_MARGIN = 0.08  # around the data, as a share of their extent


@dataclass(frozen=True)
class InputGrid:
    """A grid around the samples of a network of one or two inputs.

    Attributes
    ----------
    axes
        For each input its values on the grid, (G,), rising; the first and the last are the ends of the range.
    """

    axes: tuple[FloatArray, ...]

    @property
    def points(self) -> FloatArray:
        """The points (G, 1), or (G * G, 2) with the second input changing slower."""
        mesh = np.stack(np.meshgrid(*self.axes), axis=-1)
        return mesh.reshape(-1, len(self.axes)).astype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is computed: (G,), or (G, G) with the first axis along the second input."""
        return tuple(len(axis) for axis in reversed(self.axes))

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The range of each input, in the units of the network."""
        return tuple((float(axis[0]), float(axis[-1])) for axis in self.axes)


@dataclass(frozen=True)
class FunctionOverEpochs:
    """What a network says on a grid and of its samples, at E points of its training.

    Attributes
    ----------
    epochs
        E epochs; 0 is before the first step.
    logits
        (E, *grid.shape, C), in float32.
    of_samples
        (E, n, C): what it says of the n samples.
    """

    epochs: list[int]
    grid: InputGrid
    logits: FloatArray
    of_samples: FloatArray


def input_grid(model: MLP, epochs: int, samples: Samples, least_room: FloatArray | float = 0.0) -> InputGrid:
    """Return a grid around the samples: the smaller the network, the finer that of two inputs.

    Parameters
    ----------
    epochs
        At how many points of a trajectory it is used.
    least_room
        The least distance by which the grid extends beyond the samples, for each input.
    """
    inputs = samples.features.shape[1]
    side = int(np.sqrt(_BUDGET / (epochs * cost_of_a_row(model))))
    side = min(max(side, _COARSEST), _FINEST) if inputs == 2 else _OF_ONE
    low, high = samples.features.min(axis=0).astype(float), samples.features.max(axis=0).astype(float)
    room = np.maximum(np.where(high > low, _MARGIN * (high - low), 1.0), least_room)
    return InputGrid(tuple(np.linspace(low - room, high + room, side).T))


def stacks_on_grid(
    model: MLP, parameters: FloatArray, statistics: FloatArray, grid: InputGrid
) -> Iterator[tuple[slice, MLP, FloatArray]]:
    """Yield some of the points (E, P) and (E, S), the network there as a stack, and its logits on the grid.

    In float32, whatever the model's dtype: that is three times as fast, and the difference is not visible.
    """
    points = grid.points
    for part, stack in stacks_for(model, len(parameters), _ROWS, dtype=np.float32):
        stack.parameters[...], stack.statistics[...] = parameters[part], statistics[part]
        starts = range(0, len(points), _ROWS)
        blocks = [stack.predict_logits(points[start : start + _ROWS]) for start in starts]
        yield part, stack, np.concatenate(blocks, axis=-2)


def function_over_epochs(
    model: MLP, trajectory: Trajectory, samples: Samples, least_room: FloatArray | float = 0.0
) -> FunctionOverEpochs | None:
    """Evaluate a network, a stack of one, on a grid around the samples; it is not changed.

    None if the network has neither one input nor two, or the trajectory is empty.
    """
    if model.sizes[0] not in (1, 2) or not trajectory.epochs:
        return None
    epochs, parameters, statistics = chosen_points(trajectory, POINTS)
    grid = input_grid(model, len(epochs), samples, least_room)
    outputs = model.sizes[-1]
    logits = np.empty((len(epochs), int(np.prod(grid.shape)), outputs), np.float32)
    of_samples = np.empty((len(epochs), len(samples), outputs), np.float32)
    with np.errstate(all="ignore"):  # the picture of a diverged run shows where it is NaN
        for part, stack, on_grid in stacks_on_grid(model, parameters, statistics, grid):
            logits[part] = on_grid
            for rows in blocks_of_rows(len(samples)):
                of_samples[part, rows] = stack.predict_logits(samples.features[rows].astype(np.float32))
    return FunctionOverEpochs(epochs, grid, logits.reshape(len(epochs), *grid.shape, outputs), of_samples)
