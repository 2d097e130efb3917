"""Findings: sentences about what stands out in a run's measurements; one file for each, found by itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, log
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.leaving_out import Say, left_out
from micrograde.core.registry import Registry
from micrograde.diagnostics.kept_model import KeptModel
from micrograde.nn import Activation

FINDINGS: "Registry[type[Finding]]" = Registry("finding", __name__)


@dataclass(frozen=True)
class Measurements:
    """The measurements of a run at its end, and what is known of its config and its data.

    Attributes
    ----------
    history
        Each metric's value after every epoch, by its plain name: ``gradient_norm/layer1.weights``.
    initial_loss
        The loss of the first batch, before the first step.
    classes
        The number of classes; 0 if there are none.
    majority
        The share of the most frequent class in the training part; NaN without classes.
    activation
        The activation of the hidden layers.
    early_stopping
        Whether the run uses early stopping, which keeps its best weights.
    stopping_metric
        The metric by which early stopping chooses them.
    rows_of_no_class
        For each part (``validation``, ``test``) that has such rows: how many rows get no class, because the
        network's numbers overflow for them, and how many rows the part has.
    test
        The metrics of the test part, such as ``test/loss``; empty without one, or if the run did not finish.
    config
        Every key of the run's config with its value: ``optimizer.learning_rate``.
    class_counts
        (C,) for each part that exists (``training``, ``validation``, ``test``): the rows of each class; empty
        without classes.
    rows
        For each part that exists, its rows.
    task
        What is learned, by its name.
    features
        The number of the network's inputs.
    parameters
        The number of the network's parameters.
    telling_columns
        The columns of the data that alone tell the class of every row.
    normalization
        The name of the normalization, such as ``batch norm``; empty without one.
    logits_normalized
        Whether it follows the last linear layer, too.
    class_names
        The names of the classes.
    batch_size
        The rows of a batch.
    steps
        How many steps were taken.
    shared_rows
        For each part (``validation``, ``test``) of a table: its rows that stand in the training part, too.
    target_names
        The names of the numbers that are predicted; none with classes.
    target_scales
        What one standard deviation of each number is in its own unit, (K,); none with classes.
    loss_of_mean
        The training part's loss if always its mean is predicted; NaN with classes.
    columns
        The columns of the data, each with the inputs of the network that it becomes.
    diverged_at
        The step at which the loss was no longer finite; None if it always was.
    kept
        The metrics of the model that a finished run keeps: ``kept/val/loss``.
    of_kept_model
        What that model does besides; None if the run has not finished.
    saturated_at_start
        For each hidden layer, the share of saturated values before the first step, see ``saturated_share``;
        empty if it was not measured.
    loss_is_plain
        Whether the loss is cross-entropy as it is; not with weights or label smoothing.
    """

    history: Mapping[str, Sequence[float]]
    initial_loss: float
    classes: int
    majority: float
    activation: Activation
    early_stopping: bool = False
    stopping_metric: str = "val/loss"
    rows_of_no_class: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    class_counts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    task: str = "classification"
    features: int = 0
    parameters: int = 0
    telling_columns: tuple[str, ...] = ()
    normalization: str = ""
    logits_normalized: bool = False
    class_names: tuple[str, ...] = ()
    batch_size: int = 0
    steps: int = 0
    shared_rows: Mapping[str, int] = field(default_factory=dict)
    target_names: tuple[str, ...] = ()
    target_scales: tuple[float, ...] = ()
    loss_of_mean: float = float("nan")
    columns: tuple[tuple[str, slice], ...] = ()
    diverged_at: int | None = None
    kept: Mapping[str, float] = field(default_factory=dict)
    of_kept_model: KeptModel | None = None
    saturated_at_start: tuple[float, ...] = ()
    loss_is_plain: bool = True

    @property
    def ignorant_loss(self) -> float:
        """About the loss without knowing anything of a row: ``log(C)``, or that of always saying the mean."""
        if self.classes:
            return log(self.classes)
        return self.loss_of_mean if isfinite(self.loss_of_mean) else 1.0

    @property
    def has_epochs(self) -> bool:
        """Whether the run has completed an epoch."""
        return bool(self.history.get("train/loss"))

    @property
    def stopped_early(self) -> bool:
        """Whether training ended before the epochs that were planned."""
        planned = self.config.get("training.num_epochs")
        return isinstance(planned, int) and len(self.history.get("train/loss", ())) < planned

    @property
    def frozen(self) -> tuple[str, ...]:
        """The numbers of the linear layers that do not learn, of which findings do not complain."""
        frozen = self.config.get("training.freeze")
        names = map(str, frozen) if isinstance(frozen, list) else ()
        return tuple(name.removeprefix("layer") for name in names if name.startswith("layer"))

    def of_layers(self, group: str, measure: str = "") -> dict[str, NDArray[np.float64]]:
        """Return the finite values of a metric of the layers that learn, by the layer's number.

        For example, ``activation`` and ``.saturated`` give ``activation/layer1.saturated`` as ``"1"``.
        """
        found = {}
        for metric, values in self.history.items():
            if metric.startswith(f"{group}/layer") and metric.endswith(measure):
                array = np.asarray(values, float)
                number = metric.removeprefix(f"{group}/layer").removesuffix(measure)
                if (finite := array[np.isfinite(array)]).size and number not in self.frozen:
                    found[number] = finite
        return found


class Finding(ABC):
    """A rule that says what stands out in the measurements; its docstring says when.

    It depends on the measurements alone, so that a run gives the same findings whether it was resumed or not.
    A sentence says what was measured, the cause, how sure that is, and what to type: see ``because``.

    Attributes
    ----------
    place
        Where its sentences stand among those of other findings: what concerns the start of training comes
        first (10), its result last (90). Of equal places the order is that of the names.
    needs_epochs
        Whether it is asked only of runs that have completed an epoch.
    task
        The name of the task of the runs that it is about; None if it is about any.
    """

    name: ClassVar[str]
    place: ClassVar[int] = 100
    needs_epochs: ClassVar[bool] = True
    task: ClassVar[str | None] = None

    @abstractmethod
    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield a sentence for each thing that stands out; none of a run in which nothing does."""


def find_findings(measured: Measurements, say: Say | None = None) -> list[str]:
    """Return a sentence for each thing that stands out, the start of training first.

    Parameters
    ----------
    say
        Called with a line for each finding that fails and is left out; without it the error is raised.
    """
    found: list[str] = []
    for name, entry in sorted(FINDINGS.items(), key=lambda item: (item[1].place, item[0])):
        if entry.task not in (None, measured.task):
            continue
        if measured.has_epochs or not entry.needs_epochs:
            with left_out(f"finding {name}", say, "found"):
                found += list(entry().sentences(measured))
    return found
