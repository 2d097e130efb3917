"""Measurements of each layer at an epoch's last step on a whole batch: activations, gradients, updates.

A layer is a linear map with what follows it, up to the next one: ``layer1`` is measured at ``activation1``,
the last one at the logits. Everything is computed from the arrays that the step has left, so that it costs a
few passes over them per epoch and changes nothing.

The usual limits are those of Karpathy's lecture on activations and gradients ("Building makemore part 3"):
few units saturated, updates about a thousandth of the weights.
"""

from collections.abc import Sequence
from math import prod
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from micrograde.nn import MLP, Activation
from micrograde.nn.arrays import FloatArray
from micrograde.training.callbacks import Callback


class Diagnostics(Callback):
    """Measures a stack of networks; make a new one for each training.

    It runs once per epoch, on cold caches, so that its cost is the number of NumPy calls: what is the same
    for all layers is computed in one array with a column for each.
    """

    def __init__(self, model: MLP) -> None:
        self._before: FloatArray = np.empty(0)
        self._of_gradients: dict[str, FloatArray] = {}
        self._layers = [f"layer{number}" for number in range(1, len(model.sizes))]
        shapes = model.layout.shapes
        self._weights_of = [model.layout.names.index(f"{layer}.weights") for layer in self._layers]
        self._weights = np.array([prod(shapes[f"{layer}.weights"]) for layer in self._layers], float)
        self._features = np.array([prod(shape) for shape in model.statistics_layout.shapes.values()], float)

    def on_gradients(self, model: MLP) -> None:
        """Measure the gradients, and keep the parameters that the step is about to change."""
        if self._before.shape != model.parameters.shape:
            self._before = np.empty_like(model.parameters)
        np.copyto(self._before, model.parameters)
        # Here, as they may be clipped. In float64, as the squares of float32 gradients overflow at 1e19.
        gradients = model.gradients.astype(np.float64)
        means = self._sums(gradients, model) / self._weights
        squares = self._sums(np.square(gradients, out=gradients), model) / self._weights
        self._of_gradients = _by_layer(means, "gradient/{}.mean", self._layers) | _by_layer(
            _std(means, squares), "gradient/{}.std", self._layers
        )

    def on_step(self, model: MLP, learning_rate: FloatArray) -> dict[str, FloatArray]:
        """Return every measure by its metric's name, each (R,).

        ``gradient/<layer>.mean``, ``gradient/<layer>.std``
            Over the entries of the gradient of a layer's weights, before clipping.
        ``update_ratio/<layer>``
            log10 of the Euclidean norm of the update over that of the weights; NaN where either is zero.
        ``activation/<layer>.mean``, ``activation/<layer>.std``
            Over the batch's rows and the layer's units.
        ``activation/<layer>.saturated``
            For hidden layers only, if the activation has such a measure; see ``saturated_share``.
        ``batch_norm/<batch norm>.running_mean``, ``batch_norm/<batch norm>.running_var``
            Means over the features of the running statistics; of another normalization below its name.
        ``train/learning_rate``
            Of this step.
        """
        measured = {"train/learning_rate": learning_rate}
        weights = self._of_gradients | self._of_updates(model)
        return measured | weights | self._of_activations(model) | self._of_statistics(model)

    def _sums(self, array: FloatArray, model: MLP) -> FloatArray:
        """Return the sums over each layer's weights, (R, L)."""
        of_each: FloatArray = np.add.reduceat(array, model.layout.offsets, axis=-1)
        return of_each[:, self._weights_of]

    def _of_updates(self, model: MLP) -> dict[str, FloatArray]:
        """Measure the step that was taken; sums are in float64."""
        updates: FloatArray = np.empty(self._before.shape)
        np.subtract(model.parameters, self._before, out=updates)
        updated = self._sums(np.square(updates, out=updates), model)
        before = self._sums(np.square(self._before, out=updates), model)
        ratios = 0.5 * np.log10(updated / before)
        ratios[~np.isfinite(ratios)] = np.nan
        return _by_layer(ratios, "update_ratio/{}", self._layers)

    def _of_activations(self, model: MLP) -> dict[str, FloatArray]:
        hidden = model.hidden_activations
        means, squares = np.empty((2, len(model.parameters), len(self._layers)))
        for column, output in enumerate([*(layer.output for layer in hidden), model.logits]):
            flat = output.reshape(len(output), -1).astype(np.float64)
            means[:, column] = np.add.reduce(flat, axis=-1) / flat.shape[-1]
            squares[:, column] = np.vecdot(flat, flat) / flat.shape[-1]
        shares = {
            f"activation/{name}.saturated": saturated_share(layer.output, layer.function)
            for name, layer in zip(self._layers, hidden, strict=False)
            if layer.function.saturation != "none"
        }
        return (
            _by_layer(means, "activation/{}.mean", self._layers)
            | _by_layer(_std(means, squares), "activation/{}.std", self._layers)
            | shares
        )

    def _of_statistics(self, model: MLP) -> dict[str, FloatArray]:
        if not len(self._features):
            return {}
        sums = np.add.reduceat(model.statistics.astype(np.float64), model.statistics_layout.offsets, axis=-1)
        assert model.normalization is not None
        group = model.normalization.name
        return _by_layer(sums / self._features, f"{group}/{{}}", model.statistics_layout.names)


def _by_layer(columns: FloatArray, metric: str, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return the columns of an array (R, L) by their metrics' names."""
    return {metric.format(name): columns[:, column] for column, name in enumerate(names)}


def saturated_share(outputs: FloatArray, activation: Activation) -> FloatArray:
    """Return the share (R,) of saturated values among the outputs (R, N, H) of an activation.

    Or the share of units that are saturated for every row of the batch: the activation says which.
    """
    saturated = activation.saturated(outputs)
    match activation.saturation:
        case "values":
            return _share(saturated.reshape(len(outputs), -1))
        case "units":
            dead: NDArray[np.bool_] = np.all(saturated, axis=-2)
            return _share(dead)
        case "none":
            raise ValueError(f"{activation.name} has no measure of saturation")
    assert_never(activation.saturation)


def _share(true: NDArray[np.bool_]) -> FloatArray:
    share: FloatArray = np.count_nonzero(true, axis=-1) / true.shape[-1]
    return share


def _std(means: FloatArray, mean_squares: FloatArray) -> FloatArray:
    """Return standard deviations from means and mean squares; rounding may make a variance negative."""
    stds: FloatArray = np.sqrt(np.maximum(mean_squares - means * means, 0))
    return stds
