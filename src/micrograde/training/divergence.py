"""Noticing that a loss is no longer a number, and saying where it began."""

import numpy as np

from micrograde.nn import MLP


class TrainingDiverged(ArithmeticError):  # noqa: N818 (an event of training, not a fault of the program)
    """The loss became infinite or NaN.

    Attributes
    ----------
    step
        The step, counted from 1, whose loss was not finite.
    parameter
        The parameter that was the first to hold a value that is not finite, or None if all are finite
        and the activations alone overflowed.
    """

    def __init__(self, epoch: int, step: int, loss: float, parameter: str | None) -> None:
        self.epoch, self.step, self.loss, self.parameter = epoch, step, loss, parameter
        where = (
            f"{parameter} is the first parameter that is not finite"
            if parameter
            else ("every parameter is finite, so the activations overflowed")
        )
        super().__init__(f"the loss is {loss} at step {step} (epoch {epoch}); {where}")


def first_nonfinite_parameter(model: MLP, replica: int) -> str | None:
    """The parameter nearest to the loss that holds an infinity or NaN.

    Gradients flow from the loss towards the input, so of the parameters that one step made infinite
    the last in the network's order was the first to be reached.
    """
    views = model.layout.views(model.parameters)
    for name in reversed(model.layout.names):
        if not np.isfinite(views[name][replica]).all():
            return name
    return None
