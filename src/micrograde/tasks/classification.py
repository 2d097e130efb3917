"""Classification: one of several classes for each row."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.core.errors import InputError
from micrograde.metrics.accuracy import Accuracy
from micrograde.metrics.balanced_accuracy import BalancedAccuracy
from micrograde.metrics.baseline import BASELINE_ACCURACY, baseline_accuracy
from micrograde.metrics.thresholds import EVEN
from micrograde.nn import Loss, one_hot, predicted_classes, softmax
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.nn.onnx_graph import OnnxGraph
from micrograde.tasks import TASKS, Decided, Described, Names, Output, Task

_INT64 = 7  # TensorProto.INT64


@TASKS.register
class Classification(Task):
    """One of several classes for each row; a logit for each class, whose softmax are probabilities.

    Labels are class numbers, (N,), and targets one-hot rows. A row is taken for its most probable class or,
    of two classes, for the second, the positive one, where its probability is above a ``threshold``.
    """

    name: ClassVar[str] = "classification"
    metrics: ClassVar[tuple[str, ...]] = (Accuracy.name,)
    answer: ClassVar[str] = "probabilities"
    shown: ClassVar[tuple[str, ...]] = (BalancedAccuracy.name,)
    baseline: ClassVar[str] = "always saying the most frequent class"

    def __init__(self, class_names: Sequence[str] = (), loss: Loss | None = None) -> None:
        super().__init__(loss)
        self.class_names = self.part_names = tuple(class_names)

    @classmethod
    def of(cls, data: Described, loss: Loss | None = None) -> Self:
        """Return the task of the data's classes."""
        return cls(data.class_names, loss)

    @classmethod
    def with_output(cls, data: Described, loss: Loss | None, output: Output) -> Task:
        """Return the task of the data's classes, of which ``sigmoid`` needs two."""
        two = len(data.class_names) == 2
        if output == "sigmoid":
            if not two:
                raise InputError(
                    f"model.output={output}: is for two classes, and not for {len(data.class_names)}; "
                    "leave it out"
                )
            if loss and loss.learns != ByOneLogit.learns:
                raise InputError(
                    f"loss={loss.name}: is none for model.output={output}, whose only one is "
                    f"{ByOneLogit.usual_loss}; leave it out"
                )
            return ByOneLogit.of(data, loss)
        if two and loss and loss.learns == ByOneLogit.learns:
            raise InputError(
                f"loss={loss.name}: is for a network with one output; add model.output=sigmoid, "
                "or leave the loss out"
            )
        return cls.of(data, loss)

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
        """Return the class of each row, (..., N); -1 for a row whose numbers overflow.

        That is the class of the largest logit, the first of equal ones, unless there is a threshold.
        """
        logits = self.for_metrics(logits)
        if self.threshold is None:
            return np.argmax(logits, axis=-1) if finite else predicted_classes(logits)
        found = (self.scores(logits) > self.threshold).astype(np.int64)
        return found if finite else np.where(np.isfinite(logits.max(axis=-1)), found, -1)

    def decided_at(self, threshold: Decided) -> Self:
        """Return the task with a threshold; 0.5 is none, as the second class then is the more probable one.

        Raises
        ------
        ValueError
            If there are not two classes, or the threshold is not between 0 and 1.
        """
        if threshold is None or threshold == EVEN:
            return self._decided(None)
        if isinstance(threshold, tuple):
            raise ValueError("several thresholds are for several labels, and not for classes")
        if len(self.class_names) != 2:
            raise ValueError(f"a threshold is for two classes, and not for {len(self.class_names)}")
        if not 0 < threshold < 1:
            raise ValueError(f"a threshold of {threshold} is not between 0 and 1")
        return self._decided(float(threshold))

    def _decided(self, threshold: float | None) -> Self:
        decided = copy.copy(self)
        decided.threshold = threshold
        return decided

    def scores(self, logits: FloatArray) -> FloatArray:
        """Return the probability of the second of two classes, in float64.

        It is above 0.5 just where the second logit is the larger, also where the probability would be rounded
        to 0.5, so that all thresholds are of one kind.
        """
        logits = self.for_metrics(logits)
        with np.errstate(all="ignore"):  # rows may overflow
            found = self.answers(np.asarray(logits, np.float64))[..., 1]
        even = (found == EVEN) & (logits[..., 1] > logits[..., 0])
        return np.where(even, np.nextafter(EVEN, 1), found)

    def baselines(self, training: NDArray[Any], labels: NDArray[Any]) -> Mapping[str, float]:
        """Return the accuracy of always saying the training part's most frequent class."""
        return {BASELINE_ACCURACY: baseline_accuracy(training, labels)}

    def answers(self, logits: FloatArray) -> FloatArray:
        """Return the probability of each class, (n, C)."""
        return softmax(self.for_metrics(logits))

    @property
    def column_types(self) -> Mapping[str, Literal["string", "double", "boolean"]]:
        """``class``, and ``probability_<name>`` of each class."""
        return {"class": "string", **{f"probability_{name}": "double" for name in self.class_names}}

    def columns(self, answers: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return the name of the class that each row is taken for, and all probabilities."""
        found = np.array(self.class_names, object)[self.chosen(answers)]
        return {"class": found, **self._shares(answers)}

    def beside(self, labels: NDArray[Any], logits: FloatArray) -> Mapping[str, NDArray[Any] | Names]:
        """Return the classes ``true`` and ``predicted``; no class is predicted where numbers overflow."""
        return {
            "true": Names(labels, self.class_names),
            "predicted": Names(self.predicted(logits), self.class_names),
        }

    def further(self, logits: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return ``probability_<name>`` of each class."""
        return self._shares(self.answers(logits))

    def _shares(self, answers: FloatArray) -> dict[str, NDArray[Any]]:
        return {f"probability_{name}": answers[:, number] for number, name in enumerate(self.class_names)}

    def chosen(self, answers: FloatArray) -> IntArray:
        """Return the class that rows with these probabilities (n, C) are taken for, (n,)."""
        if self.threshold is None:
            return super().chosen(answers)
        return (answers[:, 1] > self.threshold).astype(np.int64)

    def onnx(self, graph: OnnxGraph, logits: str) -> str:
        """Add ``Softmax``."""
        return graph.node("Softmax", self.onnx_for_metrics(graph, logits), axis=1)

    def onnx_for_metrics(self, graph: OnnxGraph, logits: str) -> str:  # noqa: ARG002 (every output's form)
        """Add ``for_metrics``; return the name of the result."""
        return logits

    def onnx_chosen(self, graph: OnnxGraph, answers: str) -> str:
        """Add ``chosen`` of probabilities (n, C); return the name of the class numbers (n, 1)."""
        if self.threshold is None:
            return super().onnx_chosen(graph, answers)
        second = graph.node("Gather", answers, graph.constant("second", np.array([1])), axis=1)
        above = graph.node("Greater", second, graph.constant("threshold", np.float64(self.threshold)))
        return graph.node("Cast", above, to=_INT64)


class ByOneLogit(Classification):
    """One of two classes for each row, by a single logit: ``model.output=sigmoid``.

    Its logistic function is the probability of the second class. That is the softmax of the logits (0, z),
    which is what metrics, pictures and predictions are given, so that they need not know of it. Targets are
    the class numbers, (N, 1).
    """

    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "truths"
    usual_loss: ClassVar[str] = "binary_cross_entropy"

    @property
    def output_size(self) -> int:
        """One."""
        return 1

    def targets(self, labels: NDArray[Any], dtype: DTypeLike) -> FloatArray:
        """Return the class numbers, (N, 1)."""
        return np.asarray(labels, dtype)[:, np.newaxis]

    def labels(self, targets: FloatArray) -> IntArray:
        """Return the class numbers (..., N) of targets (..., N, 1)."""
        return (targets[..., 0] > EVEN).astype(np.int64)

    def for_metrics(self, logits: FloatArray) -> FloatArray:
        """Return the logits (..., N, 1) as those of two classes, (0, z); NaN in rows that overflow."""
        if logits.shape[-1] == 2:
            return logits
        with np.errstate(invalid="ignore"):
            none = logits - logits
        return np.concatenate([none, logits], axis=-1)

    def onnx_for_metrics(self, graph: OnnxGraph, logits: str) -> str:
        """Add ``for_metrics``; return the name of the result, (n, 2)."""
        return graph.node("Concat", graph.node("Sub", logits, logits), logits, axis=1)


CLASSES_WITHOUT_NAMES = Classification()
"""What training knows of classes: the names are for users, and the number is that of the targets' columns."""
