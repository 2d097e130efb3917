"""Stop training when a validation metric no longer improves; keep the weights at which it was best.

Either can be had without the other: ``training.keep`` says which weights are kept.

A metric that is not finite, because the network's numbers overflow for some row, is no improvement. As long
as the metric of a replica has never been finite, its last finite weights are kept, since the initial ones
have learned nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat, PositiveInt
from micrograde.core.recipe_versions import DefaultBefore
from micrograde.metrics import METRICS, lower_is_better, names_a_value
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.callbacks import CALLBACKS, Callback, CallbackSettings, Switch
from micrograde.training.plan import TrainingPlan


class _Watched:
    """Mark the name of a metric of the validation part."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return pydantic's schema; pydantic asks for it."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: str) -> str:
        part, _, name = value.partition("/")
        if part != "val" or (name != "loss" and not names_a_value(name)):
            of_class = {entry: "/<class>" if METRICS[entry].per_class else "" for entry in METRICS}
            *others, last = ("'val/loss'", *(f"'val/{entry}{rest}'" for entry, rest in of_class.items()))
            raise ValueError(f"should be {', '.join(others)} or {last}")
        return value


@CALLBACKS.register
@dataclass(frozen=True, kw_only=True)
class EarlyStoppingSettings(CallbackSettings):
    """When to stop before ``num_epochs``, and by which metric an epoch is the best.

    Parameters
    ----------
    enabled
        Whether to stop early; null stops if the data are a table with a validation part.
    metric
        What is watched, and what ``training.keep=best`` goes by: val/loss, or a metric such as val/accuracy.
    patience
        Epochs without an improvement after which training stops.
    min_delta
        What an improvement has to exceed.
    """

    name: ClassVar[str] = "early_stopping"
    since: ClassVar[int] = 1

    enabled: Annotated[Switch | None, PROGRAM, DefaultBefore(version=3, value=False)] = None
    metric: Annotated[str, _Watched(), PROGRAM] = "val/loss"
    patience: Annotated[PositiveInt, PROGRAM] = 10
    min_delta: Annotated[NonNegativeFloat, PROGRAM] = 0.0

    @property
    def needs_validation(self) -> str:
        """The metric is of the validation part."""
        return "enabled=true" if self.enabled else ""

    @property
    def needs_metrics(self) -> tuple[str, ...]:
        """The metric that is watched."""
        return (self.metric,) if self.enabled else ()

    @classmethod
    def start(cls, settings: Sequence[Self], model: MLP, plan: TrainingPlan) -> Callback | None:
        """Return the callback that stops replicas or keeps their best weights, or None."""
        its = settings[0]
        if not its.enabled and plan.keep != "best":
            return None
        rule = EarlyStopping(
            its.metric,
            its.patience if its.enabled else math.inf,
            its.min_delta,
            finite_alone=not plan.nan_is_a_class,
            keeps_best=plan.keep != "last",
        )
        return BestWeights(model, rule)


@dataclass(frozen=True)
class EarlyStopping:
    """Training ends after ``patience`` epochs in which ``metric`` has not improved by over ``min_delta``.

    Which of two values is better the metric says; of losses it is the lower. If ``finite_alone`` is
    False, the rule of recipes of version 1, the initial weights are kept until the metric is finite. Unless
    ``keeps_best``, replicas leave with their last weights.
    """

    metric: str = "val/loss"
    patience: float = 10
    min_delta: float = 0.0
    finite_alone: bool = True
    keeps_best: bool = True


class BestWeights(Callback):
    """Keeps each replica's weights and running statistics from its best epoch, and stops it after that.

    Attributes
    ----------
    lowest, epochs
        (R,): the best value of the metric, negated if higher is better, and its epoch. Infinity and 0 as
        long as the metric has not been finite.
    parameters, statistics
        (R, P) and (R, S).
    """

    changes_network = True

    def __init__(self, model: MLP, rule: EarlyStopping) -> None:
        self._rule = rule
        replicas = len(model.parameters)
        self._sign = 1.0 if lower_is_better(rule.metric) else -1.0
        self.lowest = np.full(replicas, np.inf)
        self.epochs = np.zeros(replicas, dtype=np.int64)
        self.parameters, self.statistics = model.parameters.copy(), model.statistics.copy()

    def on_epoch(
        self,
        epoch: int,
        model: MLP,
        replicas: Sequence[int],  # noqa: ARG002
        metrics: dict[str, FloatArray],
    ) -> NDArray[np.bool_]:
        """Return which replicas stop, (R,); one that is resumed may have been about to."""
        return (
            self.update(epoch, metrics[self._rule.metric], model) if metrics else self.out_of_patience(epoch)
        )

    def on_end(
        self,
        epoch: int,  # noqa: ARG002
        model: MLP,
        row: int,
        replica: int,  # noqa: ARG002
        *,
        interrupted: bool,  # noqa: ARG002
    ) -> int | None:
        """Let the replica leave with its best weights; return their epoch, None if no epoch was the best."""
        if not self._rule.keeps_best:
            return None
        self.restore(row, model)
        return int(self.epochs[row]) or None

    def buffers(self) -> Mapping[str, FloatArray]:
        """Return the best weights and statistics."""
        return {"best.parameters": self.parameters, "best.statistics": self.statistics}

    def numbers(self) -> Mapping[str, NDArray[Any]]:
        """Return the best value of the metric, and its epoch."""
        return {"best/lowest": self.lowest, "best/epoch": self.epochs}

    def update(self, epoch: int, values: FloatArray, model: MLP) -> NDArray[np.bool_]:
        """Take in the metric (R,) after ``epoch``; return which replicas should stop, (R,)."""
        signed = self._sign * np.asarray(values, np.float64)
        better = signed < self.lowest - self._rule.min_delta
        if self._rule.finite_alone:
            better &= np.isfinite(signed)
        self.lowest[better] = signed[better]
        self.epochs[better] = epoch
        kept, unknown = better, np.isinf(self.lowest)
        if self._rule.finite_alone and unknown.any():  # being finite is all that is known of its weights
            kept = better | (unknown & _all_finite(model.parameters) & _all_finite(model.statistics))
        self.parameters[kept] = model.parameters[kept]
        self.statistics[kept] = model.statistics[kept]
        return self.out_of_patience(epoch)

    def out_of_patience(self, epoch: int) -> NDArray[np.bool_]:
        """Return which replicas have not improved for ``patience`` epochs, (R,)."""
        return np.asarray(epoch - self.epochs >= self._rule.patience)

    def restore(self, row: int, model: MLP) -> None:
        """Copy a replica's best weights and statistics back into the network."""
        model.parameters[row], model.statistics[row] = self.parameters[row], self.statistics[row]

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the replicas in these rows of the stack."""
        self.lowest, self.epochs = self.lowest[rows], self.epochs[rows]
        self.parameters, self.statistics = self.parameters[rows], self.statistics[rows]


def _all_finite(buffer: FloatArray) -> NDArray[np.bool_]:
    """Return which replicas' numbers (R, P) are all finite, (R,)."""
    return np.asarray(np.isfinite(buffer).all(axis=-1))
