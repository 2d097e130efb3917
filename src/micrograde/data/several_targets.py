"""What is to be learned of several columns together: the numbers that they hold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.overrides import list_override, typed_names, typed_text
from micrograde.data.columns import MISSING_WORDS, Column
from micrograde.data.dataset import REGRESSION
from micrograde.data.messages import listed, quoted
from micrograde.data.number_texts import style_of
from micrograde.data.roles import RoleSettings
from micrograde.data.roles.truth import Truth
from micrograde.data.targets import Target, read_target


def read_targets(
    columns: Sequence[Column], *, na_values: tuple[str, ...], decimal: str, task: str | None
) -> Target:
    """Return the numbers that several columns hold; a row that lacks one of them has none.

    Parameters
    ----------
    na_values, decimal
        As ``read_target``.
    task
        ``regression``, or None, as which columns that all hold yes or no are refused: they are no numbers.

    Raises
    ------
    InputError
        If a column holds anything but numbers, or no row has all of them; the message says what to type.
    """
    names = [column.name for column in columns]
    typed, first = list_override("data.target", names), typed_text("data.target", names[0])
    words = MISSING_WORDS | {word.strip() for word in na_values}
    texts = {column.name: _no_number(column, words, decimal) for column in columns}
    if task is None and all(_is_truth(column, words, texts[column.name]) for column in columns):
        advice = "" if any(texts.values()) else ", and task=regression predicts 0 and 1 as numbers"
        raise InputError(
            f"{typed}: each holds yes or no, and several columns are learned together only as numbers; "
            f"{first} learns one of them{advice}"
        )
    if task is None and (others := [name for name in names if texts[name]]):
        _refuse_other_texts(columns[names.index(others[0])], words, decimal, typed)
        numbers = [name for name in names if not texts[name]]
        without = f", {_typed_targets(numbers)} leaves it out" if numbers else ""
        raise InputError(
            f"{typed}: {quoted(others[0])} holds {quoted(texts[others[0]])}, and several columns are learned "
            f"together only as numbers; {typed_text('data.target', others[0])} learns it alone{without}"
        )
    found = [
        read_target(
            column, na_values=na_values, decimal=decimal, task=REGRESSION, source=f"data.target={column.name}"
        ).numbers
        for column in columns
    ]
    together = np.concatenate([each for each in found if each is not None], axis=1)
    complete = ~np.isnan(together).any(axis=1)
    if not complete.any():
        raise InputError(f"{typed}: no row has a number in each of {listed(names)}")
    notes = () if task else (f"{typed}: these columns are predicted together, as numbers (a regression)",)
    return Target(np.where(complete, 0, -1), (), notes, together)


def _typed_targets(names: Sequence[str]) -> str:
    return typed_names("data.target", *names) if len(names) > 1 else typed_text("data.target", names[0])


def _refuse_other_texts(column: Column, words: frozenset[str], decimal: str, typed: str) -> None:
    """Raise ``InputError`` if most of a column's texts are numbers, which it then is meant to hold."""
    texts, lost = _texts_and_lost(column, words, decimal)
    if 0 < lost.sum() < len(lost) / 2:
        other = next(text for text, is_lost in zip(texts, lost, strict=True) if is_lost)
        raise InputError(
            f"{typed}: {quoted(column.name)} holds numbers but for {quoted(other)}; "
            f"with {typed_names('data.na_values', other)} such rows are left out"
        )


def _no_number(column: Column, words: frozenset[str], decimal: str) -> str:
    """Return the first text of a column that is no number; empty if all are numbers, or missing."""
    texts, lost = _texts_and_lost(column, words, decimal)
    return next((text for text, is_lost in zip(texts, lost, strict=True) if is_lost), "")


def _texts_and_lost(
    column: Column, words: frozenset[str], decimal: str
) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the texts of a column that stand for something, and whether each of them is no number."""
    import pyarrow as pa

    if column.texts is None:
        return [], np.zeros(0, np.bool_)
    meant = column.texts.filter(pa.array(~column.are_missing(words)))
    lost = np.isnan(style_of(meant, decimal)[1]) if len(meant) else np.zeros(0, np.bool_)
    return [text.strip() for text in meant.to_pylist()], lost


def _is_truth(column: Column, words: frozenset[str], text: str) -> bool:
    """Return whether a column, in which ``text`` is no number, holds both yes and no, or 1 and 0."""
    if text:
        return Truth.of(column, RoleSettings(missing_words=words)) is not None
    numbers = {each.strip() for each in column.distinct if each.strip() and each.strip() not in words}
    return column.different <= len(words) + 2 and numbers == {"0", "1"}
