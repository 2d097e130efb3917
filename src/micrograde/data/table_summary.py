"""What is said about a table: its rows and columns, what was done with each column, its classes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import counted, listed, quoted

if TYPE_CHECKING:
    import pandas

_NAMES = 12  # columns of one role that are named in the paragraph


@dataclass(frozen=True)
class ColumnSummary:
    """What was found in a column, and what became of it.

    Attributes
    ----------
    name, role
        Its name, and that of its role, or ``target``.
    missing
        In how many rows nothing stands.
    unreadable
        In how many rows something stands that was read as missing.
    odd
        What that is, of those texts that stand in several rows.
    different
        How many values differ.
    features
        How many features it becomes.
    said
        What else is to be said, as a phrase: why it is left out, how its dates are written.
    """

    name: str
    role: str
    missing: int
    unreadable: int
    odd: tuple[tuple[str, int], ...]
    different: int
    features: int
    said: str


@dataclass(frozen=True)
class NumberSummary:
    """What the numbers are that are to be predicted: the least, the mean and the largest of ``rows``.

    ``deviation`` is the standard deviation: the root mean squared error of always saying the mean. With
    ``are_truths`` they are 1 for yes and 0 for no, of a label that a row has or has not.
    """

    rows: int
    least: float
    mean: float
    largest: float
    deviation: float
    are_truths: bool = False

    @classmethod
    def of(cls, numbers: NDArray[np.float64], *, are_truths: bool = False) -> "NumberSummary":
        """Return the summary of numbers (n,)."""
        with np.errstate(over="ignore"):
            mean, deviation = float(numbers.mean()), float(numbers.std())
        return cls(len(numbers), float(numbers.min()), mean, float(numbers.max()), deviation, are_truths)

    def __str__(self) -> str:
        """Return the numbers in words, such as ``numbers from 3 to 97, mean 51.2``."""
        if self.are_truths:
            return f"yes in {round(self.mean * self.rows)} of {self.rows} rows ({self.mean:.1%})"
        return (
            f"numbers from {plain_number(self.least, 6)} to {plain_number(self.largest, 6)}, "
            f"mean {plain_number(self.mean, 6)}; "
            f"always saying the mean is off by {plain_number(self.deviation)} (RMSE)"
        )


@dataclass(frozen=True)
class TableSummary:
    """What is said about a table once, on the terminal, on the run and by ``micrograde describe``.

    Attributes
    ----------
    source
        The name of the file, without its folders.
    rows
        The rows that were read.
    found
        What was found out about the file.
    columns
        A summary of each column, in the order of the file.
    targets
        The names of the targets; none if none was named.
    classes
        The classes with their rows, of those that are used.
    without_label
        How many rows were left out because they have no class.
    without_weight
        How many were left out because they weigh 0.
    dropped
        How many were left out because something is missing (``data.missing=drop``).
    lost
        The classes that were lost by that.
    filled
        With what missing numbers are filled: ``mean`` or ``median``; empty if nothing is filled.
    telling
        The columns that alone tell the class of every row.
    numbers
        What is to be predicted of each target if that are numbers and no classes.
    weightless
        The classes that were lost because all their rows weigh 0.
    weight
        The column with what each row counts; empty if all count the same.
    weights
        The smallest and the largest weight of a row that is used; nothing without such a column.
    """

    source: str
    rows: int
    found: tuple[str, ...]
    columns: tuple[ColumnSummary, ...]
    targets: tuple[str, ...]
    classes: tuple[tuple[str, int], ...]
    without_label: int = 0
    dropped: int = 0
    lost: tuple[str, ...] = ()
    filled: str = ""
    telling: tuple[str, ...] = ()
    numbers: tuple[NumberSummary, ...] = ()
    without_weight: int = 0
    weightless: tuple[str, ...] = ()
    weight: str = ""
    weights: tuple[float, ...] = ()

    @property
    def majority(self) -> float:
        """The share of the most frequent class."""
        counts = [count for _, count in self.classes]
        return max(counts) / sum(counts)

    def lines(self, parts: "Mapping[str, NDArray[Any]] | None" = None) -> list[str]:
        """Return the paragraph about the table, lines of a word and what it says.

        Parameters
        ----------
        parts
            What is to be learned of each row of each part, by the part's name; None before the split.
        """
        return [f"{word:<11} {text}" for word, text in self.sentences(parts)]

    def sentences(self, parts: "Mapping[str, NDArray[Any]] | None" = None) -> Iterator[tuple[str, str]]:
        """Yield what ``lines`` says, each a word and a sentence."""
        from micrograde.data.roles import ROLES

        about = "".join(f", {each}" for each in self.found)
        yield "table", f"{self.source}: {self.rows} rows, {len(self.columns)} columns{about}"
        if self.without_label or self.without_weight or self.dropped:
            yield "rows", self._lost_rows()
        yield from (("target", text) for text in self._targets())
        if self.weights:
            low, high = self.weights
            yield "weights", f"{quoted(self.weight)}: {low:g} to {high:g}, what each row counts in the loss"
        for role in ROLES.values():
            named = [each for each in self.columns if each.role == role.name]
            if not named:
                continue
            if not role.used:
                continue
            yield role.plural, _joined(named)
        left = [each for each in self.columns if each.role in ROLES and not ROLES[each.role].used]
        for each in left[:_NAMES]:
            yield "left out", f"{quoted(each.name)}: {each.role}, {each.said}"
        if len(left) > _NAMES:
            yield "left out", f"and {len(left) - _NAMES} more: data/columns.csv"
        for each in self.columns:
            if each.unreadable and each.role in ROLES:
                yield "missing", _odd_sentence(each)
        if self.filled:
            yield from self._filled()
        if parts is not None:
            yield "parts", self._parts(parts)

    def _filled(self) -> Iterator[tuple[str, str]]:
        """Yield with what missing values are filled."""
        from micrograde.data.roles import ROLES

        ways = {f"by the training part's {self.filled}": False, "as a category of their own": True}
        for way, of_categories in ways.items():
            gaps = [
                (each.name, each.missing + each.unreadable)
                for each in self.columns
                if each.role in ROLES
                and ROLES[each.role].used
                and ROLES[each.role].is_fed_as_text == of_categories
            ]
            if any(count for _, count in gaps):
                yield "filled", f"{counted(gaps)}: {way}"

    def _lost_rows(self) -> str:
        left = []
        if self.without_label:
            lacking = "have no target" if self.numbers else "have no class"
            lacking = "lack a target" if len(self.numbers) > 1 else lacking
            left.append(f"{self.without_label} left out, which {lacking}")
        if self.without_weight:
            gone = f", and with them the class {listed(self.weightless)}" if self.weightless else ""
            left.append(f"{self.without_weight} left out, which weigh 0{gone}")
        if self.dropped:
            gone = f", and with them the class {listed(self.lost)}" if self.lost else ""
            left.append(f"{self.dropped} left out, in which something is missing (data.missing=drop){gone}")
        return "; ".join(left)

    def _targets(self) -> Iterator[str]:
        if self.classes:
            frequent = max(self.classes, key=lambda each: each[1])
            yield (
                f"{quoted(self.targets[0])}: {counted(self.classes)}; "
                f"{quoted(frequent[0])} alone is {self.majority:.1%} of the rows"
            )
        for name, numbers in list(zip(self.targets, self.numbers, strict=False))[:_NAMES]:
            yield f"{quoted(name)}: {numbers}"
        if len(self.numbers) > _NAMES:
            yield f"and {len(self.numbers) - _NAMES} more"

    def _parts(self, parts: "Mapping[str, NDArray[Any]]") -> str:
        names = [name for name, _ in self.classes]
        shown = []
        for part, labels in parts.items():
            few = ""
            if 0 < len(names) <= 8:
                counts = np.bincount(labels.astype(np.int64), minlength=len(names)).tolist()
                few = f" ({', '.join(map(str, counts))})"
            shown.append(f"{part} {len(labels)}{few}")
        return ", ".join(shown)

    def frame(self) -> "pandas.DataFrame":
        """Return a row for each column: what ``data/columns.csv`` holds."""
        import pandas as pd

        return pd.DataFrame(
            {
                "column": [each.name for each in self.columns],
                "role": [each.role for each in self.columns],
                "features": [each.features for each in self.columns],
                "missing": [each.missing for each in self.columns],
                "unreadable": [each.unreadable for each in self.columns],
                "different": [each.different for each in self.columns],
                "about": [each.said for each in self.columns],
            }
        )


def note_lines(notes: Iterable[str]) -> list[str]:
    """Return notes about a table as lines of its paragraph."""
    return [f"{'note':<11} {note}" for note in notes]


def _joined(columns: Sequence[ColumnSummary]) -> str:
    shown = [f"{quoted(each.name)}" + (f" ({each.said})" if each.said else "") for each in columns[:_NAMES]]
    more = f" and {len(columns) - _NAMES} more" if len(columns) > _NAMES else ""
    return ", ".join(shown) + more


def _odd_sentence(column: ColumnSummary) -> str:
    rows = "1 row" if column.unreadable == 1 else f"{column.unreadable} rows"
    spelled = f"{listed(text for text, _ in column.odd)} ({rows})" if column.odd else rows
    from micrograde.data.roles import ROLES

    return f"{quoted(column.name)} holds {ROLES[column.role].plural} but for {spelled}, read as missing"
