"""``RawTable``: the columns of a table as they stand in its file or frame, before any of them has a role."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas
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
    header
        Whether the first row holds the names of the columns, or the number of the line (of a workbook, the
        row) that does; those above are left out. Without names, columns are ``c1``, ``c2``, ...
    sheet
        The sheet of a workbook.
    """

    separator: str | None = None
    encoding: str | None = None
    header: bool | int | None = None
    sheet: str | None = None


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as it stands in its source.

    Attributes
    ----------
    rows
        Columns of large_string or of a dictionary of those that differ, in the order in which they come (of a
        text file all of them, each value as it stands, quotes resolved),
        float64 (NaN where missing), int64, uint64 and bool; dates of typed sources are texts
        (``dates.dates_as_text``). Each column is one chunk, and null where nothing stands. Names differ, and
        none is empty.
    found
        What was found out about the file, for the paragraph about the table: ``separator ';'``,
        ``encoding Windows-1252``, ``no header``.
    notes
        Lines about what was dropped or decided in reading, which start with the source.
    """

    rows: "pyarrow.Table"
    found: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> "pyarrow.Array":
        """Return a column."""
        return self.rows[name].chunk(0)

    def as_frame(self) -> "pandas.DataFrame":
        """Return the rows as a data frame, with a text for each row instead of dictionaries."""
        import pyarrow as pa

        columns = [
            each.cast(each.type.value_type) if pa.types.is_dictionary(each.type) else each
            for each in self.rows.columns
        ]
        frame: pandas.DataFrame = pa.table(columns, self.rows.column_names).to_pandas()
        return frame
