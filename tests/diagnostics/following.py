"""A network and a trajectory of it, as a training leaves one, or made of any numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograde.diagnostics import Trajectory
from micrograde.nn import MLP, one_hot
from micrograde.training import Samples


def make_model(sizes: Sequence[int] = (4, 6, 3), seed: int = 0, **options: Any) -> MLP:
    inputs, *hidden, classes = sizes
    options = {"initializer": "xavier", "loss_epsilon": 0.0, **options}
    return MLP(inputs, hidden, classes, generators=[np.random.default_rng(seed)], **options)


def make_samples(rows: int, features: int, classes: int, seed: int = 0, dtype: str = "float64") -> Samples:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    values = (random.normal(size=(rows, features)) + labels[:, None]).astype(dtype)
    return Samples(values, one_hot(labels, classes, dtype), labels)


def wander(model: MLP, points: int, seed: int = 0, size: float = 0.3) -> Trajectory:
    """A trajectory of random steps from where the model is; the statistics wander too."""
    random = np.random.default_rng(seed)
    trajectory = Trajectory()
    parameters, statistics = model.parameters[0].copy(), model.statistics[0].copy()
    for number in range(points):
        trajectory.epochs.append(number)
        trajectory.parameters.append(parameters.copy())
        trajectory.statistics.append(statistics.copy())
        parameters += (size * random.normal(size=parameters.shape)).astype(model.dtype)
        statistics += (0.1 * random.random(statistics.shape)).astype(model.dtype)
    return trajectory


def at(model: MLP, trajectory: Trajectory, point: int) -> MLP:
    """The network alone at a point of the trajectory, a stack of one."""
    alone = model.alone(0)
    alone.parameters[0], alone.statistics[0] = trajectory.parameters[point], trajectory.statistics[point]
    return alone
