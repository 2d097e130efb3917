"""What is to be typed so that rows can be split, for a command that is told before anything is split."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.by_row import raised_fractions
from micrograde.data.dataset import Dataset
from micrograde.data.split import split_dataset

_STRATIFY = "data.stratify"


def what_splits(
    labels: NDArray[np.int64], class_names: Sequence[str], *, validation_fraction: float, test_fraction: float
) -> dict[str, float | bool]:
    """Return the keys, and their values, without which rows of these classes could not be split at random.

    Nothing if they can be, or if they cannot whatever is typed. Of few rows the fractions are raised, so that
    each part has a row of each class; otherwise classes do without their share.

    Parameters
    ----------
    labels
        Shape (n,), the class of each row.
    """
    dataset = Dataset("trial", np.zeros((len(labels), 1)), labels, tuple(class_names), ("none",))
    given = {"data.test_fraction": test_fraction, "data.validation_fraction": validation_fraction}
    raised = raised_fractions(given, len(labels), len(class_names))
    changed: dict[str, float | bool] = {key: value for key, value in raised.items() if value != given[key]}
    ways: list[dict[str, float | bool]] = [{}, changed, {_STRATIFY: False}]
    for way in ways:
        fractions = {key: float(way.get(key, value)) for key, value in given.items()}
        try:
            split_dataset(
                dataset,
                validation_fraction=fractions["data.validation_fraction"],
                test_fraction=fractions["data.test_fraction"],
                stratify=bool(way.get(_STRATIFY, True)),
                seed=0,
            )
        except InputError:
            continue
        return way
    return {}
