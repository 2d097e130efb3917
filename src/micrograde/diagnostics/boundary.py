"""Which class a network sees where in the plane of its two inputs, at the points of a trajectory."""

from dataclasses import dataclass

import numpy as np

from micrograde.diagnostics.points import chosen_points, cost_of_a_row, stacks_for
from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP, softmax
from micrograde.nn.arrays import FloatArray
from micrograde.training.batches import Samples
from micrograde.training.evaluation import evaluate

POINTS = 30
"""Of a longer trajectory so many points are taken, evenly."""

_FINEST, _COARSEST = 80, 32  # rows and columns of the grid
_BUDGET = 6e8  # multiplications, in all points together
_ROWS = 128  # of the grid at once: few enough for new arrays to be cheap
_MARGIN = 0.08  # of the data's extent, around it


@dataclass(frozen=True)
class Boundary:
    """Class probabilities in the plane at K points of a training.

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
        In the network's inputs: standardized, where the features are.
    """

    epochs: list[int]
    probabilities: FloatArray
    accuracies: FloatArray
    x_range: tuple[float, float]
    y_range: tuple[float, float]


def decision_boundary(
    model: MLP, trajectory: Trajectory, samples: Samples, least_room: FloatArray | float = 0.0
) -> Boundary | None:
    """Probabilities in evaluation mode on a grid around the samples; the finer the smaller the network.

    In float32, whatever the model's dtype: that is three times as fast, and no eye sees the difference.

    Parameters
    ----------
    model
        A stack of one of the trajectory's network; it stays as it is.
    least_room
        How far the grid goes beyond the samples at least, of each input (2,).

    Returns
    -------
    None if the network has not two inputs, and without points.
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
    with np.errstate(all="ignore"):  # a run that diverged shows where it is no number
        for part, stack in stacks_for(model, len(epochs), _ROWS, dtype=np.float32):
            stack.parameters[...], stack.statistics[...] = parameters[part], statistics[part]
            for start in range(0, len(grid), _ROWS):
                rows = slice(start, start + _ROWS)
                probabilities[part, rows] = softmax(stack.predict_logits(grid[rows]))
            accuracies[part] = evaluate(stack, samples)[1]
    ends = (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1]))
    shape = (len(epochs), side, side, model.sizes[-1])
    return Boundary(epochs, probabilities.reshape(shape), accuracies, *ends)
