"""What is said of a split by groups or by times: sizes, rows without a time, classes without rows."""

from collections.abc import Iterator, Mapping

import numpy as np

from micrograde.data.dataset import Dataset, Part, Split
from micrograde.data.messages import listed


def split_notes(
    dataset: Dataset, split: Split, fractions: Mapping[str, float], sizes: Mapping[str, int]
) -> Iterator[str]:
    """Yield the notes of a split, a line each; none if rows were drawn one by one.

    Parameters
    ----------
    fractions, sizes
        The fraction that was asked for and the rows that it is, by the key of each part.
    """
    if dataset.groups is None and dataset.times is None:
        return
    if any(sizes.values()):
        yield _sizes(dataset, split, fractions, sizes)
    if dataset.times is not None:
        undated = int(np.isnan(dataset.times[split.train.rows]).sum())
        if undated and any(sizes.values()):
            are = "is" if undated == 1 else "are"
            yield f"data.time: {_rows(undated)} without a time {are} in the training part"
    yield from _groups_of_own_files(dataset, split)
    if not dataset.class_names:
        return
    known = np.unique(split.train.labels)
    there_are = np.unique([label for part in _others(split).values() for label in np.unique(part.labels)])
    if len(unknown := np.setdiff1d(there_are, known)):
        names = listed(dataset.class_names[int(label)] for label in unknown)
        they = "it" if len(unknown) == 1 else "they"
        yield f"the training part has no row of {names}, so that {they} cannot be learned"


def _sizes(dataset: Dataset, split: Split, fractions: Mapping[str, float], sizes: Mapping[str, int]) -> str:
    """Return the line that says how large the parts are."""

    def asked(name: str, part: Part) -> str:
        key = f"data.{name}_fraction"
        return "" if sizes[key] == len(part) else f" ({key}={fractions[key]:g} is {sizes[key]})"

    made = {name: part for name, part in _others(split).items() if sizes[f"data.{name}_fraction"]}
    if dataset.times is not None:
        texts = [
            f"the newest {_rows(len(part))} are the {name} part{asked(name, part)}"
            for name, part in made.items()
        ]
        if len(texts) == 2:
            name, part = list(made.items())[1]
            texts[1] = f"the {len(part)} before them the {name} part{asked(name, part)}"
        return f"data.time: {' and '.join(texts)}; rows of one time stay together"
    assert dataset.groups is not None
    parts = {"training": split.train, **dict(reversed(made.items()))}
    texts = [
        f"{_groups(len(np.unique(dataset.groups[part.rows])))} of {_rows(len(part))} in {name}"
        + (asked(name, part) if name in made else "")
        for name, part in parts.items()
    ]
    return f"data.group: each group is wholly in one part: {', '.join(texts)}"


def _groups_of_own_files(dataset: Dataset, split: Split) -> Iterator[str]:
    """Yield a line for each part of the user's own that shares groups with the training part."""
    if dataset.groups is None:
        return
    known = np.unique(dataset.groups[split.train.rows])
    own = {"validation": dataset.validation_rows, "test": dataset.test_rows}
    for name, part in _others(split).items():
        shared = np.intersect1d(known, dataset.groups[part.rows])
        if own[name] and len(shared):
            stand = "stands" if len(shared) == 1 else "stand"
            yield (
                f"data.group: {_groups(len(shared))} of your own {name} part {stand} "
                "in the training part, too"
            )


def _others(split: Split) -> dict[str, Part]:
    parts = {"test": split.test, "validation": split.validation}
    return {name: part for name, part in parts.items() if part is not None}


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"


def _groups(count: int) -> str:
    return f"{count} group{'s' * (count != 1)}"
