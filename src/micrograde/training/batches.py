"""The rows a network trains on, and the order in which it sees them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


def steps_per_epoch(rows: int, batch_size: int, drop_last: bool) -> int:
    """How many batches an epoch has."""
    return rows // batch_size if drop_last else -(-rows // batch_size)


class BatchSampler:
    """Cuts each epoch into batches, each replica in the order of its own random stream.

    Every batch is gathered into arrays that are used again, so iterating allocates nothing but the
    epoch's permutations: keep no batch beyond its step.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        generators: Sequence[np.random.Generator],
        *,
        drop_last: bool = False,
    ) -> None:
        self._samples, self._batch_size, self._generators = samples, batch_size, generators
        self._drop_last = drop_last
        self._buffers = self._make_buffers()

    def keep_replicas(self, rows: IntArray) -> None:
        """Let all replicas go but these rows."""
        self._generators = [self._generators[row] for row in rows.tolist()]
        self._buffers = self._make_buffers()

    def _make_buffers(self) -> dict[int, Samples]:
        """The arrays a batch is gathered into, for each size that an epoch's batches have."""
        rows = len(self._samples)
        sizes = {min(self._batch_size, rows), rows % self._batch_size} - {0}
        return {size: self._allocate(size) for size in sizes}

    def _allocate(self, size: int) -> Samples:
        shape, samples = (len(self._generators), size), self._samples
        return Samples(
            np.empty((*shape, samples.features.shape[1]), samples.features.dtype),
            np.empty((*shape, samples.targets.shape[1]), samples.targets.dtype),
            np.empty(shape, samples.labels.dtype),
        )

    def epoch(self) -> Iterator[Samples]:
        """The batches of one epoch: features (R, B, D), targets (R, B, C), labels (R, B)."""
        rows = len(self._samples)
        order = np.stack([generator.permutation(rows) for generator in self._generators])
        for number in range(steps_per_epoch(rows, self._batch_size, self._drop_last)):
            indices = order[:, number * self._batch_size : (number + 1) * self._batch_size]
            batch = self._buffers[indices.shape[1]]
            # mode="clip" lets take write into out directly; the indices are in range by construction.
            np.take(self._samples.features, indices, axis=0, out=batch.features, mode="clip")
            np.take(self._samples.targets, indices, axis=0, out=batch.targets, mode="clip")
            np.take(self._samples.labels, indices, axis=0, out=batch.labels, mode="clip")
            yield batch
