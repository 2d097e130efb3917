"""The rows a network trains on, and the order in which it sees them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
        return len(self.labels)

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

    All replicas share the samples. Batches are gathered into arrays that are reused, so that iterating
    allocates only the epoch's permutations: do not keep a batch beyond its step.

    Parameters
    ----------
    generators
        R streams, one per replica.
    least_rows
        The rows that a batch needs at least; see ``batch_sizes``.
    labels
        Numbers (R, N) for each replica, and the targets (M, C) that they stand for, used instead of the
        samples' targets; see ``noisy_labels``.
    classes
        What the replicas learn of a class; None if the class as it is.

    Attributes
    ----------
    sizes : the number of rows of each of an epoch's batches
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        generators: Sequence[np.random.Generator],
        *,
        drop_last: bool = False,
        least_rows: int = 1,
        labels: tuple[IntArray, FloatArray] | None = None,
        classes: LearnedClasses | None = None,
    ) -> None:
        self._samples, self._generators = samples, generators
        self._labels: IntArray | None = None
        self._targets: FloatArray = samples.targets
        if labels is not None:
            self._labels, self._targets = labels
        self._classes, self._weights = classes, samples.weights
        if classes is not None:
            if self._labels is None:
                self._labels = samples.labels[np.newaxis].repeat(len(generators), 0)
            self._weights = classes.row_weights(self._labels, samples.weights)
        self.sizes = batch_sizes(len(samples), batch_size, drop_last=drop_last, least_rows=least_rows)
        self._buffers = self._make_buffers()

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the replicas in these rows of the stack."""
        self._generators = [self._generators[row] for row in rows.tolist()]
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
        order = np.stack([generator.permutation(len(self._samples)) for generator in self._generators])
        chosen = order if self._labels is None else np.take_along_axis(self._labels, order, axis=1)
        targets, labels, weights = self._targets, None, self._weights
        if self._classes is not None:
            labels, chosen = chosen, self._classes.places(chosen)
            targets = self._classes.all_targets(self._samples.targets.dtype)
        if weights is not None:
            weights = weights[order] if weights.ndim == 1 else np.take_along_axis(weights, order, axis=1)
        start = 0
        for size in self.sizes:
            batch, rows = self._buffers[size], slice(start, start + size)
            # mode="clip" lets take write into out directly; the indices are in range by construction.
            self._samples.features.take(order[:, rows], 0, batch.features, "clip")
            targets.take(chosen[:, rows], 0, batch.targets, "clip")
            if weights is not None or labels is not None:
                batch = replace(
                    batch,
                    weights=None if weights is None else weights[:, rows],
                    labels=None if labels is None else labels[:, rows],
                )
            yield batch
            start += size
