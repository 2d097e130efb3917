"""What is reached without learning anything of the features."""

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import BASELINE, IntArray
from micrograde.metrics.errors_of_numbers import root_mean_square

BASELINE_ACCURACY = f"{BASELINE}accuracy"
"""The name that it is recorded by, after the part's."""

BASELINE_RMSE = f"{BASELINE}rmse"
"""Likewise, for numbers."""

BASELINE_HAMMING_LOSS = "baseline_hamming_loss"
"""Likewise, for several labels a row."""


def baseline_accuracy(training: IntArray, labels: IntArray) -> float:
    """Return the accuracy of always predicting the training part's most frequent class.

    Of equally frequent classes it is the first, as with scikit-learn's ``DummyClassifier``.

    Parameters
    ----------
    training
        The classes of the training part, (N,).
    labels
        Those of the part that is predicted, (M,).
    """
    return float(np.mean(labels == np.bincount(training).argmax()))


def baseline_rmse(training: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Return the root mean squared error of always predicting the training part's mean.

    As with scikit-learn's ``DummyRegressor``; of several targets it is the mean of theirs.

    Parameters
    ----------
    training
        The numbers of the training part, (N, K).
    labels
        Those of the part that is predicted, (M, K).
    """
    return float(root_mean_square(labels - training.mean(axis=0)).mean())


def baseline_hamming_loss(training: IntArray, labels: IntArray) -> float:
    """Return the Hamming loss of always saying what is most frequent of each label in the training part.

    If both are equally frequent, that is that a row has the label not.

    Parameters
    ----------
    training
        The labels of the training part, 0 or 1, (N, K).
    labels
        Those of the part that is predicted, (M, K).
    """
    said = 2 * training.sum(axis=0) > len(training)
    return float((labels != said).mean())
