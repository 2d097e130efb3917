"""Permutation importance: what a network loses when the values of one column are shuffled among the rows.

After Breiman (2001), "Random forests", section 10, and scikit-learn's ``permutation_importance``, but of
columns as the data's source has them: all features that one column becomes are shuffled together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.diagnostics.points import cost_of_a_row
from micrograde.metrics import METRICS, Metric
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, blocks_of_rows
from micrograde.tasks import Task
from micrograde.training import Samples

REPEATS = 10
MOST_COLUMNS = 100

_MOST_ROWS, _LEAST_ROWS = 2000, 100
_BUDGET = 1e9  # multiplications, for all columns and repeats
_PATIENCE = 10  # how many times the budget may be spent where the least rows cost more
_QUANTILE = 2.262157  # 97.5 % of Student's t with REPEATS - 1 degrees of freedom
_STREAM = 0x1B9EA7  # far from the numbers of the streams that training spawns of a seed


@dataclass(frozen=True)
class Estimates:
    """A mean over the repeats for each of K columns, and the ends of its 95 % interval, (K,) each.

    The interval is Student's: it is for the mean over very many repeats, on the same rows.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of_repeats(cls, values: NDArray[np.float64]) -> "Estimates":
        """Return the estimates of values (K, REPEATS)."""
        mean = values.mean(axis=1)
        room = _QUANTILE * values.std(axis=1, ddof=1) / np.sqrt(REPEATS)
        return cls(mean, mean - room, mean + room)


@dataclass(frozen=True)
class Importances:
    """What shuffling each of K columns costs a network, the most important column first.

    Attributes
    ----------
    part
        The part of the data on which it was measured: ``val`` or ``train``.
    rows, of_rows
        How many of its rows were used, and how many it has.
    metric
        The metric that is watched, the first one of the task: ``accuracy``, or of numbers ``rmse``.
    reached, loss
        That metric and the loss of the network on these rows.
    columns
        The columns' names.
    features
        The features that each column becomes.
    cost, loss_rise
        By how much the metric gets worse and the loss rises.
    """

    part: str
    rows: int
    of_rows: int
    metric: str
    reached: float
    loss: float
    columns: tuple[str, ...]
    features: tuple[slice, ...]
    cost: Estimates
    loss_rise: Estimates

    @property
    def measure(self) -> str:
        """The name of the cost: ``accuracy_drop``; where lower values are better, ``rmse_rise``."""
        return cost_name(self.metric)

    @property
    def worsens(self) -> Literal["rises", "falls"]:
        """What the metric does when it gets worse."""
        return worsening(self.metric)


def worsening(metric: str) -> Literal["rises", "falls"]:
    """Return what a metric does when it gets worse."""
    return "rises" if METRICS[metric].direction == "lower" else "falls"


def cost_name(metric: str) -> str:
    """Return what it is called by how much a metric gets worse."""
    return f"{metric}_{'rise' if worsening(metric) == 'rises' else 'drop'}"


def why_not_measured(model: MLP, columns: int) -> str | None:
    """Return why so many columns would take a network too long; None if they would not."""
    if columns > MOST_COLUMNS:
        return f"the data have {columns} columns, and importances are measured of {MOST_COLUMNS} at most"
    if _affordable_rows(model, columns) * _PATIENCE < _LEAST_ROWS:
        return f"measuring importances of {columns} columns would take too long for this network"
    return None


def measure_importances(
    model: MLP,
    samples: Samples,
    columns: Sequence[tuple[str, slice]],
    *,
    task: Task,
    seed: int,
    part: str,
) -> Importances:
    """Shuffle the values of each column ``REPEATS`` times, and compare what the network says of the rows.

    Every column is shuffled in the same orders, so that what is found of one does not depend on the others.
    Of many rows some are drawn.

    Parameters
    ----------
    model
        A stack of one; it is not changed.
    samples
        The rows of the part, transformed; with weights, their losses are weighted.
    columns
        The names of the columns, each with the features that it becomes; see ``Preprocessing.columns``.
    seed
        The run's seed, of which a random stream is made that is no other's.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM,)))
    count = min(len(samples), _MOST_ROWS, max(_LEAST_ROWS, _affordable_rows(model, len(columns))))
    chosen = np.sort(random.choice(len(samples), count, replace=False))
    rows = samples.at(chosen)
    orders = np.stack([random.permutation(count) for _ in range(REPEATS)])
    shuffled = np.tile(rows.features, (REPEATS, 1, 1))
    metric = METRICS[task.metrics[0]](name=task.metrics[0])
    sign = 1 if metric.direction == "lower" else -1
    (reached,), (loss,) = _measured(model, shuffled[:1], rows, task, metric)
    costs, rises = np.zeros((len(columns), REPEATS)), np.zeros((len(columns), REPEATS))
    for number, (_, place) in enumerate(columns):
        values = rows.features[:, place]
        if (values == values[0]).all():
            continue  # shuffling changes nothing
        shuffled[:, :, place] = values[orders]
        values_found, losses = _measured(model, shuffled, rows, task, metric)
        shuffled[:, :, place] = values
        costs[number], rises[number] = sign * (values_found - reached), losses - loss
    first, second = costs, rises
    if len(task.part_names) > 1 and metric.per_target:
        first, second = rises, costs  # the mean over targets of several units says more of one than of others
    order = np.lexsort([-second.mean(axis=1), -first.mean(axis=1)])
    return Importances(
        part,
        count,
        len(samples),
        metric.name,
        float(reached),
        float(loss),
        tuple(columns[number][0] for number in order),
        tuple(columns[number][1] for number in order),
        Estimates.of_repeats(costs[order]),
        Estimates.of_repeats(rises[order]),
    )


def _affordable_rows(model: MLP, columns: int) -> int:
    return int(_BUDGET / (cost_of_a_row(model) * columns * REPEATS))


def _measured(
    model: MLP, features: FloatArray, rows: Samples, task: Task, metric: Metric
) -> tuple[FloatArray, FloatArray]:
    """Return the metric and mean losses, (r,) each, for features (r, n, D) of n rows."""
    repeats, count = features.shape[:2]
    flat = features.reshape(repeats * count, -1)
    with np.errstate(all="ignore"):  # rows may overflow
        blocks = [model.predict_logits(flat[block])[0] for block in blocks_of_rows(len(flat))]
        logits = np.concatenate(blocks).reshape(repeats, count, -1)
        values = metric.compute(logits, rows.labels, task.predicted(logits))
        losses = task.loss.value(logits, rows.targets)
        if rows.weights is not None:
            losses = losses * rows.weights
    return values if values.ndim == 1 else values.mean(axis=1), losses.mean(axis=1, dtype=np.float64)
