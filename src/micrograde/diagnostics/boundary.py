"""Decision boundary: class probabilities in the plane of a network's two inputs, along a trajectory."""

from dataclasses import dataclass

import numpy as np

from micrograde.diagnostics.function_over_epochs import POINTS, input_grid, stacks_on_grid
from micrograde.diagnostics.points import chosen_points
from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.tasks import Task
from micrograde.tasks.classification import CLASSES_WITHOUT_NAMES
from micrograde.training.evaluation import evaluate
from micrograde.training.samples import Samples


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
    model: MLP,
    trajectory: Trajectory,
    samples: Samples,
    least_room: FloatArray | float = 0.0,
    *,
    task: Task = CLASSES_WITHOUT_NAMES,
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
    grid = input_grid(model, len(epochs), samples, least_room)
    classes = len(task.class_names) or model.sizes[-1]
    probabilities = np.empty((len(epochs), *grid.shape, classes), np.float32)
    accuracies = np.empty(len(epochs))
    with np.errstate(all="ignore"):  # the picture of a diverged run shows where it is NaN
        for part, stack, logits in stacks_on_grid(model, parameters, statistics, grid):
            probabilities[part] = task.answers(logits).reshape(-1, *grid.shape, classes)
            accuracies[part] = evaluate(stack, samples, task=task)[1]
    return Boundary(epochs, probabilities, accuracies, *grid.ranges)
