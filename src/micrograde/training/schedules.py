"""How the learning rate changes during training, as a factor for every step.

A schedule is a function of the epoch as a fraction: a step in the middle of epoch 3 (counted from 0)
stands at 3.5. Equations (O9)-(O12) in docs/backward/optimizers.md.
"""

from collections.abc import Callable

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray

Schedule = Callable[[FloatArray, int], FloatArray]
"""A function of epochs as fractions (S,) and the number of epochs that returns factors (S,)."""


def constant(epochs: FloatArray, num_epochs: int) -> FloatArray:  # noqa: ARG001 (every schedule's form)
    """Return 1 throughout (O9)."""
    return np.ones_like(epochs)


def step(epochs: FloatArray, num_epochs: int, *, step_epochs: int, factor: float) -> FloatArray:  # noqa: ARG001
    """Multiply by ``factor`` after every ``step_epochs`` whole epochs (O10)."""
    with np.errstate(over="ignore"):  # a rate that grows without bound makes the loss infinite, which is seen
        return np.power(factor, np.floor(epochs / step_epochs))


def cosine(
    epochs: FloatArray, num_epochs: int, *, warmup_epochs: float = 0.0, final_fraction: float = 0.0
) -> FloatArray:
    """Follow half a cosine from 1, after the warm-up, to ``final_fraction`` at the end (O11).

    Loshchilov & Hutter 2017, without restarts.
    """
    progress = np.clip((epochs - warmup_epochs) / max(num_epochs - warmup_epochs, 1e-12), 0.0, 1.0)
    factors: FloatArray = final_fraction + (1 - final_fraction) * 0.5 * (1 + np.cos(np.pi * progress))
    return factors


def learning_rate_factors(
    schedule: Schedule, steps: IntArray, *, num_epochs: int, steps_per_epoch: int, warmup_epochs: float = 0.0
) -> FloatArray:
    """Return the factor on the learning rate at each of the ``steps`` (S,), counted from 0.

    A step's factor is the same, bit for bit, whichever other steps are given. Over the first
    ``warmup_epochs`` the factor also grows linearly, from one step's share to 1 (O12).
    """
    with np.errstate(over="ignore", invalid="ignore"):  # see step
        factors = schedule(steps / steps_per_epoch, num_epochs)
        warmup_steps = max(warmup_epochs * steps_per_epoch, 1.0)
        return np.asarray(factors * np.minimum(1.0, (steps + 1) / warmup_steps))
