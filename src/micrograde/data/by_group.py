"""Groups of rows, such as those of one customer, shared out to parts: each is wholly in one of them.

A part is filled with groups in random order up to the size it should have. Then one group at a time is added,
taken out or replaced by another, as long as the part comes nearer to that size and, with stratify, to the
share that each class should have of it. So another seed gives other parts where groups allow it.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.dataset import FloatArray, IntArray, numbered_by_appearance

_MOST_NUMBERS = 100_000  # that a step compares: for each group, or pair of groups, one for each class
_MOST_STEPS = 200


def assign_groups(
    groups: IntArray, labels: IntArray | None, sizes: Mapping[str, int], random: np.random.Generator
) -> IntArray:
    """Return the part of each row: 0 for training, and 1, 2, ... for the parts of ``sizes`` in their order.

    Parameters
    ----------
    groups
        (N,), the number of each row's group.
    labels
        (N,), the class of each row, to be shared out evenly; None if classes do not matter.
    sizes
        The rows that each part should have, 0 if it is not wanted, by the name of the part.

    Raises
    ------
    InputError
        If there are fewer groups than parts.
    """
    group_of_row = numbered_by_appearance(groups)
    count = int(group_of_row.max()) + 1
    wanted = [name for name, size in sizes.items() if size]
    check_enough(count, "group", "data.group", wanted)
    classes = np.zeros_like(group_of_row) if labels is None else np.unique(labels, return_inverse=True)[1]
    counts = np.zeros((count, int(classes.max()) + 1), np.int64)
    np.add.at(counts, (group_of_row, classes), 1)
    shares = counts.sum(axis=0) / len(groups)
    part_of_group = np.zeros(count, np.int64)
    for number, (name, size) in enumerate(sizes.items(), start=1):
        if size:
            left = random.permutation(np.flatnonzero(part_of_group == 0))
            most = len(left) - (len(wanted) - wanted.index(name))  # a group for each part that comes
            part_of_group[
                left[_choose(counts[left], size * shares, most, keep_classes=labels is not None)]
            ] = number
    return part_of_group[group_of_row]


def check_enough(count: int, what: str, key: str, wanted: list[str]) -> None:
    """Raise ``InputError`` if there are fewer groups, or times, than parts."""
    parts = ["training", *sorted(wanted, reverse=True)]
    if count < len(parts):
        off = [f"data.{name}_fraction=0" for name in parts[1:]]
        joined = (" or " if count == len(parts) - 1 else " and ").join(off)
        raise InputError(
            f"{key}: holds {count} {what}{'s' * (count != 1)}, fewer than the {len(parts)} parts "
            f"({', '.join(parts)}); choose another column, or set {joined}"
        )


def _choose(counts: IntArray, target: FloatArray, most: int, *, keep_classes: bool) -> IntArray:
    """Return which groups make up a part: 1 to ``most`` of them, whose counts come near to ``target``.

    Parameters
    ----------
    counts
        (G, C), the rows of each class in each group, in random order.
    target
        (C,), the rows of each class that the part should have.
    keep_classes
        Whether each class should keep a row outside the part.
    """
    total = counts.sum(axis=0)

    def cost(chosen: IntArray) -> FloatArray:
        """Return how far counts (..., C) are from the target: in all rows, and in those of each class."""
        off: FloatArray = np.abs(chosen.sum(axis=-1) - target.sum()) + np.abs(chosen - target).sum(axis=-1)
        if keep_classes:
            off = off + (chosen == total).sum(axis=-1) * total.sum()
        return off

    filled = np.cumsum(counts, axis=0)[:most]
    is_chosen = np.zeros(len(counts), np.bool_)
    is_chosen[: int(np.argmin(cost(filled))) + 1] = True
    good_enough = cost(np.rint(target))  # counts are whole
    for _ in range(_MOST_STEPS):
        now = counts[is_chosen].sum(axis=0)
        if (best := float(cost(now))) <= good_enough:
            break
        moved = _nearer(counts, is_chosen, now, most, best, cost)
        if moved is None:
            break
        is_chosen[moved] ^= True
    return np.flatnonzero(is_chosen)


def _nearer(
    counts: IntArray,
    is_chosen: NDArray[np.bool_],
    now: IntArray,
    most: int,
    best: float,
    cost: Callable[[IntArray], FloatArray],
) -> IntArray | None:
    """Return the groups to take in or out so that the cost falls most below ``best``; None if none does.

    One group, or else a pair, one in and one out.
    """
    inside, outside = np.flatnonzero(is_chosen), np.flatnonzero(~is_chosen)
    many = max(1, _MOST_NUMBERS // counts.shape[1])
    added = outside[:many] if len(inside) < most else outside[:0]
    removed = inside[:many] if len(inside) > 1 else inside[:0]
    costs = cost(np.concatenate([now + counts[added], now - counts[removed]]))
    if costs.size and costs.min() < best:
        return np.concatenate([added, removed])[[int(costs.argmin())]]
    few_in, few_out = inside[: int(many**0.5) or 1], outside[: int(many**0.5) or 1]
    costs = cost(now - counts[few_in][:, np.newaxis] + counts[few_out])
    if costs.size and costs.min() < best:
        row, column = divmod(int(costs.argmin()), len(few_out))
        return np.array([few_in[row], few_out[column]])
    return None
