"""Classification: one of several classes for each row."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.metrics.accuracy import Accuracy
from micrograde.metrics.baseline import BASELINE_ACCURACY, baseline_accuracy
from micrograde.nn import Loss, one_hot, predicted_classes, softmax
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.nn.onnx_graph import OnnxGraph
from micrograde.tasks import TASKS, Described, Task


@TASKS.register
class Classification(Task):
    """One of several classes for each row; a logit for each class, whose softmax are probabilities.

    Labels are class numbers, (N,), and targets one-hot rows.
    """

    name: ClassVar[str] = "classification"
    metrics: ClassVar[tuple[str, ...]] = (Accuracy.name,)

    def __init__(self, class_names: Sequence[str] = (), loss: Loss | None = None) -> None:
        super().__init__(loss)
        self.class_names = self.part_names = tuple(class_names)

    @classmethod
    def of(cls, data: Described, loss: Loss | None = None) -> Self:
        """Return the task of the data's classes."""
        return cls(data.class_names, loss)

    @property
    def output_size(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    def targets(self, labels: NDArray[Any], dtype: DTypeLike) -> FloatArray:
        """Return one-hot rows, (N, C)."""
        return one_hot(labels, self.output_size, dtype)

    def labels(self, targets: FloatArray) -> IntArray:
        """Return the class numbers (..., N) of one-hot rows."""
        labels: IntArray = targets.argmax(axis=-1)
        return labels

    def predicted(self, logits: FloatArray, *, finite: bool = False) -> IntArray:
        """Return the class of each row's largest logit, (..., N); -1 for a row whose numbers overflow."""
        return np.argmax(logits, axis=-1) if finite else predicted_classes(logits)

    def baselines(self, training: NDArray[Any], labels: NDArray[Any]) -> Mapping[str, float]:
        """Return the accuracy of always saying the training part's most frequent class."""
        return {BASELINE_ACCURACY: baseline_accuracy(training, labels)}

    def answers(self, logits: FloatArray) -> FloatArray:
        """Return the probability of each class, (n, C)."""
        return softmax(logits)

    @property
    def column_types(self) -> Mapping[str, Literal["string", "double"]]:
        """``class``, and ``probability_<name>`` of each class."""
        return {"class": "string", **{f"probability_{name}": "double" for name in self.class_names}}

    def columns(self, answers: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return the name of the most probable class, and all probabilities."""
        found = np.array(self.class_names, object)[answers.argmax(axis=-1)]
        shares = {f"probability_{name}": answers[:, number] for number, name in enumerate(self.class_names)}
        return {"class": found, **shares}

    def onnx(self, graph: OnnxGraph, logits: str) -> str:
        """Add ``Softmax``."""
        return graph.node("Softmax", logits, axis=1)


CLASSES_WITHOUT_NAMES = Classification()
"""What training knows of classes: the names are for users, and the number is that of the targets' columns."""
