"""The plan of a training: epochs, batches, learning rates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from micrograde.metrics import Metric
from micrograde.metrics.accuracy import Accuracy
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.tasks import Task
from micrograde.tasks.classification import CLASSES_WITHOUT_NAMES


@dataclass(frozen=True)
class TrainingPlan:
    """How a stack is trained.

    least_rows
        The rows that the network needs in a batch: an epoch's last one joins the one before if it has fewer.
    learning_rates
        A function of steps (S,), counted from 0, that returns the learning rates of every replica, (S, R).
        Called as training reaches the steps, so that any number of epochs can be planned.
    nan_is_a_class
        The rule of recipes of version 1; see ``measure``.
    metrics
        What is measured besides the loss.
    keep
        Which weights are kept: those of the ``best`` epoch, or the ``last`` ones; None for the best ones if
        training stops early, and else the last ones.
    task
        What is learned.
    measures_whole_batches
        Whether callbacks look at an epoch's last step on a whole batch, not at its last step, whose batch may
        have a few rows only.
    log_every
        Every so many steps of the optimizer the loss and ``metrics`` of its batch are told; None for never.
    """

    num_epochs: int
    batch_size: int
    learning_rates: Callable[[IntArray], FloatArray]
    drop_last: bool = False
    least_rows: int = 1
    nan_is_a_class: bool = False
    metrics: tuple[Metric, ...] = (Accuracy(),)
    keep: Literal["best", "last"] | None = None
    task: Task = CLASSES_WITHOUT_NAMES
    measures_whole_batches: bool = True
    log_every: int | None = None
