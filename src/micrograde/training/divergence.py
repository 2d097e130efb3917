"""Divergence: a loss that is no longer finite, and the parameter in which it began."""

from dataclasses import dataclass

import numpy as np

from micrograde.nn import MLP


@dataclass(frozen=True)
class Divergence:
    """The loss of a replica became infinite or NaN.

    Attributes
    ----------
    epoch, step
        Where the loss was not finite, both counted from 1.
    parameter
        The first parameter to hold a value that is not finite, or None if all are finite and only the
        activations overflowed.
    """

    epoch: int
    step: int
    loss: float
    parameter: str | None

    def __str__(self) -> str:
        where = "every parameter is finite, so the activations overflowed"
        if self.parameter:
            where = f"{self.parameter} is the first parameter that is not finite"
        return f"the loss is {self.loss} at step {self.step} (epoch {self.epoch}); {where}"


def first_nonfinite_parameter(model: MLP, replica: int) -> str | None:
    """Return the parameter nearest to the loss that holds an infinity or NaN; None if there is none.

    Gradients flow from the loss towards the input, so of the parameters that one step made infinite
    the last in the network's order was reached first.
    """
    views = model.layout.views(model.parameters)
    for name in reversed(model.layout.names):
        if not np.isfinite(views[name][replica]).all():
            return name
    return None
