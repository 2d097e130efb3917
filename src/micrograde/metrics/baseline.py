"""What is reached without learning anything of the features."""

import numpy as np

from micrograde.metrics import IntArray

BASELINE_ACCURACY = "baseline_accuracy"
"""The name that it is recorded by, after the part's."""


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
