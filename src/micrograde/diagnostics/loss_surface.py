"""Loss surface: the loss in the plane in which training moved the parameters most.

The plane is spanned by the first two principal directions of the parameters' trajectory and goes through its
last point, as in section 7 of Li et al. 2018 ("Visualizing the loss landscape of neural nets").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.diagnostics.points import cost_of_a_row, some_rows, stacks_for
from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP
from micrograde.training.samples import Samples

MOST_ROWS = 512
"""The most rows of the training part that are used."""

_FINE, _COARSE = 21, 11  # rows and columns of the grid
_FEWEST_ROWS = 32
_BUDGET = 6e8  # multiplications for a grid
_LARGEST = 3.5 * _BUDGET  # with the coarse grid and the fewest rows; beyond this no surface is computed
_BESIDE = 2  # steps of the grid beyond the path, at most, on either side
_FLAT = 1e-6  # extent along the second direction relative to the first; below this the path is a line


@dataclass(frozen=True)
class LossSurface:
    """Losses on a grid, and the path across it.

    Attributes
    ----------
    losses
        (G, G), first axis along the second direction, second along the first; the outermost points of the
        grid are the ends of the ranges. The last point of the path is a point of the grid.
    x_range, y_range
        The range along each direction, as Euclidean distances in parameter space from the last point.
    path
        (E, 2): the trajectory's points, projected onto the plane.
    epochs
        E epochs; 0 is before the first step.
    explained
        The share of the path's variance along each direction.
    """

    losses: NDArray[np.float64]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    path: NDArray[np.float64]
    epochs: list[int]
    explained: tuple[float, float]


def loss_surface(model: MLP, trajectory: Trajectory, samples: Samples) -> LossSurface | None:
    """Compute the training loss on a grid around a trajectory; batch norm uses the statistics of the rows.

    The larger the network, the fewer rows are used and the coarser the grid. Losses are computed in
    float32, whatever the model's dtype, as it is three times as fast: they are right to about 1e-7.

    Parameters
    ----------
    model
        The trajectory's network, a stack of one; it is not changed.
    samples
        The training part.

    Returns
    -------
    The surface; None if there is no plane (fewer than three points, all of them on a line or equal, or one
    that is not finite), for a single row, which batch norm cannot normalize, or for a network so large that
    it would take a second or more (from about half a million parameters on).
    """
    size = _grid_size(model)
    if size is None or len(samples) < model.least_rows:
        return None
    found = principal_directions(trajectory)
    if found is None:
        return None
    directions, path, explained = found
    x, y = _around(path[:, 0], size), _around(path[:, 1], size)
    rows = int(np.clip(_BUDGET / (size * size * cost_of_a_row(model)), _FEWEST_ROWS, MOST_ROWS))
    batch = some_rows(samples, rows)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    losses = np.empty(len(places))
    with np.errstate(all="ignore"):  # far from the path a loss may be infinite
        last = trajectory.parameters[-1].astype(np.float32)
        places, directions = places.astype(np.float32), directions.astype(np.float32)
        for part, stack in stacks_for(model, len(places), len(batch), dtype=np.float32):
            np.matmul(places[part], directions, out=stack.parameters)
            stack.parameters += last
            losses[part] = stack.forward(batch.features, batch.targets, batch.weights, len(batch))
    ends = (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1]))
    return LossSurface(losses.reshape(size, size), *ends, path, list(trajectory.epochs), explained)


def principal_directions(
    trajectory: Trajectory,
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]] | None:
    """Return the first two principal directions of a trajectory.

    Computed from the eigenvectors of the E x E matrix of scalar products, as E is small and P may be large.

    Returns
    -------
    Two orthonormal directions (2, P), the coordinates of each point along them, from the last point (E, 2),
    and the share of the variance that each explains. None if there is no plane; see ``loss_surface``.
    """
    if len(trajectory.epochs) < 3:
        return None
    with np.errstate(all="ignore"):
        away = np.subtract(trajectory.parameters, trajectory.parameters[-1], dtype=np.float64)
        products = away @ away.T
        if not np.isfinite(products).all():
            return None
        # Scalar products of the differences from the mean point.
        centred = products - products.mean(axis=0) - products.mean(axis=1)[:, None] + products.mean()
    values, vectors = np.linalg.eigh(centred)
    values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
    if not values[1] > _FLAT**2 * values[0]:
        return None
    directions = (vectors[:, :2].T @ away) / np.sqrt(values[:2, None])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    path = away @ directions.T
    return directions, path, (float(values[0] / values.sum()), float(values[1] / values.sum()))


def _grid_size(model: MLP) -> int | None:
    cost = cost_of_a_row(model) * _FEWEST_ROWS
    if _FINE**2 * cost <= 2 * _BUDGET:
        return _FINE
    return _COARSE if _COARSE**2 * cost <= _LARGEST else None


def _around(path: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the grid's coordinates along one direction, around the path; one is zero, the last point."""
    step = np.ptp(path) / (size - 2 * _BESIDE)
    below = np.floor(path.min() / step) - (_BESIDE - 1)
    places: NDArray[np.float64] = step * (below + np.arange(size))
    return places
