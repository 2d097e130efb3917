"""Label noise: training labels that are wrong on purpose, to see how a network learns from them."""

from collections.abc import Sequence

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray


def noisy_labels(
    labels: IntArray, num_classes: int, rates: FloatArray, generators: Sequence[np.random.Generator]
) -> IntArray:
    """Return noisy copies of the labels, (N,) or those of each replica (R, N), one for each replica, (R, N).

    With a replica's probability ``rates`` (R,) a label is replaced by one of the other classes, all equally
    likely: symmetric noise, as in Zhang et al., *Understanding deep learning requires rethinking
    generalization*, 2017, but never the true class again. With the same stream, the labels that are wrong at
    a low rate are also wrong, in the same way, at a higher one.
    """
    told, rows = [], labels.shape[-1]
    of_each = np.broadcast_to(labels, (len(rates), rows))
    for its, rate, generator in zip(of_each, rates.tolist(), generators, strict=True):
        wrong = generator.random(rows) < rate
        steps = generator.integers(1, num_classes, rows) if num_classes > 1 else np.zeros_like(its)
        told.append(np.where(wrong, (its + steps) % num_classes, its))
    return np.stack(told)
