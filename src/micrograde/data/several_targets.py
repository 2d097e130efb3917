"""What is to be learned of several columns together: the numbers that they hold, or yes and no of each."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.overrides import list_override, typed_names, typed_text
from micrograde.data.columns import MISSING_WORDS, Column
from micrograde.data.dataset import MULTILABEL, REGRESSION
from micrograde.data.messages import listed, quoted
from micrograde.data.number_texts import style_of
from micrograde.data.roles import RoleSettings
from micrograde.data.roles.truth import Truth
from micrograde.data.targets import Target, read_target


def read_targets(
    columns: Sequence[Column], *, na_values: tuple[str, ...], decimal: str, task: str | None
) -> Target:
    """Return the numbers, or the truths, that several columns hold; a row that lacks one of them has none.

    Parameters
    ----------
    na_values, decimal
        As ``read_target``.
    task
        ``regression`` or ``multilabel``; None for the latter if all columns hold yes or no, or 1 and 0, and
        else for the former.

    Raises
    ------
    InputError
        If a column holds anything but that, or no row has all of them; the message says what to type.
    """
    names = [column.name for column in columns]
    typed = list_override("data.target", names)
    words = MISSING_WORDS | {word.strip() for word in na_values}
    texts = {column.name: _no_number(column, words, decimal) for column in columns}
    truths = [column for column in columns if _is_truth(column, words, texts[column.name])]
    if task == MULTILABEL and len(truths) < len(columns):
        other = next(column.name for column in columns if column not in truths)
        raise InputError(
            f"task={task}: {quoted(other)} does not hold yes and no (or true and false, or 1 and 0), as "
            "labels do; leave it out"
        )
    if task == MULTILABEL or (task is None and len(truths) == len(columns)):
        return _labels(columns, words, texts, typed, said=task is not None)
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


def _labels(
    columns: Sequence[Column], words: frozenset[str], texts: Mapping[str, str], typed: str, *, said: bool
) -> Target:
    """Return what columns of yes and no hold, as 1 and 0."""
    found = np.stack([_truths(column, words, texts[column.name]) for column in columns], axis=1)
    complete = ~np.isnan(found).any(axis=1)
    if not complete.any():
        raise InputError(f"{typed}: no row says yes or no in each of {listed(c.name for c in columns)}")
    notes: tuple[str, ...] = ()
    if not said:
        notes = (f"{typed}: these columns are learned together, each as yes or no (task=multilabel)",)
    return Target(np.where(complete, 0, -1), (), notes, found, are_truths=True)


def _truths(column: Column, words: frozenset[str], text: str) -> NDArray[np.float64]:
    """Return 1 for yes and 0 for no, NaN where neither stands, (n,)."""
    if not text:
        numbers = read_target(
            column, na_values=tuple(words), decimal=".", task=REGRESSION, source=f"data.target={column.name}"
        ).numbers
        assert numbers is not None
        return numbers[:, 0]
    role = Truth.of(column, RoleSettings(missing_words=words))
    assert role is not None
    encoded = role.encode(column)
    truths = np.array(encoded.values[:, 0], np.float64)
    if encoded.missing is not None:
        truths[encoded.missing] = np.nan
    return truths


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
