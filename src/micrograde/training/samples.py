"""The rows of a part of a data set, or of several data sets in one stack, as networks are given them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.learned_classes import LearnedClasses


@dataclass(frozen=True)
class Samples:
    """One part of a data set, ready for a network: preprocessed, in the network's dtype.

    features (N, D); targets (N, C), such as one-hot rows; labels (N, ...), what the targets encode, such as
    class numbers (N,) or numbers in their own units (N, K); weights (N,), what each row counts in the loss,
    scaled so that the loss of the part is the mean of ``weights * losses``; None if each counts the same.
    """

    features: FloatArray
    targets: FloatArray
    labels: NDArray[Any]
    weights: FloatArray | None = None

    def __len__(self) -> int:
        return int(self.features.shape[-2])

    def at(self, rows: slice | IntArray) -> "Samples":
        """Return some of the rows; their weights are not scaled anew."""
        weights = None if self.weights is None else self.weights[rows]
        return Samples(self.features[rows], self.targets[rows], self.labels[rows], weights)

    def learned(self, classes: LearnedClasses | None, dtype: DTypeLike | None = None) -> "Samples":
        """Return the rows with the targets and the weights that a replica learns, given its classes.

        Targets are of the samples' own dtype, or of another.
        """
        if classes is None:
            return self
        weights = classes.row_weights(self.labels, self.weights)
        if weights is not None:
            weights = weights.reshape(len(self))
        return replace(
            self, targets=classes.targets_of(self.labels, dtype or self.targets.dtype)[0], weights=weights
        )

    def first(self, rows: int | None) -> "Samples":
        """Return the first ``rows`` rows; all of them if None."""
        return self.at(slice(rows))


@dataclass(frozen=True, eq=False)
class SampleSets:
    """The same part of several data sets, S of them with N rows each, for R replicas that each have one.

    Replicas of one data set share its memory.

    Attributes
    ----------
    every
        All S * N rows, those of one set after those of the other, so that a batch of all replicas is gathered
        at once.
    sets
        (R,), the number of each replica's set.
    rows
        N.
    """

    every: Samples
    sets: IntArray
    rows: int

    @staticmethod
    def of(parts: Sequence[Samples]) -> "Samples | SampleSets":
        """Return the part of each replica; the only one, and nothing is copied, if all have the same.

        Their arrays have the same shapes and dtypes, and all of them have weights or none has.
        """
        different = list({id(part): part for part in parts}.values())
        first = different[0]
        if len(different) == 1:
            return first
        numbers = {id(part): number for number, part in enumerate(different)}
        weights = [part.weights for part in different if part.weights is not None]
        every = Samples(
            np.concatenate([part.features for part in different]),
            np.concatenate([part.targets for part in different]),
            np.concatenate([part.labels for part in different]),
            np.concatenate(weights) if weights else None,
        )
        return SampleSets(every, np.array([numbers[id(part)] for part in parts]), len(first))

    def __len__(self) -> int:
        return self.rows

    @cached_property
    def offsets(self) -> IntArray:
        """Where the rows of each replica's set begin, (R, 1)."""
        offsets: IntArray = self.sets[:, np.newaxis] * self.rows
        return offsets

    @property
    def labels(self) -> NDArray[Any]:
        """Those of each replica, (R, N, ...)."""
        return self._of_each(self.every.labels, slice(None))

    @property
    def weights(self) -> FloatArray | None:
        """Those of each replica, (R, N); None if each row counts the same."""
        return None if self.every.weights is None else self._of_each(self.every.weights, slice(None))

    def at(self, rows: slice) -> Samples:
        """Return some of each replica's rows, in arrays whose first axis is that of the replicas."""
        weights = None if self.every.weights is None else self._of_each(self.every.weights, rows)
        every = self.every
        return Samples(
            self._of_each(every.features, rows),
            self._of_each(every.targets, rows),
            self._of_each(every.labels, rows),
            weights,
        )

    def keep_replicas(self, rows: IntArray) -> "SampleSets":
        """Return those of the replicas in these rows of the stack."""
        return replace(self, sets=self.sets[rows])

    @cached_property
    def _in_order(self) -> bool:
        return np.array_equal(self.sets, np.arange(len(self.every) // self.rows))

    def _of_each(self, array: NDArray[Any], rows: slice) -> NDArray[Any]:
        """Return rows of each replica's set, (R, n, ...); a view if each replica has its own."""
        by_set = array.reshape(-1, self.rows, *array.shape[1:])
        return by_set[:, rows] if self._in_order else np.ascontiguousarray(by_set[self.sets, rows])
