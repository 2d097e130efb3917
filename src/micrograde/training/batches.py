"""The order in which networks see the rows that they train on, and their batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.learned_classes import LearnedClasses
from micrograde.training.samples import Samples, SampleSets


@dataclass(frozen=True)
class Batch:
    """The rows of one step, for each replica: features (R, B, D), targets (R, B, C).

    weights (R, B), see ``Samples``; None if all rows count the same. labels (R, B) where the targets do not
    tell them, as with label smoothing; else None.
    """

    features: FloatArray
    targets: FloatArray
    weights: FloatArray | None = None
    labels: IntArray | None = None


def batch_sizes(rows: int, batch_size: int, *, drop_last: bool = False, least_rows: int = 1) -> list[int]:
    """Return the number of rows of each of an epoch's batches.

    A last batch that is smaller than the others is left out with ``drop_last``. If not, and if it has fewer
    rows than a batch needs at least, it joins the one before.
    """
    full, rest = divmod(rows, batch_size)
    sizes = [batch_size] * full
    if rest and not drop_last:
        if rest < least_rows and sizes:
            sizes[-1] += rest
        else:
            sizes.append(rest)
    return sizes


def steps_per_epoch(rows: int, batch_size: int, drop_last: bool, least_rows: int = 1) -> int:
    """Return the number of batches in an epoch; see ``batch_sizes``."""
    return len(batch_sizes(rows, batch_size, drop_last=drop_last, least_rows=least_rows))


class BatchSampler:
    """Cuts each epoch into batches, in an order that each replica draws from its own random stream.

    All replicas share the samples, or each has a set of its own. Batches are gathered into arrays that are
    reused, so that iterating allocates only the epoch's permutations: do not keep a batch beyond its step.

    Parameters
    ----------
    generators
        R streams, one per replica.
    least_rows
        The rows that a batch needs at least; see ``batch_sizes``.
    labels
        Numbers (R, N) for each replica, and the targets (M, C) that they stand for, which all share, used
        instead of the samples' targets; see ``noisy_labels``.
    classes
        What the replicas learn of a class; None if the class as it is.

    Attributes
    ----------
    sizes : the number of rows of each of an epoch's batches
    """

    def __init__(
        self,
        samples: Samples | SampleSets,
        batch_size: int,
        generators: Sequence[np.random.Generator],
        *,
        drop_last: bool = False,
        least_rows: int = 1,
        labels: tuple[IntArray, FloatArray] | None = None,
        classes: LearnedClasses | None = None,
    ) -> None:
        self._sets = samples if isinstance(samples, SampleSets) else None
        # All rows there are, in which those of a replica's own set begin at its offset.
        self._samples = samples.every if isinstance(samples, SampleSets) else samples
        self._rows, self._generators = len(samples), generators
        self._labels: IntArray | None = None
        self._targets: FloatArray = self._samples.targets
        if labels is not None:
            self._labels, self._targets = labels
        self._classes, self._weights = classes, self._samples.weights
        if classes is not None:
            if self._labels is None:
                self._labels = np.broadcast_to(samples.labels, (len(generators), len(samples))).copy()
            self._weights = classes.row_weights(self._labels, samples.weights)
        self.sizes = batch_sizes(len(samples), batch_size, drop_last=drop_last, least_rows=least_rows)
        self._buffers = self._make_buffers()

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the replicas in these rows of the stack."""
        self._generators = [self._generators[row] for row in rows.tolist()]
        self._sets = self._sets and self._sets.keep_replicas(rows)
        self._labels = None if self._labels is None else self._labels[rows]
        self._classes = self._classes and self._classes.keep_replicas(rows)
        if self._weights is not None and self._weights.ndim > 1:
            self._weights = self._weights[rows]
        self._buffers = self._make_buffers()

    def stream_state(self, row: int) -> Mapping[str, Any]:
        """Return the state of a replica's random stream; to be called between two epochs."""
        return self._generators[row].bit_generator.state

    def restore_stream(self, row: int, state: Mapping[str, Any]) -> None:
        """Set a replica's random stream to a state from ``stream_state``."""
        self._generators[row].bit_generator.state = state

    def _make_buffers(self) -> dict[int, Batch]:
        """Allocate the arrays that a batch is gathered into, for each size of an epoch's batches."""
        return {size: self._allocate(size) for size in set(self.sizes)}

    def _allocate(self, size: int) -> Batch:
        shape, samples = (len(self._generators), size), self._samples
        return Batch(
            np.empty((*shape, samples.features.shape[1]), samples.features.dtype),
            np.empty((*shape, samples.targets.shape[1]), samples.targets.dtype),
        )

    def epoch(self) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        order = np.stack([generator.permutation(self._rows) for generator in self._generators])
        places = order if self._sets is None else order + self._sets.offsets
        chosen = places if self._labels is None else np.take_along_axis(self._labels, order, axis=1)
        targets, labels, weights = self._targets, None, self._weights
        if self._classes is not None:
            labels, chosen = chosen, self._classes.places(chosen)
            targets = self._classes.all_targets(self._samples.targets.dtype)
        if weights is not None:
            weights = weights[places] if weights.ndim == 1 else np.take_along_axis(weights, order, axis=1)
        start = 0
        for size in self.sizes:
            batch, rows = self._buffers[size], slice(start, start + size)
            # mode="clip" lets take write into out directly; the indices are in range by construction.
            self._samples.features.take(places[:, rows], 0, batch.features, "clip")
            targets.take(chosen[:, rows], 0, batch.targets, "clip")
            if weights is not None or labels is not None:
                batch = replace(
                    batch,
                    weights=None if weights is None else weights[:, rows],
                    labels=None if labels is None else labels[:, rows],
                )
            yield batch
            start += size
