"""Labels that a table already holds where they are predicted: how many of them the predictions have right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micrograde.data.columns import MISSING_WORDS, Column
from micrograde.data.messages import quoted
from micrograde.data.raw_table import RawTable
from micrograde.data.roles.truth import SPELLINGS

_NUMBERS = {1.0: 1.0, 0.0: 0.0}


@dataclass(frozen=True)
class LabelSummary:
    """How right a model is about the labels of rows.

    Attributes
    ----------
    known
        How many rows have all labels in the table.
    accuracy
        For each label, by its name, the share of these rows of which it is said rightly.
    together
        The share of these rows of which all labels are.
    """

    known: int
    accuracy: Mapping[str, float] = field(default_factory=dict)
    together: float = float("nan")


def summarize_labels(
    names: Sequence[str], said: NDArray[np.bool_], raw: RawTable, taken: Sequence[str], first: int
) -> tuple[LabelSummary, list[str]]:
    """Return how right is what is said of the rows of a table, (n, K), and lines about values that are none.

    Parameters
    ----------
    taken
        The columns that the model's features are made of, which hold no labels.
    first
        How many rows of the source come before the table's.
    """
    notes: list[str] = []
    if not set(names) <= set(raw.rows.column_names) - set(taken):
        return LabelSummary(0), notes
    columns = [_labels_of(Column.of_array(name, raw.column(name)), first, notes) for name in names]
    labels = np.stack(columns, axis=1)
    known = ~np.isnan(labels).any(axis=1)
    if not known.any():
        return LabelSummary(0), notes
    right = said[known] == (labels[known] > 0)
    accuracy = dict(zip(names, right.mean(axis=0).tolist(), strict=True))
    return LabelSummary(int(known.sum()), accuracy, float(right.all(axis=1).mean())), notes


def _labels_of(column: Column, first: int, notes: list[str]) -> NDArray[np.float64]:
    """Return 1, 0 or NaN for each row, (n,); add a line if a column holds something else."""
    texts = column.as_texts
    found = texts.spread(np.array([_label(text) for text in texts.distinct], np.float64), np.nan)
    foreign = np.isnan(found) & ~column.is_missing(MISSING_WORDS)
    if foreign.any():
        place, count = int(foreign.argmax()), int(foreign.sum())
        assert texts.codes is not None
        text = texts.distinct[int(texts.codes[place])]
        rows = "1 row" if count == 1 else f"{count} rows"
        notes.append(
            f"{quoted(column.name)} holds {quoted(text)} in row {place + 1 + first}, neither yes nor no; "
            f"{rows} of {len(column)} like that {'is' if count == 1 else 'are'} not compared"
        )
    return found


def _label(text: str) -> float:
    plain = text.strip()
    if (truth := SPELLINGS.get(plain.lower())) is not None:
        return float(truth)
    try:
        return _NUMBERS.get(float(plain), float("nan"))
    except ValueError:
        return float("nan")
