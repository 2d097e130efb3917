"""Categories, which become one feature each."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from micrograde.data.columns import Column
from micrograde.data.roles import ROLES, Encoded, FloatArray, OnnxTable, Role, RoleSettings

LEAST_ROWS = 5
"""In how many rows a category must stand to be kept, in a column that has too many of them."""

MISSING_MARK = "?"
"""What also stands for a missing category."""


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Category(Role):
    """Categories: a feature each, 1 in its rows; rare ones are "other", missing ones one of their own.

    Parameters
    ----------
    categories
        Those that are kept, in the order of their features.
    other
        Whether a feature stands for all others: there were more than could be kept.
    missing
        Whether a feature stands for missing values: there were some in training.
    words
        Texts that stand for missing values.
    """

    name: ClassVar[str] = "category"
    rank: ClassVar[int] = 80
    plural: ClassVar[str] = "categories"
    is_fed_as_text: ClassVar[bool] = True
    categories: tuple[str, ...] = ()
    other: bool = False
    missing: bool = False
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return the most frequent categories; None if the column has no text, or all would be "other"."""
        column = column.as_texts
        words = settings.missing_words | {MISSING_MARK}
        counts: dict[str, int] = {}
        for text, count in zip(column.distinct, column.counts.tolist(), strict=True):
            plain = text.strip()
            if plain and plain not in words:
                counts[plain] = counts.get(plain, 0) + count
        is_missing = bool(column.is_missing(words).any())
        kept = sorted(counts, key=lambda each: (-counts[each], each))
        if len(kept) > settings.max_categories:
            least = 1 if settings.forced else LEAST_ROWS
            kept = [each for each in kept[: settings.max_categories] if counts[each] >= least]
            if not kept and not is_missing:
                return None
        if not counts:
            return None
        return cls(
            categories=tuple(sorted(kept, key=_natural)),
            other=len(kept) < len(counts),
            missing=is_missing,
            words=tuple(sorted(words)),
        )

    def features(self, column: str) -> tuple[str, ...]:
        """Return ``column=category`` for each, then "other" and "missing"."""
        more = [name for name, there in (("other", self.other), ("missing", self.missing)) if there]
        return (*(f"{column}={each}" for each in self.categories), *(f"{column} ({each})" for each in more))

    @property
    def nameable(self) -> frozenset[str]:
        """The categories that are kept: a rare one may be somebody's own."""
        return frozenset(self.categories)

    def encode(self, column: Column) -> Encoded:
        """Return zeros and a one (n, k); only zeros for an unknown category if there is no "other"."""
        column = column.as_texts
        place = {each: index for index, each in enumerate(self.categories)}
        width = len(self.features(""))
        nowhere = width  # a place that is cut off
        other = len(self.categories) if self.other else nowhere
        missing = width - 1 if self.missing else other
        words = frozenset(self.words)
        places = np.full(len(column.distinct), other, np.int64)
        known = np.ones(len(places), np.bool_)
        for index, text in enumerate(column.distinct):
            plain = text.strip()
            if not plain or plain in words:
                places[index] = missing
            elif plain in place:
                places[index] = place[plain]
            else:
                known[index] = False
        values = np.zeros((len(column), width))
        there = column.spread(places, missing)
        rows = np.flatnonzero(there < width)
        values[rows, there[rows]] = 1.0
        absent = column.is_missing(words)
        unknown = None if known.all() or self.other else ~column.spread(known, True)
        return Encoded(values, absent if absent.any() else None, unknown=unknown)

    def decode(self, features: FloatArray) -> list[Any]:
        """Return the categories; for "other" that word, for missing values None."""
        names: list[Any] = [
            *self.categories,
            *(["other"] if self.other else []),
            *([None] if self.missing else []),
        ]
        there = features.max(axis=1, initial=0.0) > 0.5
        return (
            [
                names[place] if known else None
                for place, known in zip(features.argmax(axis=1).tolist(), there, strict=True)
            ]
            if names
            else [None] * len(features)
        )

    def fed(self, column: Column) -> NDArray[Any]:
        """Return the texts (n, 1), without the spaces around them; "" where the category is missing."""
        column = column.as_texts
        words = frozenset(self.words)
        plain = [text.strip() for text in column.distinct]
        texts = np.array(["" if text in words else text for text in plain], object)
        found: NDArray[Any] = column.spread(texts, "")
        return found[:, None]

    def onnx(self, graph: OnnxTable, x: str) -> str:
        """Add zeros and a one (n, k)."""
        pieces = []
        total = None
        if self.categories:
            names = graph.constant("categories", np.array([self.categories], object))
            pieces.append(graph.node("Cast", graph.node("Equal", x, names), to=graph.double))
            total = graph.node("ReduceSum", pieces[0], graph.axis, keepdims=1)
        empty = graph.node("Equal", x, graph.constant("nothing", np.array([[""]], object)))
        absent = graph.node("Cast", empty, to=graph.double)
        if self.other:
            one = graph.constant("one", np.array([[1.0]]))
            if self.missing:
                one = graph.node("Sub", one, absent)
            pieces.append(graph.node("Sub", one, total) if total else graph.node("Identity", one))
        if self.missing:
            pieces.append(absent)
        return graph.node("Concat", *pieces, axis=1)

    def described(self) -> str:
        """Return how many there are."""
        kept = len(self.categories)
        count = str(kept)
        if self.other:
            count = f"{kept} kept, the rest is 'other'" if kept else "all rare, 'other'"
        return f"{count}, and 'missing'" if self.missing else count


def _natural(text: str) -> tuple[float, str]:
    """Return a key by which categories that are numbers come in their order."""
    try:
        return (float(text), text)
    except ValueError:
        return (float("inf"), text)
