"""``UsedRows``: the rows of a table that a data set has, each column by its role."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_names
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.column_rules import ColumnRules, decide
from micrograde.data.columns import Column
from micrograde.data.messages import counted, quoted
from micrograde.data.roles import Encoded, Mask


class UsedRows:
    """Some rows of the columns, with their roles and the features that they become.

    Attributes
    ----------
    columns
        The columns by name, without the targets.
    labels
        Shape (n,): the class of each row.
    rules
        What the user says of columns.
    roles
        The role of each column.
    encoding
        The columns that are used, with the features that they become.
    features
        Shape (n, D); (n, 0) if features are not kept.
    found
        What was found of each column that is used, by its name, without its features.
    missing
        Shape (n,): whether something is missing in each row.
    tables
        Shape (n,): which of the files each row is of, 0 for the first.
    numbers
        Shape (n,): the number of each row in its file, from 1.
    numbers_to_learn
        Shape (n, K): the numbers to be predicted of each row; None if the rows have classes.
    truths_to_learn
        Whether these are 1 for yes and 0 for no.
    weights
        Shape (n,): what each row counts, more than 0; None if all count the same.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        labels: NDArray[np.int64],
        rules: ColumnRules,
        source: str,
        *,
        keep: bool,
    ) -> None:
        self.columns, self.labels, self.rules = columns, labels, rules
        self.roles = decide(columns, rules, source)
        used = {name: role for name, role in self.roles.items() if role.used}
        self.encoding = ColumnEncoding(tuple(used), tuple(used.values()))
        self.found: dict[str, Encoded] = {}
        self.missing = np.zeros(len(labels), np.bool_)
        self.tables = np.zeros(len(labels), np.int64)  # which of the files each row is of
        self.numbers = np.arange(1, len(labels) + 1)
        self.numbers_to_learn: NDArray[np.float64] | None = None
        self.truths_to_learn = False
        self.weights: NDArray[np.float64] | None = None
        self.features = np.zeros((len(labels), 0))
        if used and keep:
            self.features = self.encoding.encode_columns(columns, source, self._note)
        elif used:
            for name, role in used.items():
                self._note(name, role.encode(columns[name]))

    def _note(self, name: str, encoded: Encoded) -> None:
        self.found[name] = replace(encoded, values=np.zeros((0, 0)))
        if encoded.missing is not None:
            self.missing |= encoded.missing

    @property
    def gaps(self) -> list[tuple[str, int]]:
        """How many rows of each column have nothing."""
        return [(name, count_rows(each.missing)) for name, each in self.found.items()]

    def widest_gap(self) -> str:
        """Return advice about the column that lacks most values."""
        name, count = max(self.gaps, key=lambda each: each[1])
        return (
            f"{quoted(name)} lacks {count}; {typed_names('data.drop', name)} leaves the column out, "
            "data.missing=fill fills it"
        )

    def refuse_missing(self, source: str) -> None:
        """Raise ``InputError`` if a value is missing."""
        if any(count for _, count in self.gaps):
            raise InputError(
                f"{source}: missing values in {counted(self.gaps)}; data.missing=fill fills them, "
                "data.missing=drop leaves their rows out"
            )


def count_rows(rows: Mask | None) -> int:
    """Return how many rows are meant, by whether each is; None means none."""
    return 0 if rows is None else int(rows.sum())
