"""What a network's layers are like at the last step of an epoch: activations, gradients, updates.

A layer is a linear map with what follows it, up to the next one: ``layer1`` is read at ``activation1``, the
last one at the logits. Everything is measured at the arrays that the step left behind, so that it costs a few
passes over them an epoch and changes nothing.

The limits that a reader compares with are those of Karpathy's lecture on activations and gradients ("Building
makemore part 3"): few units saturated, updates about a thousandth of the weights.
"""

import numpy as np
from numpy.typing import NDArray

from micrograde.nn import MLP, Activation, BatchNormalization
from micrograde.nn.arrays import FloatArray

SATURATED = 0.97
"""A tanh beyond this lets less than 6 % of its gradient through."""


class Diagnostics:
    """Measures a stack of networks; one for each training."""

    def __init__(self) -> None:
        self._before: FloatArray = np.empty(0)

    def before_step(self, model: MLP) -> None:
        """To be called before the optimizer changes the parameters in the epoch's last step."""
        if self._before.shape != model.parameters.shape:
            self._before = np.empty_like(model.parameters)
        np.copyto(self._before, model.parameters)

    def after_step(self, model: MLP, learning_rate: FloatArray) -> dict[str, FloatArray]:
        """Every measure by its metric's name, each (R,); ``learning_rate`` (R,) was the step's.

        ``gradient/<layer>.mean``, ``gradient/<layer>.std``
            Over the entries of the gradient of a layer's weights.
        ``update_ratio/<layer>``
            log10 of |update| / |weights|, Euclidean norms; NaN where either is zero.
        ``activation/<layer>.mean``, ``activation/<layer>.std``
            Over the batch's rows and the layer's units.
        ``activation/<layer>.saturated``
            Of hidden layers; see ``saturated_share``.
        ``batch_norm/<batch norm>.running_mean``, ``batch_norm/<batch norm>.running_var``
            Means over the features of the running statistics.
        ``train/learning_rate``
        """
        measured = {"train/learning_rate": learning_rate}
        return measured | self._of_parameters(model) | _of_activations(model) | _of_statistics(model)

    def _of_parameters(self, model: MLP) -> dict[str, FloatArray]:
        """Summed in float64: the squares of float32 gradients overflow at 1e19."""
        offsets = model.layout.offsets
        gradients = model.gradients.astype(np.float64)
        sums = np.add.reduceat(gradients, offsets, axis=-1)
        squares = np.add.reduceat(np.square(gradients, out=gradients), offsets, axis=-1)
        updates = np.subtract(model.parameters, self._before, out=gradients)
        updated = np.add.reduceat(np.square(updates, out=updates), offsets, axis=-1)
        weights = np.add.reduceat(np.square(self._before, out=updates), offsets, axis=-1)
        ratios = 0.5 * np.log10(updated / weights)
        ratios[~np.isfinite(ratios)] = np.nan

        means, stds, update_ratios = {}, {}, {}
        for index, (name, shape) in enumerate(model.layout.shapes.items()):
            layer, _, kind = name.partition(".")
            if kind == "weights":
                size = shape[0] * shape[1]
                mean, square = sums[..., index] / size, squares[..., index] / size
                means[f"gradient/{layer}.mean"] = mean
                stds[f"gradient/{layer}.std"] = _std(mean, square)
                update_ratios[f"update_ratio/{layer}"] = ratios[..., index]
        return means | stds | update_ratios


def _of_activations(model: MLP) -> dict[str, FloatArray]:
    means, stds, shares = {}, {}, {}
    for name, layer in model.layers.items():
        if isinstance(layer, Activation):
            number = name.removeprefix("activation")
            shares[f"activation/layer{number}.saturated"] = saturated_share(layer.output, layer.name)
            outputs = layer.output
        elif name == next(reversed(model.layers)):
            number, outputs = str(len(model.sizes) - 1), model.logits
        else:
            continue
        flat = outputs.reshape(len(outputs), -1).astype(np.float64)
        mean = np.add.reduce(flat, axis=-1) / flat.shape[-1]
        means[f"activation/layer{number}.mean"] = mean
        stds[f"activation/layer{number}.std"] = _std(mean, np.vecdot(flat, flat) / flat.shape[-1])
    return means | stds | shares


def _of_statistics(model: MLP) -> dict[str, FloatArray]:
    means, variances = {}, {}
    for name, layer in model.layers.items():
        if isinstance(layer, BatchNormalization):
            means[f"batch_norm/{name}.running_mean"] = layer.running_mean.mean(axis=-1, dtype=np.float64)
            variances[f"batch_norm/{name}.running_var"] = layer.running_var.mean(axis=-1, dtype=np.float64)
    return means | variances


def saturated_share(outputs: FloatArray, activation: str) -> FloatArray:
    """The share (R,) of what hardly learns among outputs (R, N, H) of an activation.

    tanh: outputs beyond 0.97 in size, where the slope is below 0.06. sigmoid: the same of its tanh,
    2 sigmoid(x) - 1. relu: units that are dead, 0 for every row of the batch.
    """
    if activation == "relu":
        dead = np.logical_not(outputs.any(axis=-2))
        return _share(dead)
    as_tanh = outputs if activation == "tanh" else 2 * outputs - 1
    return _share((np.abs(as_tanh) > SATURATED).reshape(len(outputs), -1))


def _share(true: NDArray[np.bool_]) -> FloatArray:
    share: FloatArray = np.count_nonzero(true, axis=-1) / true.shape[-1]
    return share


def _std(mean: FloatArray, mean_square: FloatArray) -> FloatArray:
    """The standard deviation; a difference of squares, which rounding may make negative."""
    std: FloatArray = np.sqrt(np.maximum(mean_square - mean * mean, 0))
    return std
