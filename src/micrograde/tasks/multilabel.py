"""Several labels for each row, each of which it has or has not."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.core.errors import InputError
from micrograde.metrics.baseline import BASELINE_HAMMING_LOSS, baseline_hamming_loss
from micrograde.metrics.hamming_loss import HammingLoss
from micrograde.metrics.subset_accuracy import SubsetAccuracy
from micrograde.metrics.thresholds import EVEN
from micrograde.nn import Loss, softmax
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.nn.onnx_graph import OnnxGraph
from micrograde.tasks import TASKS, Decided, Described, Output, Task


@TASKS.register
class Multilabel(Task):
    """Several labels for each row, each yes or no; a logit for each.

    The logistic function of a logit is the probability of its label, which a row is said to have if that is
    more than a half, or than the label's own threshold. Labels are 0 or 1, (N, K), and so are targets.
    """

    name: ClassVar[str] = "multilabel"
    metrics: ClassVar[tuple[str, ...]] = (HammingLoss.name,)
    shown: ClassVar[tuple[str, ...]] = (SubsetAccuracy.name,)
    baseline: ClassVar[str] = "always saying what is most frequent of each label"
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "truths"
    usual_loss: ClassVar[str] = "binary_cross_entropy"
    answer: ClassVar[str] = "probabilities"

    def __init__(self, target_names: Sequence[str], loss: Loss | None = None) -> None:
        super().__init__(loss)
        self.target_names = self.part_names = tuple(target_names)

    @classmethod
    def of(cls, data: Described, loss: Loss | None = None) -> Self:
        """Return the task of the data's labels."""
        return cls(data.target_names, loss)

    @classmethod
    def with_output(cls, data: Described, loss: Loss | None, output: Output) -> Task:
        """Return the task of the data's labels, each of which has a logit of its own in any case."""
        if output != "softmax":
            raise InputError(
                f"model.output={output}: is for two classes; of several labels each has a logit of its own "
                "anyway; leave it out"
            )
        return cls.of(data, loss)

    @property
    def output_size(self) -> int:
        """The number of labels."""
        return len(self.target_names)

    def targets(self, labels: NDArray[Any], dtype: DTypeLike) -> FloatArray:
        """Return the labels as numbers, (N, K)."""
        return np.ascontiguousarray(labels, dtype)

    def labels(self, targets: FloatArray) -> IntArray:
        """Return which labels (..., N, K) rows have."""
        return (targets > 0.5).astype(np.int64)

    def predicted(self, logits: FloatArray, *, finite: bool = False) -> IntArray:
        """Return which labels rows are said to have, (..., N, K); -1 for a row whose numbers overflow."""
        if self.thresholds:
            with np.errstate(invalid="ignore"):
                found = (self.scores(logits) > np.array(self.thresholds)).astype(np.int64)
        else:
            found = (logits > 0).astype(np.int64)
        return found if finite else np.where(np.isfinite(logits).all(axis=-1, keepdims=True), found, -1)

    def decided_at(self, threshold: Decided) -> Self:
        """Return the task with a threshold for each label, or one number for all; a half is none.

        Raises
        ------
        ValueError
            If there are not as many as labels, or one is not between 0 and 1.
        """
        count = len(self.target_names)
        each = (
            threshold if isinstance(threshold, tuple) else (EVEN if threshold is None else threshold,) * count
        )
        if len(each) != count:
            raise ValueError(f"{len(each)} thresholds do not fit {count} labels")
        if wrong := [one for one in each if not 0 < one < 1]:
            raise ValueError(f"a threshold of {wrong[0]} is not between 0 and 1")
        decided = copy.copy(self)
        decided.thresholds = () if all(one == EVEN for one in each) else tuple(map(float, each))
        return decided

    def scores(self, logits: FloatArray) -> FloatArray:
        """Return the probability of each label, (..., N, K), in float64; NaN in a row that overflows.

        It is above 0.5 just where the logit is above 0, as that of classes is.
        """
        with np.errstate(all="ignore"):
            found = self.answers(np.asarray(logits, np.float64))
        return np.where((found == EVEN) & (logits > 0), np.nextafter(EVEN, 1), found)

    def baselines(self, training: NDArray[Any], labels: NDArray[Any]) -> Mapping[str, float]:
        """Return the Hamming loss of always saying what is most frequent of each label."""
        return {BASELINE_HAMMING_LOSS: baseline_hamming_loss(training, labels)}

    def answers(self, logits: FloatArray) -> FloatArray:
        """Return the probability of each label, (n, K); NaN in a row whose numbers overflow."""
        with np.errstate(invalid="ignore"):
            none = logits - logits  # 0, or NaN of what is not finite
            shares = softmax(np.stack([none, logits], axis=-1))[..., 1]  # of (0, z) it is the logistic of z
            return np.where(np.isnan(none).any(axis=-1, keepdims=True), none.dtype.type(np.nan), shares)

    @property
    def column_types(self) -> Mapping[str, Literal["string", "double", "boolean"]]:
        """The labels, and ``probability_<label>`` of each."""
        shares: dict[str, Literal["string", "double", "boolean"]] = dict.fromkeys(self._shares(), "double")
        return {**dict.fromkeys(self.target_names, "boolean"), **shares}

    def _shares(self) -> list[str]:
        return [f"probability_{name}" for name in self.target_names]

    def columns(self, answers: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return whether rows have each label, and its probability."""
        bounds = self.thresholds or (EVEN,) * len(self.target_names)
        said = {name: answers[:, place] > bounds[place] for place, name in enumerate(self.target_names)}
        return {**said, **{name: answers[:, place] for place, name in enumerate(self._shares())}}

    def beside(self, labels: NDArray[Any], logits: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return ``true_<label>`` and ``predicted_<label>``, 0 or 1; NaN where nothing is predicted."""
        predicted, found = self.predicted(logits).astype(np.float64), {}
        predicted[predicted < 0] = np.nan
        for place, name in enumerate(self.target_names):
            found[f"true_{name}"] = labels[:, place]
            found[f"predicted_{name}"] = predicted[:, place]
        return found

    def further(self, logits: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return ``probability_<label>`` of each label."""
        return dict(zip(self._shares(), self.answers(logits).T, strict=True))

    def onnx(self, graph: OnnxGraph, logits: str) -> str:
        """Add ``Sigmoid``, and NaN in a row whose numbers overflow."""
        axis = graph.constant("labels", np.array([1]))
        none = graph.node("ReduceSum", graph.node("Sub", logits, logits), axis, keepdims=1)
        return graph.node("Add", graph.node("Sigmoid", logits), none)
