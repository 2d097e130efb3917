"""Tables in files of any kind, as they stand there. A kind of file is a file of this folder."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from micrograde.core.errors import InputError
from micrograde.data.files import existing_file
from micrograde.data.memory import give_back_unused, within_memory
from micrograde.data.messages import first_line
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files.excel import read_excel_table
from micrograde.data.table_files.feather import read_feather_table
from micrograde.data.table_files.parquet import read_parquet_table
from micrograde.data.table_files.text import read_text
from micrograde.data.unpacking import open_archive

FormatName = Literal["csv", "parquet", "feather", "excel"]

_BEGINNING = 512
_READABLE = "save it as CSV, Parquet, Feather or Excel (.xlsx)"


@dataclass(frozen=True)
class _Format:
    """A kind of file.

    Attributes
    ----------
    read
        Its reader.
    options
        The options that say something of it.
    """

    read: Callable[[Path, ReadingOptions, tuple[str, ...], str], RawTable]
    options: frozenset[str] = frozenset()


_FORMATS: dict[FormatName, _Format] = {
    "csv": _Format(read_text, frozenset(("separator", "encoding", "header"))),
    "parquet": _Format(read_parquet_table),
    "feather": _Format(read_feather_table),
    "excel": _Format(read_excel_table, frozenset(("header", "sheet"))),
}

_OTHERS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind (.xls), or one with a password"),
    (b"FEA1", "a Feather file of version 1, which Arrow reads no longer"),
    (b"\xff\xff\xff\xff", "a stream of Arrow (.arrows)"),
    (b"$FL2", "an SPSS file (.sav)"),
    (b"$FL3", "an SPSS file (.sav)"),
    (b"<stata_dta>", "a Stata file (.dta)"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "a SAS file (.sas7bdat)"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"\x93NUMPY", "a NumPy array (.npy; .npz is read by data=npz)"),
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "a text of a word processor"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"version https://git-lfs", "a pointer of Git LFS; run git lfs pull, or"),
)
_OTHER_TEXTS = (
    (b"<!doctype html", "a web page, not the table itself"),
    (b"<html", "a web page, not the table itself"),
    (b"<?xml", "XML"),
    (b"@relation", "an ARFF file"),
    (b'{"', "JSON"),
    (b"[{", "JSON"),
)


def read_table(path: str, options: ReadingOptions, *, targets: tuple[str, ...], source: str) -> RawTable:
    """Return the table in the file ``path`` as it stands there; its kind is known by its content.

    Parameters
    ----------
    path
        A text file (CSV or alike, plain or compressed), Parquet, Feather, or Excel's ``.xlsx``.
    options
        What is said of the file; the rest is found out.
    targets
        Columns that it should have, if any are known: if the first row of a file names one, it is the header.
    source
        What messages start with, such as ``data.path=table.csv``.

    Raises
    ------
    InputError
        If it is none of these, damaged, too large, or its rows and columns do not fit each other.
    """
    file = existing_file(path, source.partition("=")[0])
    with within_memory(source):
        name = table_format(file, source)
        form = _FORMATS[name]
        table = form.read(file, options, targets, source)
    give_back_unused()
    unused = [
        f"{source}: data.{key}={getattr(options, key)} says nothing of a file of this kind"
        for key in ("separator", "encoding", "header", "sheet")
        if getattr(options, key) is not None and key not in form.options
    ]
    return RawTable(table.rows, table.found, (*unused, *table.notes))


def table_format(file: Path, source: str) -> FormatName:
    """Return the kind of a table by the file's content.

    Raises
    ------
    InputError
        If it is a known kind that cannot be read; the message says what can.
    """
    try:
        with file.open("rb") as stream:
            beginning = stream.read(_BEGINNING)
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({first_line(error)})") from None
    if beginning.startswith(b"PAR1"):
        return "parquet"
    if beginning.startswith(b"ARROW1"):
        return "feather"
    if beginning.startswith(b"PK"):
        return _of_archive(file, source)
    for magic, what in _OTHERS:
        if beginning.startswith(magic):
            raise InputError(f"{source}: is {what}; {_READABLE}")
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, what in _OTHER_TEXTS:
        if text.startswith(start):
            raise InputError(f"{source}: is {what}; {_READABLE}")
    return "csv"


def _of_archive(file: Path, source: str) -> FormatName:
    try:
        with open_archive(file) as archive:
            names = archive.namelist()
    except (OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zipfile.BadZipFile):
        return "csv"  # whose reader says what is wrong with the archive
    if "xl/workbook.xml" in names:
        return "excel"
    if "xl/workbook.bin" in names:
        raise InputError(f"{source}: is a binary Excel workbook (.xlsb); {_READABLE}")
    if "content.xml" in names:
        raise InputError(f"{source}: is an OpenDocument file (.ods); {_READABLE}")
    if names and all(name.endswith(".npy") for name in names) and file.suffix.lower() != ".zip":
        raise InputError(f"{source}: holds NumPy arrays; data=npz reads them")
    return "csv"
