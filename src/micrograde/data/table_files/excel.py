"""Excel workbooks (``.xlsx``), through openpyxl, which is installed by an extra."""

import datetime
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micrograde.core.errors import InputError
from micrograde.core.project import pip_install
from micrograde.data.memory import check_bytes, check_size
from micrograde.data.messages import first_line, listed, quoted, shortened
from micrograde.data.plain_columns import plain_column
from micrograde.data.plain_tables import check_names
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files.header import (
    MOST_ROWS,
    NO_HEADER,
    are_named,
    given_names,
    has_names,
    made_names,
    names_note,
    no_header_note,
    row_of_names,
)
from micrograde.data.unpacking import open_archive, open_member, read_at_most

_MOST_ROWS = 2**20  # of a sheet, by Excel; a file may claim more
_OBJECTS = 4  # times a sheet's size that Python takes for its values
_CHUNK = 2**20
_EXACT = 2**53
_ERRORS = frozenset(("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"))

_Cells = list[Any]


def read_excel_table(file: Path, options: ReadingOptions, targets: tuple[str, ...], source: str) -> RawTable:
    """Read a sheet of a workbook: the first, or the one that is said; see ``read_table``."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise InputError(
            f"{source}: is an Excel workbook, for which openpyxl is not installed; {pip_install('excel')}, "
            "or save it as CSV"
        ) from None
    try:
        _check_archive(file, source)
        sheet = _read_sheet(file, options.sheet, source)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # openpyxl does not document which errors it raises
        raise InputError(f"{source}: cannot be read as an Excel workbook: {first_line(error)}") from None
    if not sheet.rows:
        raise InputError(f"{source}: sheet {quoted(sheet.name)} is empty{sheet.other_sheets}")
    place = _place_of_body(sheet, options.header, targets, source)
    if place == len(sheet.rows):
        raise InputError(f"{source}: sheet {quoted(sheet.name)} has columns but no rows{sheet.other_sheets}")
    notes = []
    if options.sheet is None and sheet.others:
        notes.append(f"{source}: sheet {quoted(sheet.name)}, the first, is read{sheet.other_sheets}")
    if place:
        header, *body = _without_edges(sheet.rows[place - 1 :])
        named = given_names([_as_text(cell) for cell in header])
        if named.made:
            notes.append(names_note(source, named.made))
    else:
        body = _without_edges(sheet.rows)
        named = made_names(len(body[0]))
        if options.header is None:
            notes.append(no_header_note(source))
    check_names(named.names, source)
    notes += _notes_on_cells(file, sheet.name, body, named.names, sheet.numbers[place:], source)
    return _table(body, named.names, source, [] if place else [NO_HEADER], notes)


@dataclass(frozen=True)
class _Sheet:
    """A sheet: its rows that are not empty, all of one length, and their numbers, as Excel shows them.

    Attributes
    ----------
    others
        The names of the workbook's other sheets.
    """

    name: str
    others: list[str]
    numbers: list[int]
    rows: list[_Cells]

    @property
    def other_sheets(self) -> str:
        """The end of a line that offers the others."""
        return f"; data.sheet names another: {listed(self.others)}" if self.others else ""


def _check_archive(file: Path, source: str) -> None:
    """Refuse a workbook that unpacks to more than may be read."""
    with open_archive(file) as archive:
        infos = archive.infolist()
        check_bytes(source, _OBJECTS * sum(info.file_size for info in infos), "the workbook, unpacked,")
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
            raise ValueError("it is packed in another way than deflate; save it again")


def _read_sheet(file: Path, said: str | None, source: str) -> _Sheet:
    with _open(file, formulas=False) as book:
        names = [sheet.title for sheet in book.worksheets]
        if not names:
            raise InputError(f"{source}: has no sheet with cells")
        visible = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
        name = _chosen_sheet(names, said, source) if said is not None else (visible or names)[0]
        numbers, rows, width = list[int](), list[_Cells](), 0
        for number, cells in enumerate(_rows_of(book, name), start=1):
            if cells and any(cell is not None for cell in cells):
                numbers.append(number)
                rows.append(list(cells))
                width = max(width, len(cells))
                check_size(source, len(rows), width)
    for row in rows:
        row += [None] * (width - len(row))
    return _Sheet(name, [each for each in visible if each != name], numbers, rows)


@contextmanager
def _open(file: Path, *, formulas: bool) -> Iterator[Any]:
    import openpyxl

    with file.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles that it does not know, and of dates that cannot be
        # As a stream, because openpyxl goes by the ending of a path.
        book = openpyxl.load_workbook(stream, read_only=True, data_only=not formulas, keep_links=False)
        try:
            yield book
        finally:
            book.close()


def _rows_of(book: Any, name: str) -> Iterator[Sequence[Any]]:
    sheet = book[name]
    sheet.reset_dimensions()  # what other programs write of them is not always so
    yield from sheet.iter_rows(values_only=True, max_row=_MOST_ROWS)


def _chosen_sheet(names: Sequence[str], said: str, source: str) -> str:
    if said in names:
        return said
    alike = [name for name in names if name.strip().casefold() == said.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    if said.isdecimal() and 1 <= int(said) <= len(names):
        return names[int(said) - 1]
    raise InputError(
        f"data.sheet={shortened(said)}: there is no such sheet in {source}; there are {listed(names)}"
    )


def _without_edges(rows: Sequence[_Cells]) -> list[_Cells]:
    """Return rows without the empty columns before and behind the table."""
    columns = [place for place in range(len(rows[0])) if any(row[place] is not None for row in rows)]
    return [row[columns[0] : columns[-1] + 1] for row in rows]


def _place_of_body(sheet: _Sheet, header: int | None, targets: tuple[str, ...], source: str) -> int:
    """Return the place of the first row behind the header, or 0 if there is none."""
    if header == 1:
        return 1
    if header is not None and header > 1:
        if header in sheet.numbers:
            return sheet.numbers.index(header) + 1
        raise InputError(
            f"data.header={header}: there are no names in row {header}; give the row that holds "
            "the names of the columns, true for the first, or false if none does"
        )
    if header is not None:
        return 0
    texts = [[_as_text(cell) for cell in row] for row in _without_edges(sheet.rows[:MOST_ROWS])]
    if are_named(targets, texts[0]):
        return 1
    place = row_of_names(texts)
    if place is not None:
        raise InputError(
            f"{source}: the names of the columns seem to stand in row {sheet.numbers[place]} of sheet "
            f"{quoted(sheet.name)}; set data.header={sheet.numbers[place]} (the rows above are left out), "
            f"or data.header=true if they stand in the first{sheet.other_sheets}"
        )
    return int(has_names(texts[0], texts[1:]))


def _as_text(cell: Any) -> str:
    """Return a cell as a CSV file has it: whole numbers without a point, dates without a time of midnight."""
    if cell is None or (isinstance(cell, str) and cell in _ERRORS):
        return ""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        whole = cell.time() == datetime.time()
        return cell.date().isoformat() if whole else cell.isoformat(" ", "auto")
    return str(cell)


def _notes_on_cells(
    file: Path, sheet: str, body: Sequence[_Cells], names: Sequence[str], numbers: Sequence[int], source: str
) -> list[str]:
    """Return the lines about errors of Excel, and about formulas without a stored value."""
    notes = []
    errors = Counter[str]()
    empty = False
    for row in body:
        for name, cell in zip(names, row, strict=True):
            if isinstance(cell, str) and cell in _ERRORS:
                errors[name] += 1
            empty = empty or cell is None
    if errors:
        where = ", ".join(f"{quoted(name)} ({count})" for name, count in list(errors.items())[:5])
        notes.append(f"{source}: errors of Excel, such as #N/A, are missing values, in {where}")
    if empty and _has_formulas(file):
        count = _formulas_without_value(file, sheet, body, numbers)
        if count:
            formulas = "a formula has" if count == 1 else f"{count} formulas have"
            are = "is a missing value" if count == 1 else "are missing values"
            notes.append(
                f"{source}: {formulas} no stored value and {are}; to have them, save the file in Excel"
            )
    return notes


def _has_formulas(file: Path) -> bool:
    """Return whether any sheet holds a formula; much faster than reading its cells again."""
    with open_archive(file) as archive:
        for name in archive.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                continue
            with open_member(archive, name) as stream:
                before = b""
                while chunk := read_at_most(stream, _CHUNK):
                    if re.search(rb"<(\w+:)?f[ >]", before + chunk):
                        return True
                    before = bytes(chunk[-16:])
    return False


def _formulas_without_value(file: Path, sheet: str, body: Sequence[_Cells], numbers: Sequence[int]) -> int:
    lacking = {number: sum(cell is None for cell in row) for number, row in zip(numbers, body, strict=True)}
    count = 0
    with _open(file, formulas=True) as book:
        for number, row in enumerate(_rows_of(book, sheet), start=1):
            if row and lacking.get(number):
                # Here a cell is its formula, so that only what is really empty is None.
                count += lacking[number] - (len(body[0]) - sum(cell is not None for cell in row))
    return max(count, 0)


def _table(
    body: Sequence[_Cells], names: Sequence[str], source: str, found: list[str], notes: list[str]
) -> RawTable:
    import pyarrow as pa

    columns = {
        name: plain_column(_as_arrow([row[place] for row in body]), name, source)
        for place, name in enumerate(names)
    }
    return RawTable(pa.table(columns), tuple(found), tuple(notes))


def _as_arrow(cells: _Cells) -> Any:
    """Return the cells of a column; of several kinds, or of a kind without a plain type, as texts."""
    import pyarrow as pa

    cells = [None if isinstance(cell, str) and (cell in _ERRORS or not cell) else cell for cell in cells]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float}:
        whole = all(cell is None or (float(cell).is_integer() and abs(cell) < _EXACT) for cell in cells)
        if kinds and whole:
            column = pa.array([None if cell is None else int(cell) for cell in cells], pa.int64())
        else:
            column = pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    elif kinds == {bool}:
        column = pa.array(cells, pa.bool_())
    elif kinds == {datetime.datetime}:
        column = pa.array(cells, pa.timestamp("us"))
    else:
        column = pa.array([None if cell is None else _as_text(cell) for cell in cells], pa.large_string())
    return pa.chunked_array([column])
