"""Metrics of predictions, such as accuracy: one file for each, found by itself.

A metric knows arrays alone and no network, so that whoever compares runs can ask which of two values is
better. The loss is none of them: training measures it anyway, as ``train/loss`` and so on.

Where the data leave a metric undefined, its value is NaN, never a number that looks like a result; each entry
says when. A row of no class, for which a network's numbers overflow, counts as wrong in every metric of the
predicted classes; it has no probabilities, so that metrics of these are NaN, as the loss is.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.core.registry import Registry

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
Labels = NDArray[Any]
"""Classes (..., N), or numbers (..., N, K)."""

METRICS: "Registry[type[Metric]]" = Registry("metric", __name__)

PARTS = ("train", "val", "test")
"""What stands before a metric's name in the records: the part of the data."""

KEPT = "kept/"
"""What stands before the part in the name of a value of the model that is kept: ``kept/val/accuracy``."""

STEP = "step/"
"""What stands before the name of a value of one step of the optimizer: ``step/train/loss``.

Its steps in the records are those of the optimizer and not epochs, so that no metric has both.
"""

BASELINE = "baseline_"
"""What stands before a metric's name for what is reached without learning: ``baseline_rmse``."""

_LOWER_IS_BETTER = ("loss", "error", "norm", "duration")  # of values that are no entries


class Outputs(Protocol):
    """What the networks of a stack of R replicas say about N rows, computed when it is asked for.

    Attributes
    ----------
    logits
        (R, N, C).
    labels
        The classes to be learned, (N,) or (R, N); numbers to be predicted in their own units, (N, K) or
        (R, N, K).
    predicted
        The class of each row, (R, N), -1 where a network's numbers overflow, so that there is none; the
        numbers, (R, N, K).
    correct
        Which rows are predicted as they should be, (R, N).
    """

    @property
    def logits(self) -> FloatArray: ...  # noqa: D102 (see Attributes)
    @property
    def labels(self) -> Labels: ...  # noqa: D102
    @property
    def predicted(self) -> Labels: ...  # noqa: D102
    @property
    def correct(self) -> NDArray[np.bool_]: ...  # noqa: D102


class Tally(ABC):
    """Takes in the rows of a part of the data, batch by batch, and then gives the metric's value."""

    @abstractmethod
    def add(self, outputs: Outputs) -> None:
        """Take in more rows."""

    @abstractmethod
    def value(self) -> FloatArray:
        """Return the metric of all rows, (R,); (R, C) if it is one of each class or target."""


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """A number that says how good predictions are.

    At the end of a run it is measured of the model that is kept, and recorded as ``kept/<part>/<name>``.
    Where ``training.metrics`` names it, it is measured in each epoch, too, as ``train/<name>`` (in training
    mode, each batch before its own update) and ``val/<name>`` (after the epoch).

    Attributes
    ----------
    direction
        Which of two values is better: the ``higher`` or the ``lower``.
    format
        The format of a value in tables and lines: ``.4f``; empty for a value in the unit of the target, see
        ``plain_number``.
    task
        The name of the task whose predictions it is of.
    ranks
        Whether runs of its task are ranked by it unless another metric is named; one metric of each task is.
    per_class
        Whether it has a value for each class, each of which is recorded as ``<name>/<class>``.
    per_target
        Whether it has a value for each number that is predicted: recorded is their mean, and of several
        targets each as ``<name>/<target>``, too.
    needs
        What rows must be like for it to have a value, as in "rows of two classes"; empty if it always has
        one as long as the loss is finite.
    """

    name: str = ""  # each entry has its own
    direction: ClassVar[Literal["higher", "lower"]]
    format: ClassVar[str] = ".4f"
    task: ClassVar[str] = "classification"
    ranks: ClassVar[bool] = False
    per_class: ClassVar[bool] = False
    per_target: ClassVar[bool] = False
    needs: ClassVar[str] = ""

    @abstractmethod
    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the metric of N rows for each replica, (R,); (R, C) if it is one of each class or target.

        See ``Outputs`` for the arrays. NaN says that it is undefined.
        """

    def tally(self, replicas: int, rows: int) -> Tally:  # noqa: ARG002 (what others need)
        """Return a tally of so many replicas and rows; by default all logits are kept for ``compute``."""
        return _All(self)


@dataclass(frozen=True, kw_only=True)
class ShareOfRows(Metric):
    """A metric that is the share of rows for which something holds; no logits are kept for it."""

    name: str

    @abstractmethod
    def holds(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Return for which rows it holds, (R, N)."""

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the share of the rows, (R,)."""
        tally = self.tally(*predicted.shape)
        tally.add(GivenOutputs(logits, labels, predicted))
        return tally.value()

    def tally(self, replicas: int, rows: int) -> Tally:
        """Return a tally that keeps a truth value for each row."""
        return _Rows(self, replicas, rows)


@dataclass(frozen=True)
class GivenOutputs:
    """Outputs of which the arrays are known; see ``Outputs``."""

    logits: FloatArray
    labels: Labels
    predicted: Labels

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Which rows are predicted as they should be, (R, N)."""
        return np.asarray(self.predicted == self.labels)


