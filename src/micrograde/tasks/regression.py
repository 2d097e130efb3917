"""Regression: one number for each row, or several."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.data.target_scaling import TargetScaling
from micrograde.metrics.baseline import BASELINE_RMSE, baseline_rmse
from micrograde.metrics.r2 import RSquared
from micrograde.metrics.rmse import RootMeanSquaredError
from micrograde.nn import Loss
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.nn.onnx_graph import OnnxGraph
from micrograde.tasks import TASKS, Described, Task


@TASKS.register
class Regression(Task):
    """One number for each row, or several; an output for each.

    Labels are the numbers in their own units, (N, K), and targets these numbers scaled to mean 0 and standard
    deviation 1 on the training part: losses are of scaled numbers, metrics and predictions in own units.
    """

    name: ClassVar[str] = "regression"
    metrics: ClassVar[tuple[str, ...]] = (RootMeanSquaredError.name,)
    shown: ClassVar[tuple[str, ...]] = (RSquared.name,)
    baseline: ClassVar[str] = "always saying the training part's mean"
    learns: ClassVar[Literal["classes", "numbers", "truths"]] = "numbers"
    usual_loss: ClassVar[str] = "huber"

    def __init__(
        self, target_names: Sequence[str], scaling: TargetScaling | None = None, loss: Loss | None = None
    ) -> None:
        super().__init__(loss)
        self.target_names = self.part_names = tuple(target_names)
        count = len(self.target_names)
        self.scaling = scaling or TargetScaling(np.zeros(count), np.ones(count))

    @classmethod
    def of(cls, data: Described, loss: Loss | None = None) -> Self:
        """Return the task of the data's numbers."""
        return cls(data.target_names, data.target_scaling, loss)

    def side_by_side(self, tasks: Sequence[Self]) -> Self:
        """Return the task with each replica's scaling, if they have several: in arrays (R, 1, K)."""
        scalings = [task.scaling for task in tasks]
        if all(each is self.scaling for each in scalings):
            return self
        means = np.stack([each.means for each in scalings])[:, np.newaxis]
        scales = np.stack([each.scales for each in scalings])[:, np.newaxis]
        return type(self)(self.target_names, TargetScaling(means, scales), self.loss)

    def keep_replicas(self, rows: IntArray) -> Self:
        """Return the task with the scaling of the replicas in these rows of the stack."""
        if self.scaling.means.ndim == 1:
            return self
        kept = TargetScaling(self.scaling.means[rows], self.scaling.scales[rows])
        return type(self)(self.target_names, kept, self.loss)

    @property
    def output_size(self) -> int:
        """The number of targets."""
        return len(self.target_names)

    def targets(self, labels: NDArray[Any], dtype: DTypeLike) -> FloatArray:
        """Return scaled numbers, (N, K)."""
        return self.scaling.scaled(labels, dtype)

    def labels(self, targets: FloatArray) -> NDArray[np.float64]:
        """Return the numbers (..., N, K) that targets stand for, in their own units."""
        return self.scaling.in_own_units(targets)

    def predicted(self, logits: FloatArray, *, finite: bool = False) -> NDArray[np.float64]:  # noqa: ARG002
        """Return the numbers in their own units, (..., N, K); not finite where the network's overflow."""
        return self.scaling.in_own_units(logits)

    def baselines(self, training: NDArray[Any], labels: NDArray[Any]) -> Mapping[str, float]:
        """Return the root mean squared error of always saying the training part's mean."""
        return {BASELINE_RMSE: baseline_rmse(training, labels)}

    def answers(self, logits: FloatArray) -> FloatArray:
        """Return the numbers in their own units, (n, K); NaN where they are not finite."""
        numbers = self.scaling.in_own_units(logits)
        return np.where(np.isfinite(numbers), numbers, np.nan)

    @property
    def column_types(self) -> Mapping[str, Literal["string", "double", "boolean"]]:
        """``predicted_<name>`` of each target."""
        return dict.fromkeys((f"predicted_{name}" for name in self.target_names), "double")

    def columns(self, answers: FloatArray) -> Mapping[str, NDArray[Any]]:
        """Return the numbers of each target."""
        return {name: answers[:, number] for number, name in enumerate(self.column_types)}

    def onnx(self, graph: OnnxGraph, logits: str) -> str:
        """Add the way back to the targets' own units."""
        scaled = graph.node("Mul", logits, graph.constant("target_scales", self.scaling.scales))
        return graph.node("Add", scaled, graph.constant("target_means", self.scaling.means))
