"""Rows shared out by time: the newest are the test part, those before them the validation part."""

from collections.abc import Mapping

import numpy as np

from micrograde.data.by_group import check_enough
from micrograde.data.dataset import FloatArray, IntArray


def assign_times(times: FloatArray, sizes: Mapping[str, int]) -> IntArray:
    """Return the part of each row: 0 for training, and 1, 2, ... for the parts of ``sizes`` in their order.

    Rows of one moment are in one part, and a part's size is as near to the one asked for as moments allow; of
    two that are as near, the smaller.

    Parameters
    ----------
    times
        (N,), later is larger; NaN for a row without a date, which is in the training part.
    sizes
        The rows that each part should have, the newest part first; 0 if it is not wanted.

    Raises
    ------
    InputError
        If there are fewer moments than parts.
    """
    moments, moment_of_row, counts = np.unique(
        times[~np.isnan(times)], return_inverse=True, return_counts=True
    )
    wanted = [name for name, size in sizes.items() if size]
    check_enough(len(moments), "time", "data.time", wanted)
    part_of_moment = np.zeros(len(moments), np.int64)
    end = len(moments)
    for number, (name, size) in enumerate(sizes.items(), start=1):
        if size:
            parts_to_come = len(wanted) - wanted.index(name)
            filled = np.cumsum(counts[:end][::-1])[: end - parts_to_come]
            start = end - 1 - int(np.argmin(np.abs(filled - size)))
            part_of_moment[start:end] = number
            end = start
    parts = np.zeros(len(times), np.int64)
    parts[~np.isnan(times)] = part_of_moment[moment_of_row]
    return parts
