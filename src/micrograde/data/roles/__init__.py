"""The roles that columns of a table can have: a file for each, found by itself.

A role says what becomes of a column: which features it makes, or that it is left out.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from micrograde.core.registry import Registry
from micrograde.data.columns import Column

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

Axis = Literal["number", "date", "clock"]

ROLES: "Registry[type[Role]]" = Registry("role of a column", __name__)


@dataclass(frozen=True, kw_only=True)
class RoleSettings:
    """What a role may ask of the config, and of the other columns.

    Attributes
    ----------
    max_categories
        The most categories that a column keeps.
    decimal
        The decimal sign of the file's numbers, ``.`` or ``,``.
    missing_words
        Texts that stand for missing values.
    day_first
        Whether ``03/04/2024`` is the third of April; None if the column is to tell.
    forced
        Whether the user has chosen the role.
    kept
        Whether the user wants the column to be used, though it may look like an identifier.
    """

    max_categories: int = 30
    decimal: str = "."
    missing_words: frozenset[str] = frozenset()
    day_first: bool | None = None
    forced: bool = False
    kept: bool = False


@dataclass(frozen=True, eq=False)
class Encoded:
    """The features that the n rows of a column become.

    Attributes
    ----------
    values
        Shape (n, k), NaN where a number is missing.
    missing
        Shape (n,): the rows in which nothing stands, or nothing that can be read; None if none.
    unreadable
        Shape (n,): those of them whose value is none of the role's; None if none.
    unknown
        Shape (n,): the rows whose category training did not have; None if there is none.
    """

    values: FloatArray
    missing: Mask | None = None
    unreadable: Mask | None = None
    unknown: Mask | None = None


class OnnxTable(Protocol):
    """What a role needs of an ONNX graph that is being built.

    Attributes
    ----------
    axis
        The name of a constant: axis 1, of columns.
    double
        ONNX's number for float64.
    """

    axis: str
    double: int

    def constant(self, name: str, value: Any) -> str:
        """Add an array of numbers or, with dtype object, texts; return its name."""
        ...

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operator and return the name of its output."""
        ...


@dataclass(frozen=True, kw_only=True)
class Role(ABC):
    """What becomes of a column; the fields are what training found of it, as plain values for JSON.

    Attributes
    ----------
    name
        The name in ``data.roles``.
    rank
        The place among the roles in the order in which they are asked whether a column is of them.
    plural
        What several such columns are called in the paragraph about a table.
    used
        Whether the column becomes features.
    input_type
        How MLflow's signature calls its values.
    is_fed_as_text
        Whether its input of an ONNX model is text.
    axis
        What a picture of its values has along the axis: numbers, days since 1970-01-01, or hours; None if it
        counts texts.
    """

    name: ClassVar[str]
    rank: ClassVar[int]
    plural: ClassVar[str]
    used: ClassVar[bool] = True
    input_type: ClassVar[Literal["double", "boolean", "string"]] = "string"
    is_fed_as_text: ClassVar[bool] = False
    axis: ClassVar[Axis | None] = None

    @classmethod
    @abstractmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return the role as it suits a column; None if the column is not of it."""

    @abstractmethod
    def features(self, column: str) -> tuple[str, ...]:
        """Return the names of the k features that a column becomes."""

    @abstractmethod
    def encode(self, column: Column) -> Encoded:
        """Return the features of the rows of a column."""

    @abstractmethod
    def decode(self, features: FloatArray) -> list[Any]:
        """Return values, one a row, that are encoded as features of shape (n, k)."""

    def described(self) -> str:
        """Return what is to be said of this column beside its role; empty for nothing."""
        return ""

    def read_as_missing(self, column: Column) -> tuple[tuple[str, int], ...]:
        """Return the texts of a column that are missing by their spelling, with their rows.

        Left out are nothing at all, the words that every column has for missing values, and texts that stand
        in one row and are no usual spelling: those may be somebody's name.
        """
        del column
        return ()

    def read_values(self, features: FloatArray) -> NDArray[Any] | None:
        """Return what the texts of n rows mean, of features (n, k); None to leave them as they stand."""
        del features
        return None

    def along_axis(self, column: Column) -> FloatArray:
        """Return where each row stands on the ``axis``, shape (n,); NaN where nothing does."""
        return self.encode(column).values[:, 0]

    @property
    def nameable(self) -> frozenset[str] | None:
        """The texts that a picture may name; None for all."""
        return None

    @property
    def has_indicator(self) -> bool:
        """Whether the last feature is 1 where the first is missing."""
        return bool(getattr(self, "indicator", False))

    def fed(self, column: Column) -> NDArray[Any]:
        """Return the input of an ONNX model for the rows of a column: numbers (n, w), or texts (n, 1)."""
        values = self.encode(column).values
        return values[:, :-1] if self.has_indicator else values

    def onnx(self, graph: "OnnxTable", x: str) -> str:
        """Add the features (n, k), float64, of the input ``x`` to an ONNX graph; NaN where missing."""
        if not self.has_indicator:
            return x
        first = graph.node("Gather", x, graph.constant("first", np.array([0])), axis=1)
        absent = graph.node("Cast", graph.node("IsNaN", first), to=graph.double)
        return graph.node("Concat", x, absent, axis=1)

    def state(self) -> dict[str, Any]:
        """Return name and fields as plain values, for JSON."""
        plain = {key: list(each) if isinstance(each, tuple) else each for key, each in vars(self).items()}
        return {"role": self.name, **plain}


@dataclass(frozen=True, kw_only=True)
class LeftOut(Role):
    """A column that makes no features.

    Parameters
    ----------
    reason
        Why, as a phrase: ``different in each row``.
    """

    reason: str = ""
    used: ClassVar[bool] = False

    def features(self, column: str) -> tuple[str, ...]:  # noqa: ARG002 (every role's form)
        """Return no names."""
        return ()

    def encode(self, column: Column) -> Encoded:
        """Return no features."""
        return Encoded(np.zeros((len(column), 0)))

    def decode(self, features: FloatArray) -> list[Any]:
        """Return nothing for each row."""
        return [None] * len(features)

    def described(self) -> str:
        """Return the reason."""
        return self.reason


def roles_in_order() -> list[type[Role]]:
    """Return the roles in the order in which they are asked whether a column is of them."""
    return sorted(ROLES.values(), key=lambda role: role.rank)


def role_from_state(state: Mapping[str, Any]) -> Role:
    """Return the role that ``state()`` described.

    Raises
    ------
    ValueError
        If there is no such role, or its fields are not what they must be.
    """
    name, fields = state["role"], {key: each for key, each in state.items() if key != "role"}
    if name not in ROLES:
        raise ValueError(f"a column has the role {name!r}")
    kind = ROLES[name]
    if set(fields) - {each.name for each in dataclasses.fields(kind)}:
        raise ValueError(f"the role {name} has unknown fields")
    role = kind(**{key: tuple(each) if isinstance(each, list) else each for key, each in fields.items()})
    role.features("")
    return role
