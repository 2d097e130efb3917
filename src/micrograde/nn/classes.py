"""Classes as arrays: class numbers, one-hot rows, logits and probabilities."""

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.arrays import FloatArray, IntArray


def softmax(logits: FloatArray) -> FloatArray:
    """Return the probabilities (..., C) of the classes (C1), as a new array."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def logistic(logits: FloatArray) -> FloatArray:
    """Return ``1 / (1 + exp(-logits))`` of each logit (Y1), as a new array; no exponential overflows."""
    powers = np.exp(-np.abs(logits))
    shares: FloatArray = np.where(logits >= 0, logits.dtype.type(1), powers)
    shares /= powers + 1
    return shares


def predicted_classes(logits: FloatArray) -> IntArray:
    """Return the class of each row's largest logit, (..., N), the first of equal ones; -1 for no class.

    A row has no class if its logits hold a NaN or if the largest is infinite: it then has no probabilities.
    """
    return np.where(np.isfinite(logits.max(axis=-1)), logits.argmax(axis=-1), -1)


def one_hot(labels: IntArray, num_classes: int, dtype: DTypeLike = np.float64) -> FloatArray:
    """Return class numbers (N,) as rows of zeros with a single one, (N, C)."""
    rows: FloatArray = np.eye(num_classes, dtype=dtype)[labels]
    return rows


def calculate_accuracy(predictions: FloatArray, targets: FloatArray) -> float:
    """Return the share of rows whose largest prediction is the target's class, in per cent (0 to 100).

    Both arrays are (N, C). A row whose predictions hold a NaN counts as wrong. Per cent is the notebook's
    unit.
    """
    if predictions.shape != targets.shape:
        raise ValueError(
            f"calculate_accuracy: predictions {predictions.shape} and targets {targets.shape} "
            "must have the same shape (N, C)"
        )
    correct = np.argmax(predictions, axis=1) == np.argmax(targets, axis=1)
    return float(np.mean(correct & ~np.isnan(predictions).any(axis=1)) * 100)
