"""Tasks, what is to be learned of a row of data: one file for each, found by itself.

A task is not chosen by a config: each says which data it is made for, and ``task_of`` returns the one that is
made for these.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol, Self

from numpy.typing import DTypeLike, NDArray

from micrograde.core.errors import InputError
from micrograde.core.registry import Registry
from micrograde.nn import Loss
from micrograde.nn.arrays import FloatArray
from micrograde.nn.onnx_graph import OnnxGraph

TASKS: "Registry[type[Task]]" = Registry("task", __name__)


class Described(Protocol):
    """What tells a task whether data are its own: a ``Dataset``, or a trained model's ``Preprocessing``."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; none if what is to be learned are not classes."""


class Task(ABC):
    """What is to be learned of the rows of one data set, and what a network's logits say of it.

    ``labels`` are what the data set holds of each row, ``targets`` (N, C) what the loss compares with the
    logits (N, C) of a network whose last layer has C units.

    Attributes
    ----------
    metrics
        The metrics that are always measured, by name.
    class_names
        The names of the classes; none if there are none, or if they are not known.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    class_names: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def of(cls, data: Described) -> Self | None:
        """Return the task of these data; None if they are another's. No two tasks may take the same data."""

    @property
    @abstractmethod
    def output_size(self) -> int:
        """C, the size of the network's last layer."""

    @property
    @abstractmethod
    def loss(self) -> Loss:
        """What training makes small."""

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

    @abstractmethod
    def answers(self, logits: FloatArray) -> FloatArray:
        """Return logits (n, C) in the units that users read, (n, C); NaN in a row whose numbers overflow."""

    @property
    @abstractmethod
    def column_types(self) -> Mapping[str, Literal["string", "double"]]:
        """The columns of predictions, and MLflow's names of their types."""

    @abstractmethod
    def columns(self, answers: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return the columns of predictions for answers (n, C), (n,) each."""

    def onnx(self, graph: OnnxGraph, logits: str) -> str:  # noqa: ARG002 (every rule's form)
        """Add ``answers`` of the float64 array ``logits`` to a graph; return the name of the result.

        Raises
        ------
        InputError
            If the task has no rule, which is so unless an entry says otherwise.
        """
        raise InputError(f"a network for {self.name} cannot be exported: the task has no rule for ONNX")


def task_of(data: Described) -> Task:
    """Return the task that data are made for.

    Raises
    ------
    InputError
        If there is none, or more than one; the message lists the tasks.
    """
    found = [task for entry in TASKS.values() if (task := entry.of(data)) is not None]
    if len(found) != 1:
        of = f"{len(found)} tasks: {', '.join(each.name for each in found)}" if found else "no task"
        raise InputError(f"the data are for {of}; task must be one of {', '.join(TASKS)}")
    return found[0]
