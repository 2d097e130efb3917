"""Decision boundary: class probabilities in the plane of a network's two inputs, along a trajectory."""

from dataclasses import dataclass

import numpy as np

from micrograde.diagnostics.points import chosen_points, cost_of_a_row, stacks_for
from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP, softmax
from micrograde.nn.arrays import FloatArray
from micrograde.training.batches import Samples
from micrograde.training.evaluation import evaluate

POINTS = 30
"""The most points of a trajectory that are used; of a longer one they are taken evenly."""

_FINEST, _COARSEST = 80, 32  # rows and columns of the grid
_BUDGET = 6e8  # multiplications, for all points together
_ROWS = 128  # of the grid that are predicted at once: few enough for new arrays to be cheap
_MARGIN = 0.08  # around the data, as a share of their extent


@dataclass(frozen=True)
class Boundary:
    """Class probabilities in the plane of two inputs, at K points of a training.

    Attributes
    ----------
    epochs
        K epochs; 0 is before the first step.
    probabilities
        (K, G, G, C), second axis along the second input, third along the first; the outermost points of
        the grid are the ends of the ranges.
    accuracies
        (K,), fractions of the samples, in evaluation mode.
    x_range, y_range
        The range of each input, in the units of the network: standardized if the features are.
    """

    epochs: list[int]
    probabilities: FloatArray
    accuracies: FloatArray
    x_range: tuple[float, float]
    y_range: tuple[float, float]


def decision_boundary(
    model: MLP, trajectory: Trajectory, samples: Samples, least_room: FloatArray | float = 0.0
) -> Boundary | None:
    """Compute class probabilities, in evaluation mode, on a grid around the samples.

    The smaller the network, the finer the grid. Computed in float32, whatever the model's dtype: that is
    three times as fast, and the difference is not visible.

    Parameters
    ----------
    model
        The trajectory's network, a stack of one; it is not changed.
    least_room
        The least distance by which the grid extends beyond the samples, for each input (2,).

    Returns
    -------
    The boundary; None if the network does not have two inputs, or the trajectory is empty.
    """
    if model.sizes[0] != 2 or not trajectory.epochs:
        return None
    epochs, parameters, statistics = chosen_points(trajectory, POINTS)
    side = int(np.sqrt(_BUDGET / (len(epochs) * cost_of_a_row(model))))
    side = min(max(side, _COARSEST), _FINEST)
    low, high = samples.features.min(axis=0).astype(float), samples.features.max(axis=0).astype(float)
    room = np.maximum(np.where(high > low, _MARGIN * (high - low), 1.0), least_room)
    x, y = np.linspace(low - room, high + room, side).T
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    probabilities = np.empty((len(epochs), len(grid), model.sizes[-1]), np.float32)
    accuracies = np.empty(len(epochs))
    with np.errstate(all="ignore"):  # the picture of a diverged run shows where it is NaN
        for part, stack in stacks_for(model, len(epochs), _ROWS, dtype=np.float32):
            stack.parameters[...], stack.statistics[...] = parameters[part], statistics[part]
            for start in range(0, len(grid), _ROWS):
                rows = slice(start, start + _ROWS)
                probabilities[part, rows] = softmax(stack.predict_logits(grid[rows]))
            accuracies[part] = evaluate(stack, samples)[1]
    ends = (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1]))
    shape = (len(epochs), side, side, model.sizes[-1])
    return Boundary(epochs, probabilities.reshape(shape), accuracies, *ends)
