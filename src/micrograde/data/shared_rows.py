"""Rows that stand in two parts, word for word: what is measured on them says little of new rows."""

from collections.abc import Iterator, Mapping

import numpy as np

from micrograde.data.dataset import Part, Split

_ROWS_AT_A_TIME = 4096


def shared_rows(split: Split) -> dict[str, int]:
    """Return how many rows of the validation and of the test part stand in the training part, too.

    Two rows are the same if all features and the class, or the targets, are; two missing values are. A part
    that does not exist is left out.
    """
    parts = {"validation": split.validation, "test": split.test}
    known = set(_keys(split.train)) if any(parts.values()) else set()
    return {name: sum(key in known for key in _keys(part)) for name, part in parts.items() if part}


def shared_rows_line(split: Split, shared: Mapping[str, int], *, truths: bool = False) -> str:
    """Return a line that says them, ``3 of 34 test rows stand in the training part, too``, or nothing.

    With ``truths``, several columns (n, K) that are learned are labels, yes or no, and not numbers.
    """
    parts = {"validation": split.validation, "test": split.test}
    counts = [
        f"{count} of {len(part)} {name} rows"
        for name, count in shared.items()
        if count and (part := parts[name])
    ]
    if not counts:
        return ""
    stand = "stands" if len(counts) == 1 and counts[0].startswith("1 of") else "stand"
    learned = "the class" if split.train.labels.ndim == 1 else "the target"
    if split.train.labels.shape[1:] > (1,):
        learned = "all labels" if truths else "all targets"
    return f"{' and '.join(counts)} {stand} in the training part, too, with all features and {learned}"


def _keys(part: Part) -> Iterator[int]:
    """Yield a number for each row, which is the same for the same row."""
    for start in range(0, len(part), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        numbers = np.column_stack([part.block(rows), part.labels[rows]]) + 0.0  # -0 is 0
        numbers[np.isnan(numbers)] = np.nan  # which has many bit patterns
        content, width = numbers.tobytes(), numbers.shape[1] * numbers.itemsize
        yield from (hash(content[at : at + width]) for at in range(0, len(content), width))
