"""Encoding of a table's columns as features, each column by its role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.columns import Column
from micrograde.data.memory import check_size
from micrograde.data.messages import listed, numbered, quoted
from micrograde.data.roles import Encoded, FloatArray, Role, role_from_state
from micrograde.data.roles.number import Number

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class ColumnEncoding:
    """The columns of a table that become features, with their roles.

    Parameters
    ----------
    columns
        Their names, in the order of the features.
    roles
        The role of each.
    """

    columns: tuple[str, ...]
    roles: tuple[Role, ...]

    @classmethod
    def of_numbers(cls, columns: tuple[str, ...]) -> "ColumnEncoding":
        """Return the encoding of columns that are numbers."""
        return cls(columns, (Number(),) * len(columns))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the D features."""
        return tuple(
            name
            for column, role in zip(self.columns, self.roles, strict=True)
            for name in role.features(column)
        )

    @property
    def input_types(self) -> dict[str, str]:
        """How MLflow's signature calls the values of each column."""
        return {column: role.input_type for column, role in zip(self.columns, self.roles, strict=True)}

    @property
    def widths(self) -> list[int]:
        """How many features each column becomes."""
        return [len(role.features(column)) for column, role in zip(self.columns, self.roles, strict=True)]

    def encode_columns(
        self, columns: Mapping[str, Column], source: str, told: Callable[[str, Encoded], None] | None = None
    ) -> FloatArray:
        """Return the rows of columns as features (n, D), NaN where a value is missing.

        Parameters
        ----------
        columns
            The columns by name; others may be among them.
        source
            What error messages start with.
        told
            Called for each column with what was found in it.

        Raises
        ------
        InputError
            If the features would not fit into memory; the message names the widest column.
        """
        rows = len(next(iter(columns.values())))
        widths = self.widths
        widest = int(np.argmax(widths))
        check_size(
            source,
            rows,
            sum(widths),
            advice=f"{quoted(self.columns[widest])} alone becomes {widths[widest]} of them; "
            "data.drop leaves it out",
        )
        features, place = np.empty((rows, sum(widths))), 0
        for name, role, width in zip(self.columns, self.roles, widths, strict=True):
            encoded = role.encode(columns[name])
            features[:, place : place + width] = encoded.values
            place += width
            if told:
                told(name, encoded)
        return features

    def encode(
        self,
        table: "pandas.DataFrame",
        source: str = "table",
        told: Callable[[str, Encoded], None] | None = None,
    ) -> FloatArray:
        """Return the rows of a data frame as features (n, D), NaN where a value is missing.

        Columns are found by name; others are ignored.

        Raises
        ------
        InputError
            If a column is missing or stands twice, or holds values that its role cannot read; the message
            names their rows.
        """
        there = set(table.columns)
        if absent := [name for name in self.columns if name not in there]:
            raise InputError(f"{source}: has no column {listed(absent)}; it has {listed(table.columns)}")
        twice = set(table.columns[table.columns.duplicated()])
        if again := [name for name in self.columns if name in twice]:
            raise InputError(f"{source}: has more than one column {listed(again)}")

        def check(name: str, encoded: Encoded) -> None:
            if encoded.unreadable is not None:
                role = self.roles[self.columns.index(name)]
                where = numbered(np.flatnonzero(encoded.unreadable).tolist())
                raise InputError(
                    f"{source}: column {quoted(name)} holds no {role.name} in {where}, as it did in training"
                )
            if told:
                told(name, encoded)

        columns = {name: Column.of_series(name, table[name], source) for name in self.columns}
        return self.encode_columns(columns, source, check)

    def decode(self, features: FloatArray) -> list[list[Any]]:
        """Return the values (n rows of the columns) that ``encode`` turns into ``features`` (n, D)."""
        pieces = np.split(features, np.cumsum(self.widths)[:-1], axis=1)
        columns = [role.decode(piece) for role, piece in zip(self.roles, pieces, strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    def state(self) -> dict[str, Any]:
        """Return the parameters as plain values, for JSON."""
        return {"columns": list(self.columns), "roles": [role.state() for role in self.roles]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "ColumnEncoding":
        """Return the encoding that ``state()`` described."""
        return cls(tuple(state["columns"]), tuple(map(role_from_state, state["roles"])))
