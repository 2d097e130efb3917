"""What a network is worth on data it did not train on."""

import numpy as np

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.batches import Samples


def evaluate(model: MLP, samples: Samples) -> tuple[FloatArray, FloatArray]:
    """Mean loss and accuracy (a fraction) in evaluation mode, each (R,)."""
    logits = model.predict_logits(samples.features)
    accuracy = np.mean(np.argmax(logits, axis=-1) == samples.labels, axis=-1)
    return model.loss.evaluate(logits, samples.targets), accuracy


def confusion_counts(model: MLP, samples: Samples) -> IntArray:
    """How often each true class (rows) is predicted as each class (columns), (R, C, C)."""
    predicted = np.argmax(model.predict_logits(samples.features), axis=-1)
    classes = samples.targets.shape[-1]
    cells = samples.labels * classes + predicted
    counts = [np.bincount(replica, minlength=classes * classes) for replica in cells]
    return np.stack(counts).reshape(-1, classes, classes)
