"""What is measured every n steps of the optimizer, besides the epochs' metrics."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import Metric, Outputs
from micrograde.metrics.measuring import named
from micrograde.nn.arrays import FloatArray, IntArray

_SECONDS = 1.0  # after which what was measured is told
_NUMBERS = 20_000  # that are told at once, at most


@dataclass(frozen=True)
class StepRecord:
    """Metrics of some steps of the optimizer, K of them, which are counted from 1 over all epochs.

    Each value is of the one batch of its step, in training mode, before its own update, as the parts are of
    which an epoch's ``train/loss`` is the mean. ``replicas`` (R,) holds the numbers of the replicas; those
    that have diverged have no values from that step on.

    Attributes
    ----------
    steps
        (K,), ascending.
    metrics
        (K, R) each, by the names that the epoch's metrics have: ``train/loss``.
    """

    steps: NDArray[np.int64]
    replicas: IntArray
    metrics: dict[str, NDArray[np.float64]] = field(default_factory=dict)


class StepLog:
    """Measures every n-th step of a stack, and hands what it has measured over, some steps at a time.

    Parameters
    ----------
    every
        n; None for no step.
    metrics
        What is measured besides the loss.
    part_names
        By which metrics that have several values, such as one for each class, are named.
    clock
        Seconds.
    """

    def __init__(
        self,
        every: int | None,
        metrics: Sequence[Metric],
        part_names: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every, self._metrics, self._part_names = every, metrics, part_names
        self._clock = clock
        self._steps: list[int] = []
        self._values: dict[str, list[NDArray[np.float64]]] = {}
        self._told = clock()

    def places(self, done: int, count: int) -> frozenset[int]:
        """Return which of the next ``count`` steps, from 0, are measured, after ``done`` have been taken."""
        if self._every is None:
            return frozenset()
        return frozenset(range(self._every - 1 - done % self._every, count, self._every))

    def add(self, step: int, loss: FloatArray, outputs: Outputs, rows: int) -> None:
        """Take in a step whose batch has so many rows for each replica; ``loss`` is (R,)."""
        self._steps.append(step)
        self._values.setdefault("train/loss", []).append(loss.astype(np.float64))
        for each in self._metrics:
            tally = each.tally(len(loss), rows)
            tally.add(outputs)
            for name, values in named(each, tally.value(), self._part_names).items():
                self._values.setdefault(f"train/{name}", []).append(np.asarray(values, np.float64))

    def due(self) -> bool:
        """Return whether enough has been measured, or enough time has passed, to tell it."""
        numbers = sum(len(values) * len(values[0]) for values in self._values.values())
        return numbers >= _NUMBERS or self._clock() >= self._told + _SECONDS

    def take(self, replicas: IntArray, rows: IntArray) -> Iterator[StepRecord]:
        """Yield what was measured since the last time, if anything, of these rows of the stack."""
        steps, values = np.array(self._steps, np.int64), self._values
        self._steps, self._values, self._told = [], {}, self._clock()
        if len(steps) and len(rows):
            metrics = {name: np.stack(each)[:, rows] for name, each in values.items()}
            yield StepRecord(steps, replicas[rows], metrics)
