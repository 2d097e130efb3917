"""Distributions of activations and gradients in each layer, along a trajectory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from micrograde.diagnostics.points import chosen_points, cost_of_a_row, some_rows, stacks_for
from micrograde.diagnostics.trajectory import Trajectory
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.training.samples import Samples

VALUES = 2048
"""The most values per layer; if there are more, a sample is drawn, the same at every point."""

_BUDGET = 5e8  # multiplications, for all points together
_FEWEST = 5  # points, however large the network is


@dataclass(frozen=True)
class Distributions:
    """Values at E points of a training.

    Attributes
    ----------
    epochs
        E epochs; 0 is before the first step.
    activations
        (E, n) each: ``activation1``, ``activation2``, ... and ``logits``.
    gradients
        (E, n) each: of the weights of ``layer1``, ``layer2``, ...
    """

    epochs: list[int]
    activations: dict[str, FloatArray]
    gradients: dict[str, FloatArray]


def distributions(
    model: MLP, trajectory: Trajectory, samples: Samples, batch_size: int
) -> Distributions | None:
    """Compute activations and gradients for one batch of the samples, in training mode.

    For a large network fewer points of the trajectory are used, so that it takes a second at most.

    Parameters
    ----------
    model
        The trajectory's network, a stack of one; it is not changed.
    samples, batch_size
        The training part, and how many of its rows are used: the same ones at every point.

    Returns
    -------
    The values; None if the trajectory is empty, or for a single row, which batch norm cannot normalize.
    """
    batch = some_rows(samples, batch_size)
    if not trajectory.epochs or len(batch) < model.least_rows:
        return None
    most = max(_FEWEST, int(_BUDGET // (3 * len(batch) * cost_of_a_row(model))))
    epochs, parameters, statistics = chosen_points(trajectory, most)
    found: dict[str, list[FloatArray]] = {}
    for part, stack in stacks_for(model, len(epochs), len(batch)):
        stack.parameters[...], stack.statistics[...] = parameters[part], statistics[part]
        with np.errstate(all="ignore"):  # the picture of a diverged run shows its infinities
            stack.forward(batch.features, batch.targets, batch.weights, len(batch))
            stack.backward()
        for name, values in _arrays(stack):
            found.setdefault(name, []).append(_sample(values.reshape(len(values), -1)))
    whole = {name: np.concatenate(parts) for name, parts in found.items()}
    gradients = {name: whole.pop(name) for name in list(whole) if name.startswith("layer")}
    return Distributions(epochs, whole, gradients)


def _arrays(stack: MLP) -> Iterator[tuple[str, FloatArray]]:
    """Yield views of the layers' arrays from the last batch, by name."""
    for name, linear in stack.linear_layers.items():
        yield name, linear.grad_weights
    for number, hidden in enumerate(stack.hidden_activations, start=1):
        yield f"activation{number}", hidden.output
    yield "logits", stack.logits


def _sample(values: FloatArray) -> FloatArray:
    """Return a copy of values (E, n), or of some of their columns: the same for every array of width n."""
    width = values.shape[1]
    if width <= VALUES:
        return values.copy()
    columns = np.random.default_rng(0).choice(width, VALUES, replace=False)
    return values[:, np.sort(columns)]
