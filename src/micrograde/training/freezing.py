"""Layers that do not learn."""

from collections.abc import Sequence

from micrograde.nn import MLP
from micrograde.training.callbacks import Callback


class Freezing(Callback):
    """Sets the gradients of frozen layers to zero at every step, before any are clipped.

    So they are no part of the norm that clipping goes by, and momentum and means of gradients stay zero;
    weight decay, which needs no gradient, is what ``StackOptimizer`` keeps from them. What only looks on,
    such as the gradients' norms, is called earlier and sees the loss's own gradients.

    Running statistics are no parameters: those of a frozen batch norm go on following the batches, as in
    PyTorch, where its parameters alone are frozen.

    Parameters
    ----------
    stretches
        Where the layers' parameters lie, see ``frozen_stretches``.
    """

    every_step = True
    changes_network = True

    def __init__(self, stretches: Sequence[slice]) -> None:
        self._stretches = stretches

    def on_gradients(self, model: MLP) -> None:
        """Set the gradients (R, size) of each frozen layer to zero."""
        for stretch in self._stretches:
            model.gradients[..., stretch] = 0.0


def frozen_stretches(model: MLP, layers: Sequence[str]) -> list[slice]:
    """Return where the parameters of these layers lie in the last axis of the network's buffers."""
    return [model.layout.place(layer) for layer in layers]


def layers_that_learn(model: MLP) -> tuple[str, ...]:
    """Return the names of the layers that have parameters, in the order of the forward pass."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in model.layout.names))
