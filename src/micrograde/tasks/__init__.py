"""Tasks, what is to be learned of a row of data: one file for each, found by itself.

Data name their task, see ``Dataset.task``: what a target column holds, or what a config says of it, decides.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.core.errors import InputError
from micrograde.core.registry import Registry
from micrograde.data.target_scaling import TargetScaling
from micrograde.nn import LOSSES, Loss
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.nn.onnx_graph import OnnxGraph

TASKS: "Registry[type[Task]]" = Registry("task", __name__)

Output: TypeAlias = Literal["softmax", "sigmoid"]
"""How logits become probabilities: over a logit for each class, or of a single one for two classes."""

Decided: TypeAlias = float | tuple[float, ...] | None
"""What probabilities are compared with: the threshold of the second of two classes, or those of K labels."""


class Described(Protocol):
    """What a task is made for: a ``Dataset``, or a trained model's ``Preprocessing``."""

    @property
    def task(self) -> str:
        """The name of the task."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; none if what is to be learned are not classes."""

    @property
    def target_names(self) -> tuple[str, ...]:
        """The names of the targets, if what is to be learned are not classes."""

    @property
    def target_scaling(self) -> TargetScaling | None:
        """How numbers are scaled for the network; None if they are not, or if that is not known yet."""


@dataclass(frozen=True, eq=False)
class Names:
    """A column of n rows that holds few names.

    Parameters
    ----------
    places
        Shape (n,): the index of each row's name; below 0 where it has none.
    names
        The names.
    """

    places: IntArray
    names: tuple[str, ...]


