"""Keep what pandas' readers would lose of a table: classes and integers that merge, words read as missing.

A reader parses ``7`` and ``07``, or ``1e5`` and ``100000``, to the same number, though in a column of classes
they are two classes. It reads ``NA`` and ``None`` as missing, though they may be a country or an answer. And
features are float64, which cannot represent every integer beyond 2**53.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograde.data.messages import counted, listed, quoted, shortened

if TYPE_CHECKING:
    import pandas

_EXACT = 2.0**53  # float64 represents every integer below this
_LEADING_ZERO = r"[+-]?0\d+"
_INTEGER = r"[+-]?\d+"


def labels_as_written(
    column: "pandas.Series[Any]", read_texts: "Callable[[], pandas.Series[str]]", source: str, *, words: bool
) -> "tuple[pandas.Series[Any], list[str]]":
    """Return a column of classes as the reader parsed it, or as texts if parsing lost a class; and notes.

    Parameters
    ----------
    column
        The parsed column: numbers, booleans or texts; missing where the file has nothing, or a word such as
        ``NA``.
    read_texts
        A function that reads the column as the texts in the file; called only if they can matter.
    source
        The config key and its value, with which the notes start.
    words
        Whether words such as ``NA`` are classes if the other classes are words; if False they are missing.
    """
    from pandas.api import types

    if column.dtype.kind in "iuf":
        return _numbers_as_written(column, read_texts, source)
    absent = column.isna()
    if not words or not absent.any() or types.infer_dtype(column, skipna=True) != "string":
        return column, []
    texts = read_texts()
    taken = texts[absent & (texts != "")].value_counts().sort_index()
    if taken.empty:
        return column, []
    named = counted((str(word), int(count)) for word, count in taken.items())
    are = "is a class" if len(taken) == 1 else "are classes"
    note = f"{source}: {named} {are}; with data.missing=drop such rows are left out as missing"
    return texts.where(texts != ""), [note]


def _numbers_as_written(
    column: "pandas.Series[Any]", read_texts: "Callable[[], pandas.Series[str]]", source: str
) -> "tuple[pandas.Series[Any], list[str]]":
    there = column.notna()
    values = column[there]
    finite = bool(np.isfinite(values).all())
    if values.empty or not finite or not bool((values == np.floor(values)).all()):
        return column, []  # continuous values are not classes
    texts = read_texts()
    written = texts[there].str.strip()
    distinct = written.unique()
    rounded = column.dtype.kind == "f" and bool((values.abs() >= _EXACT).any())
    if len(distinct) > values.nunique():
        first, second = _merging_texts(written, values)
        both = f"{quoted(first)} and {quoted(second)} would be the same number"
        note = f"{source}: classes are taken as text, because {both}"
    elif any(re.fullmatch(_LEADING_ZERO, text) for text in distinct):
        note = f"{source}: classes are taken as text, because of leading zeros"
    elif rounded and all(re.fullmatch(_INTEGER, text) for text in distinct):
        return texts.where(there), []  # if one is missing, the reader parses integers as floats
    else:
        return column, []
    return texts.where(there), [note]


def _merging_texts(texts: "pandas.Series[str]", values: "pandas.Series[Any]") -> tuple[str, str]:
    """Return two texts that were parsed to the same number."""
    pairs = dict(zip(texts, values, strict=True))
    seen: dict[Any, str] = {}
    for text, value in pairs.items():
        if value in seen:
            return seen[value], text
        seen[value] = text
    raise AssertionError("no two texts are the same number")


def alike_classes(names: Sequence[str], source: str) -> list[str]:
    """Return a note if two classes look alike: they differ in capitals, spaces or how Unicode writes them."""
    seen: dict[str, str] = {}
    for name in names:
        plain = " ".join(unicodedata.normalize("NFKC", name).split())
        if plain in seen:
            both = f"{shortened(ascii(seen[plain]))} and {shortened(ascii(name))}"
            why = "which differ in spaces or in how Unicode writes the same characters"
            return [f"{source}: {both} are two classes, {why}"]
        seen[plain] = name
    small: dict[str, str] = {}
    for plain, name in seen.items():
        other = small.setdefault(plain.casefold(), name)
        if other != name:
            both = f"{quoted(other)} and {quoted(name)}"
            return [f"{source}: {both} are two classes, which differ in capitals"]
    return []


def merged_integers(name: str, integers: Sequence[int], source: str) -> list[str]:
    """Return a note if distinct integers of a feature become the same number in float64."""
    large = {value for value in integers if abs(value) >= _EXACT}
    by_float: dict[float, int] = {}
    for value in sorted(large):
        other = by_float.setdefault(float(value), value)
        if other != value:
            merged = f"{listed([other, value])} become the same number"
            why = "integers beyond 2**53, not all of which float64 can represent"
            return [f"{source}: column {quoted(name)} holds {why}: {merged}"]
    return []
