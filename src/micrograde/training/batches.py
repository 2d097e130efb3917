"""The rows a network trains on, and the order in which it sees them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Samples:
    """One part of a data set, ready for a network: preprocessed, in its dtype, targets one-hot.

    features (N, D), targets (N, C), labels (N,): the class numbers that the targets encode.
    """

    features: FloatArray
    targets: FloatArray
    labels: IntArray

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, rows: int | None) -> "Samples":
        """The first so many rows, or all of them."""
        return Samples(self.features[:rows], self.targets[:rows], self.labels[:rows])


@dataclass(frozen=True)
class Batch:
    """What each replica sees at a step: features (R, B, D), one-hot targets (R, B, C)."""

    features: FloatArray
    targets: FloatArray


def steps_per_epoch(rows: int, batch_size: int, drop_last: bool) -> int:
    """How many batches an epoch has."""
    return rows // batch_size if drop_last else -(-rows // batch_size)


class BatchSampler:
    """Cuts each epoch into batches, each replica in the order of its own random stream.

    The samples are there once for all replicas. Every batch is gathered into arrays that are used again, so
    iterating allocates nothing but the epoch's permutations: keep no batch beyond its step.

    Parameters
    ----------
    generators
        R streams, one a replica.
    labels
        (R, N): what each replica is told instead of the samples' own labels; see ``noisy_labels``.

    Attributes
    ----------
    sizes : how many rows each of an epoch's batches has
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        generators: Sequence[np.random.Generator],
        *,
        drop_last: bool = False,
        labels: IntArray | None = None,
    ) -> None:
        self._samples, self._generators = samples, generators
        self._labels = labels
        rows = len(samples)
        steps = steps_per_epoch(rows, batch_size, drop_last)
        self.sizes = [min(batch_size, rows - number * batch_size) for number in range(steps)]
        self._one_hot = np.eye(samples.targets.shape[1], dtype=samples.targets.dtype)
        self._buffers = self._make_buffers()

    def keep_replicas(self, rows: IntArray) -> None:
        """Let all replicas go but these rows."""
        self._generators = [self._generators[row] for row in rows.tolist()]
        self._labels = None if self._labels is None else self._labels[rows]
        self._buffers = self._make_buffers()

    def stream_state(self, row: int) -> Mapping[str, Any]:
        """Where a replica's random stream stands, between two epochs."""
        return self._generators[row].bit_generator.state

    def restore_stream(self, row: int, state: Mapping[str, Any]) -> None:
        """Have a replica's random stream go on from there."""
        self._generators[row].bit_generator.state = state

    def _make_buffers(self) -> dict[int, Batch]:
        """The arrays a batch is gathered into, for each size that an epoch's batches have."""
        return {size: self._allocate(size) for size in set(self.sizes)}

    def _allocate(self, size: int) -> Batch:
        shape, samples = (len(self._generators), size), self._samples
        return Batch(
            np.empty((*shape, samples.features.shape[1]), samples.features.dtype),
            np.empty((*shape, samples.targets.shape[1]), samples.targets.dtype),
        )

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch."""
        order = np.stack([generator.permutation(len(self._samples)) for generator in self._generators])
        if self._labels is None:
            labels = self._samples.labels[order]
        else:
            labels = np.take_along_axis(self._labels, order, axis=1)
        start = 0
        for size in self.sizes:
            batch, rows = self._buffers[size], slice(start, start + size)
            # mode="clip" lets take write into out directly; the indices are in range by construction.
            self._samples.features.take(order[:, rows], 0, batch.features, "clip")
            self._one_hot.take(labels[:, rows], 0, batch.targets, "clip")
            yield batch
            start += size