class Task(ABC):
    """What is to be learned of the rows of one data set, and what a network's logits say of it.

    ``labels`` are what the data set holds of each row, ``targets`` (N, C) what the loss compares with the
    logits (N, C) of a network whose last layer has C units.

    Attributes
    ----------
    metrics
        The metrics that are always measured, by name; the first one is that by which runs are ranked.
    shown
        The metrics of the kept model that the end of a run shows, too.
    baseline
        What the baseline says of each row: ``always saying the mean``.
    learns
        What the targets are that a loss compares with logits; see ``Loss.learns``.
    usual_loss
        The name of the loss that training makes small unless a config chooses another.
    class_names
        The names of the classes; none if there are none, or if they are not known.
    part_names
        The names of what a metric may have a value of its own for: of the classes, or of the targets.
    answer
        What a row lacks whose numbers overflow, as in "row 3 has no probabilities".
    loss
        What training makes small.
    threshold
        The probability of the second of two classes above which a row is taken for it; None where a row is
        taken for the most probable class, or if there are no classes. See ``decided_at``.
    thresholds
        Of several labels, (K,), the probability of each above which a row is said to have it; empty where it
        is a half.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    shown: ClassVar[tuple[str, ...]] = ()
    baseline: ClassVar[str]
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "classes"
    usual_loss: ClassVar[str] = "cross_entropy"
    class_names: tuple[str, ...] = ()
    part_names: tuple[str, ...] = ()
    threshold: float | None = None
    thresholds: tuple[float, ...] = ()
    answer: ClassVar[str] = "prediction"

    def __init__(self, loss: Loss | None = None) -> None:
        self.loss = loss or LOSSES[self.usual_loss]()
        if self.loss.learns != self.learns:
            fitting = [name for name, entry in LOSSES.items() if entry.learns == self.learns]
            raise InputError(
                f"loss={self.loss.name}: is none for {self.name}; "
                f"choose {' or '.join(fitting)}, or leave it out"
            )

    @classmethod
    @abstractmethod
    def of(cls, data: Described, loss: Loss | None = None) -> Self:
        """Return the task of these data.

        Raises
        ------
        InputError
            If the loss is not for this task.
        """

    @classmethod
    def with_output(cls, data: Described, loss: Loss | None, output: Output) -> "Task":
        """Return the task of these data for a network of which ``model.output`` says what its logits are.

        Raises
        ------
        InputError
            If there is no such network for them.
        """
        if output != "softmax":
            raise InputError(
                f"model.output={output}: is for two classes, and not for {cls.name}; leave it out"
            )
        return cls.of(data, loss)

    @property
    @abstractmethod
    def output_size(self) -> int:
        """C, the size of the network's last layer."""

    @abstractmethod
    def targets(self, labels: NDArray[Any], dtype: DTypeLike) -> FloatArray:
        """Return what the network is to learn of labels (N, ...), (N, C), in the network's dtype."""

    @abstractmethod
    def labels(self, targets: FloatArray) -> NDArray[Any]:
        """Return the labels that targets (..., N, C) stand for."""

    @abstractmethod
    def predicted(self, logits: FloatArray, *, finite: bool = False) -> NDArray[Any]:
        """Return the label that logits (..., N, C) predict for each row.

        With ``finite``, the caller knows that the loss of each row is finite, which may be quicker.
        """

    def for_metrics(self, logits: FloatArray) -> FloatArray:
        """Return logits (..., N, C) as metrics take them: of classes, with a column for each."""
        return logits

    def correct(self, logits: FloatArray, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which rows of logits (..., N, C) predict their label, or all of their labels, (..., N)."""
        right = np.asarray(self.predicted(logits) == labels)
        return np.asarray(right.all(axis=-1)) if right.ndim == logits.ndim else right

    @abstractmethod
    def baselines(self, training: NDArray[Any], labels: NDArray[Any]) -> Mapping[str, float]:
        """Return what is reached on labels (M, ...) by saying the same of each row, by the metric's name.

        What is said is what the training part's labels (N, ...) suggest.
        """

    @abstractmethod
    def answers(self, logits: FloatArray) -> FloatArray:
        """Return logits (n, C) in the units that users read, (n, C); NaN in a row whose numbers overflow."""

    @property
    @abstractmethod
    def column_types(self) -> Mapping[str, Literal["string", "double", "boolean"]]:
        """The columns of predictions, and MLflow's names of their types."""

    @abstractmethod
    def columns(self, answers: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return the columns of predictions for answers (n, C), (n,) each."""

    def side_by_side(self, tasks: Sequence[Self]) -> Self:  # noqa: ARG002 (what others need)
        """Return the task of a stack whose replicas learn ``tasks``, this one first, of data of their own.

        These have the same classes or targets, so that by default it is the same task; an entry that takes
        numbers of the data, such as a scale, keeps them with an axis of replicas.
        """
        return self

    def keep_replicas(self, rows: IntArray) -> Self:  # noqa: ARG002
        """Return the task of the replicas in these rows of the stack; see ``side_by_side``."""
        return self

    @property
    def decided(self) -> Decided:
        """What ``decided_at`` was told: ``threshold``, or ``thresholds``; None if neither."""
        return self.thresholds or self.threshold

    def decided_at(self, threshold: Decided) -> Self:
        """Return the task with another threshold, or several; None for the usual.

        Raises
        ------
        ValueError
            If it can have none, or not these.
        """
        if threshold is not None:
            raise ValueError(f"{self.name} is not decided by a threshold")
        return self

    def scores(self, logits: FloatArray) -> FloatArray:  # noqa: ARG002 (every rule's form)
        """Return what is compared with a threshold, (..., N), for logits (..., N, C); NaN for overflows.

        Raises
        ------
        ValueError
            If the task is not decided by a threshold.
        """
        raise ValueError(f"{self.name} is not decided by a threshold")

    def chosen(self, answers: FloatArray) -> IntArray:
        """Return the class that rows with these answers (n, C) are taken for, (n,): that of the greatest."""
        greatest: IntArray = answers.argmax(axis=-1)
        return greatest

    def onnx_chosen(self, graph: OnnxGraph, answers: str) -> str:
        """Add ``chosen`` of answers (n, C) to a graph; return the name of the class numbers, int64 (n, 1)."""
        return graph.node("ArgMax", answers, axis=1, keepdims=1)

    def beside(self, labels: NDArray[Any], logits: FloatArray) -> Mapping[str, "NDArray[Any] | Names"]:
        """Return what rows are, by labels (n, ...), beside what logits (n, C) predict, as columns (n,).

        By default labels and answers are numbers, (n, C): the columns are ``true`` and ``predicted``, or of
        several targets ``true_<name>`` and ``predicted_<name>``; NaN where a network's numbers overflow.
        """
        answers, numbers = self.answers(logits), np.asarray(labels).reshape(len(logits), -1)
        ends = [f"_{name}" for name in self.part_names] if len(self.part_names) > 1 else [""]
        found: dict[str, NDArray[Any] | Names] = {}
        for place, end in enumerate(ends):
            found[f"true{end}"], found[f"predicted{end}"] = numbers[:, place], answers[:, place]
        return found

    def further(self, logits: FloatArray) -> Mapping[str, NDArray[Any]]:  # noqa: ARG002 (others need it)
        """Return what else logits (n, C) say of rows, as columns (n,); by default nothing."""
        return {}

    def onnx(self, graph: OnnxGraph, logits: str) -> str:  # noqa: ARG002 (every rule's form)
        """Add ``answers`` of the float64 array ``logits`` to a graph; return the name of the result.

        Raises
        ------
        InputError
            If the task has no rule, which is so unless an entry says otherwise.
        """
        raise InputError(f"a network for {self.name} cannot be exported: the task has no rule for ONNX")


def task_of(data: Described, loss: Loss | None = None, output: Output = "softmax") -> Task:
    """Return the task that data are made for; ``loss`` takes the place of its usual one.

    ``output`` is what ``model.output`` says of the network.

    Raises
    ------
    InputError
        If there is no such task, or the loss or the output is not for it.
    """
    return TASKS[data.task].with_output(data, loss, output)
