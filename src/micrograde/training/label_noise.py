"""Label noise: training labels that are wrong on purpose, to see what a network makes of them."""

from collections.abc import Sequence

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray


def noisy_labels(
    labels: IntArray, num_classes: int, rates: FloatArray, generators: Sequence[np.random.Generator]
) -> IntArray:
    """The labels (N,) as each replica is told them, (R, N).

    With the replica's probability ``rates`` (R,) a label is replaced by one of the other classes, each as
    likely as the other: symmetric noise, as in Zhang et al., *Understanding deep learning requires rethinking
    generalization*, 2017, but never the true class again. A replica that is told more lies is told those of
    a lower rate too, if their streams are the same.
    """
    told = []
    for rate, generator in zip(rates.tolist(), generators, strict=True):
        wrong = generator.random(len(labels)) < rate
        steps = generator.integers(1, num_classes, len(labels)) if num_classes > 1 else np.zeros_like(labels)
        told.append(np.where(wrong, (labels + steps) % num_classes, labels))
    return np.stack(told)
