"""``RawTable``: the columns of a table as they stand in its file or frame, before any of them has a role."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What a user says of a file, in place of what is found out; None is to be found out.

    Attributes
    ----------
    separator
        The character between the values of a row.
    encoding
        The encoding of a text file.
    na_values
        Texts that stand for a missing value, beside the usual ones.
    header
        Whether the first row holds the names of the columns; without, they are ``c1``, ``c2``, ...
    sheet
        The sheet of a workbook.
    """

    separator: str | None = None
    encoding: str | None = None
    na_values: tuple[str, ...] = ()
    header: bool | None = None
    sheet: str | None = None


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as it stands in its source.

    Attributes
    ----------
    rows
        Columns of large_string (as they stand in the file, without conversion), float64 (NaN where missing),
        int64, uint64 and bool, each in one chunk, named by texts that differ. A text is null where nothing
        stands, or what stands is one of ``MISSING_WORDS`` or ``na_values``.
    words
        For each text column that has such words, how often each stands there; the target's need them, where
        ``NA`` may be a class.
    found
        What was found out about the file, for the paragraph: ``separator ';'``, ``Windows-1252``.
    notes
        Lines about what was dropped, filled or decided in reading.
    first_row
        The number of the first row, as the source counts: 1.
    """

    rows: "pyarrow.Table"
    words: dict[str, dict[str, int]]
    found: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
