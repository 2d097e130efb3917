"""What a network is worth on data it did not train on."""

from collections.abc import Iterator

import numpy as np

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.batches import Samples

ROWS_AT_A_TIME = 1024
"""So many rows are evaluated at once, whatever the stack: a sum's rounding depends on how it is cut."""


def evaluate(model: MLP, samples: Samples) -> tuple[FloatArray, FloatArray]:
    """Mean loss and accuracy (a fraction) in evaluation mode, each (R,)."""
    loss, hits = np.zeros(len(model.parameters)), np.zeros(len(model.parameters))
    for block in _blocks(samples):
        logits = model.predict_logits(block.features)
        loss += model.loss.evaluate(logits, block.targets) * len(block)
        hits += np.count_nonzero(np.argmax(logits, axis=-1) == block.labels, axis=-1)
    return loss / len(samples), hits / len(samples)


def confusion_counts(model: MLP, samples: Samples) -> IntArray:
    """How often each true class (rows) is predicted as each class (columns), (R, C, C)."""
    predicted = np.concatenate(
        [np.argmax(model.predict_logits(block.features), axis=-1) for block in _blocks(samples)], axis=-1
    )
    classes = samples.targets.shape[-1]
    cells = samples.labels * classes + predicted
    counts = [np.bincount(replica, minlength=classes * classes) for replica in cells]
    return np.stack(counts).reshape(-1, classes, classes)


def _blocks(samples: Samples) -> Iterator[Samples]:
    for start in range(0, len(samples), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        yield Samples(samples.features[rows], samples.targets[rows], samples.labels[rows])