class _Rows(Tally):
    def __init__(self, metric: ShareOfRows, replicas: int, rows: int) -> None:
        self._metric, self._held, self._row = metric, np.zeros((replicas, rows), np.bool_), 0

    def add(self, outputs: Outputs) -> None:
        held = self._metric.holds(outputs)
        end = self._row + held.shape[-1]
        self._held[:, self._row : end] = held
        self._row = end

    def value(self) -> FloatArray:
        share: FloatArray = np.count_nonzero(self._held[:, : self._row], axis=-1) / self._row
        return share


class _All(Tally):
    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._parts: list[tuple[FloatArray, Labels, Labels]] = []

    def add(self, outputs: Outputs) -> None:
        self._parts.append((outputs.logits.copy(), outputs.labels, outputs.predicted))

    def value(self) -> FloatArray:
        logits, labels, predicted = zip(*self._parts, strict=True)
        of_rows = 1 - predicted[0].ndim  # the axis of the rows: classes are (R, N), several labels (R, N, K)
        return self._metric.compute(
            np.concatenate(logits, axis=-2),
            np.concatenate(labels, axis=of_rows),
            np.concatenate(predicted, axis=of_rows),
        )


def part_of(recorded: str) -> str:
    """Return what stands before a metric's name: ``kept/val`` of ``kept/val/accuracy``; empty if nothing."""
    found = re.match(rf"({KEPT})?({'|'.join(PARTS)})(?=/)", recorded)
    return found[0] if found else ""


def is_of_one_class(recorded: str) -> bool:
    """Return whether a recorded name is of one class or target alone, such as ``kept/val/recall/spam``."""
    part = part_of(recorded)
    return bool(part) and "/" in recorded.removeprefix(f"{part}/")


def ranking_metrics(part: str = "") -> tuple[str, ...]:
    """Return the metrics that runs are ranked by, one for each task, of a part such as ``kept/val``."""
    before = f"{part}/" if part else ""
    return tuple(f"{before}{name}" for name, entry in METRICS.items() if entry.ranks)


def ranking_metric(task: str) -> str:
    """Return the name of the metric that runs of a task are ranked by."""
    return next(name for name, entry in METRICS.items() if entry.ranks and entry.task == task)


def name_in_history(recorded: str) -> str:
    """Return the name under which a metric of the kept model is measured after each epoch."""
    return recorded.removeprefix(KEPT)


def metric_of(recorded: str) -> "type[Metric] | None":
    """Return the entry of a recorded name such as ``val/accuracy`` or ``accuracy mean``; None if none.

    What follows the name of a metric of each class, as in ``val/recall/spam``, is the class.
    """
    recorded = recorded.removeprefix(STEP)
    name = recorded.removeprefix(part_of(recorded)).removeprefix("/")
    found = re.fullmatch(r"(\w+)(/.+?)?(?: mean| std)?", name)
    if not found or found[1] not in METRICS:
        return None
    entry = METRICS[found[1]]
    return entry if entry.per_class or entry.per_target or not found[2] else None


def name_of_entry(measured: str) -> str:
    """Return the entry's name of ``recall/spam``: ``recall``; any other name is returned as it is."""
    name, slash, _ = measured.partition("/")
    has_parts = slash and name in METRICS and (METRICS[name].per_class or METRICS[name].per_target)
    return name if has_parts else measured


def names_a_value(measured: str) -> bool:
    """Return whether this is an entry's name, with a class just if the entry has a value for each.

    A target may follow the name of a metric of numbers.
    """
    entry = name_of_entry(measured)
    if entry not in METRICS:
        return False
    of_part = entry != measured.rstrip("/")
    return METRICS[entry].per_class == of_part or (METRICS[entry].per_target and of_part)


def lower_is_better(recorded: str) -> bool:
    """Return whether a lower value is better.

    Of values that are no entries it is so of losses, errors, norms and durations.
    """
    entry = _measured_by(recorded)
    if entry:
        return entry.direction == "lower"
    return any(word in recorded for word in _LOWER_IS_BETTER)


def formatted(recorded: str, value: float, otherwise: str) -> str:
    """Return a value as text in its metric's format; if it is of no entry, in the format ``otherwise``.

    What a baseline reaches, ``kept/val/baseline_accuracy``, has the format of that metric.
    """
    entry = _measured_by(recorded)
    wanted = entry.format if entry else otherwise
    return format(value, wanted) if wanted else plain_number(value)


def _measured_by(recorded: str) -> "type[Metric] | None":
    """Return the entry that a value was measured by; that of ``baseline_rmse`` is the one of ``rmse``."""
    part = part_of(recorded)
    name = recorded.removeprefix(part).removeprefix("/")
    return metric_of(f"{part}/{name.removeprefix(BASELINE)}" if part else name.removeprefix(BASELINE))
