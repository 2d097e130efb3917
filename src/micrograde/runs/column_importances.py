"""``importances.csv``: what the model that a run keeps loses when one column of its data is shuffled.

Columns
-------
column
    The column's name in the data's source; the most important comes first.
accuracy_drop, accuracy_drop_low, accuracy_drop_high
    By how much the accuracy falls: the mean over the repeats, and the ends of its 95 % interval. Where
    numbers are predicted, ``rmse_rise`` and so on: by how much the rmse rises, in their units.
loss_rise, loss_rise_low, loss_rise_high
    By how much the loss rises.
part
    ``val``, or ``train`` if there is no validation part.
rows
    How many of its rows were used.
"""

import csv
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.core.errors import InputError
from micrograde.diagnostics import Importances
from micrograde.diagnostics.permutation_importance import MOST_COLUMNS, cost_name
from micrograde.tasks import TASKS, Task

if TYPE_CHECKING:
    import pandas

FILE = "importances.csv"
_ENDS = ("", "_low", "_high")


def _measure(task: type[Task]) -> str:
    return cost_name(task.metrics[0])


def _numbers(measure: str) -> tuple[str, ...]:
    return tuple(f"{name}{end}" for name in (measure, "loss_rise") for end in _ENDS)


def _header(measure: str) -> tuple[str, ...]:
    return ("column", *_numbers(measure), "part", "rows")


def write_importances(folder: Path, found: Importances) -> None:
    """Write a line for each column."""
    both = found.cost, found.loss_rise
    numbers = zip(*(each.tolist() for of in both for each in (of.mean, of.low, of.high)), strict=True)
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(_header(found.measure))
        for column, of_column in zip(found.columns, numbers, strict=True):
            lines.writerow([column, *map(repr, of_column), found.part, found.rows])


def read_importances(path: Path) -> "pandas.DataFrame":
    """Read importances, numbers as they were, bit for bit.

    Raises
    ------
    InputError
        If the file is none of ours.
    """
    import pandas as pd

    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *lines = islice(csv.reader(file), MOST_COLUMNS + 2)
        measure = header[1] if len(header) > 1 else ""
        if (
            measure not in map(_measure, TASKS.values())
            or tuple(header) != _header(measure)
            or len(lines) > MOST_COLUMNS
        ):
            raise ValueError("it has other columns, or more rows than a run writes")
        if any(len(line) != len(header) for line in lines):
            raise ValueError("a line has too few values, or too many")
        frame = pd.DataFrame(lines, columns=header, dtype="str")
        return frame.astype({"rows": "int64", **dict.fromkeys(_numbers(measure), "float64")})
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{FILE}: cannot be read ({' '.join(str(error).split())[:200]})") from None
