"""Data that Python gives to ``mg.run``, ``mg.sweep`` and ``mg.fit``, and their place in the project.

What is given first decides: a text is an override, as are all that follow; anything else is data. If the
second is no text either, it holds the labels.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograde.config.keys import key_of
from micrograde.core.errors import InputError
from micrograde.core.overrides import quoted_text
from micrograde.core.terminal import say
from micrograde.data.frames import (
    GivenTable,
    is_data,
    refuse_what_is_no_table,
    table_with_labels,
    table_with_target,
)
from micrograde.data.kept_tables import hold_table, kept_file, write_table
from micrograde.data.messages import listed, shortened
from micrograde.data.plain_columns import table_digest
from micrograde.data.sets.frame import FrameTable
from micrograde.store import StoreLocation
from micrograde.store.path_kinds import check_kinds
from micrograde.store.temporary_folders import temporary_folder

if TYPE_CHECKING:
    import pyarrow

_OF_THE_DATA = ("data", "data.name", "data.digest", "data.target")


@dataclass(frozen=True, eq=False)
class GivenData:
    """A table that was given, and the digest that it is kept under."""

    rows: "pyarrow.Table"
    targets: tuple[str, ...]
    digest: str

    @property
    def overrides(self) -> list[str]:
        """The overrides that choose it."""
        return [
            f"data={FrameTable.name}",
            f"data.digest={self.digest}",
            f"data.target={_as_override(self.targets)}",
        ]

    def keep(self, location: StoreLocation) -> None:
        """Put the table into the project, unless it is there already.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        file = kept_file(location.folder, self.digest)
        check_kinds(location.folder)
        if hold_table(file):
            return
        try:
            with temporary_folder(location.folder) as aside:
                write_table(self.rows, aside / file.name)
                with (aside / file.name).open("rb") as written:
                    os.fsync(written.fileno())
                file.parent.mkdir(exist_ok=True)
                (aside / file.name).replace(file)
                hold_table(file)
        except OSError as error:
            raise InputError(f"{file.parent}: the data cannot be kept there ({error.strerror})") from None


def split_arguments(
    given: Sequence[object], target: object, function: str
) -> tuple[GivenTable | None, list[str], object]:
    """Return the table that was given, if any; the overrides; and the target if there is no table.

    Parameters
    ----------
    function
        What was called, for messages: ``run``.

    Raises
    ------
    InputError
        If something is neither data nor an override, the data cannot be used, or their target is not named.
    """
    if not given or not is_data(given[0]):
        return None, _texts(given, function), target
    first, *rest = given
    refuse_what_is_no_table(first)
    if not rest or isinstance(rest[0], str):
        if target is None:
            raise InputError(_no_target(first, rest, function))
        return table_with_target(first, *names_of(target, function)), _texts(rest, function), None
    if target is not None:
        raise InputError(
            f"target={shortened(target)}: the labels are given, too; give the column or the labels"
        )
    return table_with_labels(first, rest[0]), _texts(rest[1:], function), None


def given_data(table: GivenTable, overrides: Sequence[str]) -> GivenData:
    """Return the table with its digest, and say what was left out of it.

    Raises
    ------
    InputError
        If an override chooses other data.
    """
    for override in overrides:
        if key_of(override) in _OF_THE_DATA:
            raise InputError(f"{shortened(override, 80)}: the data are given in Python; leave it out")
    for note in table.notes:
        say(note, sys.stderr)
    return GivenData(table.rows, table.targets, table_digest(table.rows))


def _as_override(names: Sequence[str]) -> str:
    texts = [quoted_text(name) for name in names]
    return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"


def names_of(target: object, function: str) -> list[str]:
    """Return the names of the columns that are to be learned: one, or those of a list.

    Raises
    ------
    InputError
        If it is no name and no list of different ones.
    """
    names = target if isinstance(target, list | tuple) else [target]
    for name in names:
        if not isinstance(name, str | int | float):
            raise InputError(
                f"target: is a value of type {type(name).__name__}; give the name of a column, "
                f"or the labels themselves: mg.{function}(X, y)"
            )
    texts = [str(name) for name in names]
    if not texts:
        raise InputError("target: is an empty list; give the name of a column, or of several")
    if len(set(texts)) < len(texts):
        raise InputError(f"target: {listed(texts)} names a column twice; name each once")
    return texts


def _no_target(given: object, rest: Sequence[object], function: str) -> str:
    columns = getattr(given, "columns", None)
    names = getattr(given, "column_names", columns)
    word = str(rest[0]) if rest else ""
    if names is None or callable(names):
        return f"y: is missing; give the labels after the features: mg.{function}(X, y)"
    if word and "=" not in word:
        return f"{shortened(word)}: is no override; the column with what is to be learned is target={word!r}"
    return (
        f"target: is missing; it names the column with what is to be learned; the columns are {listed(names)}"
    )


def _texts(given: Sequence[object], function: str) -> list[str]:
    texts = [each for each in given if isinstance(each, str)]
    for each in given:
        if not isinstance(each, str):
            raise InputError(_no_override(each, function))
    return texts


def _no_override(given: object, function: str) -> str:
    """Return the error line for an override that is not text; of an array only the type is named."""
    is_plain = given is None or isinstance(given, int | float | bool)
    what = repr(given) if is_plain else f"a value of type {type(given).__name__}"
    if isinstance(given, list | tuple) and given and all(isinstance(each, str) for each in given):
        each = f"give each override by itself: mg.{function}(*overrides)"
        return f"{what}: should be text such as data=moons; {each}"
    if is_plain:
        return f"{what}: should be text such as data=moons"
    return f"{what}: should be text such as data=moons; data come first: mg.{function}(X, y, ...)"
