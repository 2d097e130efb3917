"""Tables in files of any kind, as they stand there.

byte 0    the options: separator, encoding, header
byte 1    whether the rest is the file, or the sheet of a workbook that is made here
rest      file or sheet
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.parts import choose
from fuzz.target import FindingError, Target
from micrograde.data.memory import most_bytes
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files import read_table

_OPTIONS = (
    ReadingOptions(),
    ReadingOptions(separator=";", header=True),
    ReadingOptions(separator=" ", header=False),
    ReadingOptions(encoding="utf-16", header=2),
    ReadingOptions(encoding="shift_jis", separator="tab"),
)
_TYPES = ("large_string", "double", "int64", "uint64", "bool", "dictionary<values=large_string")
_LONGEST_NOTE = 600  # characters

_TEXTS = (
    b"age,colour,kind\n30,red,cat\n41.5,blue,dog\n7,red,cat\n",
    b"age;height;kind\r\n30,5;1.000;a\r\n;2;b\r\n50;;a\r\n",
    b'\xef\xbb\xbf"a ""b""","c\nd",kind\r1e308,"x,y",1\r-.5,"\xc3\xa9",2\r',
    b"30.5\tred\tcat\n41.5\tblue\tdog\n7\tred\tcat\n",
    b"Series 7\n\n1,2,,\n3,4,,\n5,6\n",
    b"sep=|\na|b\n\xfc|2\n3\n",
    "x,kind\n1,ä\n2,b\n".encode("utf-16"),
)
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.sheet.main+xml"/></Types>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="r1" Target="worksheets/sheet1.xml" Type="http://schemas.'
    'openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>',
}
_SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c><c r="B1" t="str"><v>kind</v></c></row>'
    b'<row r="2"><c r="A2"><v>1.5</v></c><c r="B2" t="b"><v>1</v></c></row>'
    b'<row r="4"><c r="A4" t="e"><v>#N/A</v></c><c r="C4"><f>A1</f></c></row></sheetData></worksheet>'
)


def _workbook(sheet: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return buffer.getvalue()


def _read(folder: Path, content: bytes) -> object:
    path = folder / "table"
    path.write_bytes(_workbook(content[2:]) if choose(content, 1, (False, True)) else content[2:])
    source = f"data.path={path}"
    return read_table(str(path), choose(content, 0, _OPTIONS), targets=("kind",), source=source)


def _check(table: Any) -> None:
    if not isinstance(table, RawTable):
        raise FindingError(f"no RawTable but {type(table)}")
    rows, names = table.rows, table.rows.column_names
    lines = [*table.found, *table.notes]
    holds = {
        "types": all(str(kind).startswith(_TYPES) for kind in rows.schema.types),
        "chunks": all(column.num_chunks == 1 for column in rows.columns),
        "size": 8 * rows.num_rows * rows.num_columns <= most_bytes() and rows.num_rows > 0 < rows.num_columns,
        "names": len(set(names)) == len(names) and all(name and name == name.strip() for name in names),
        "lines": all(line.isprintable() and len(line) <= _LONGEST_NOTE for line in lines),
    }
    if wrong := [name for name, is_so in holds.items() if not is_so]:
        raise FindingError(f"a table with wrong {wrong}")
    rows.validate(full=True)


def _feather(columns: dict[str, Any], **options: Any) -> bytes:
    import pyarrow
    import pyarrow.feather

    buffer = io.BytesIO()
    pyarrow.feather.write_feather(pyarrow.table(columns), buffer, **options)
    return buffer.getvalue()


def _parquet(columns: dict[str, Any]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _seeds() -> list[bytes]:
    columns: dict[str, Any] = {"x": [1.5, 2.0, None], "s": ["u", "", "v"], "l": [[1], [2], []], "": [1, 2, 3]}
    files = [_feather(columns), _feather(columns, compression="uncompressed"), _parquet(columns)]
    seeds = [b"\0\0" + content for content in (*_TEXTS, *files)]
    seeds += [bytes([option, 0]) + _TEXTS[option] for option in range(1, len(_OPTIONS))]
    return [*seeds, b"\0\1" + _SHEET]


def _bombs() -> Iterator[bytes]:
    names = b",".join(b"c%d" % index for index in range(2**14)) + b",kind\n"
    for text in (
        b"x;kind\n" + b";" * 2**24,
        b"x,kind\n" + b"1,2\n" * 2**22,
        b'x,kind\n1,"' + b"\n" * 2**20,
        b'x,kind\n1,"%s' % (b'"",' * 2**20),
        names + (b"1," * 2**14 + b"2\n") * 3 + b"1\n" * 2**14,
        b"," * 2**22,
        b"\n" * 2**24,
        b"x,kind\n1," + b"1" * 2**20 + b" " * 2**20 + b"x,\n",
    ):
        yield b"\0\0" + text
    yield b"\0\0" + _feather({"x": np.zeros(2**23)}, compression="zstd", chunksize=2**23)
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    yield b"\0\1" + _SHEET.replace(b"</sheetData>", far + b"</sheetData>")
    yield b"\0\1" + _SHEET.replace(
        b"</sheetData>", b'<row><c r="XFD1"><v>1</v></c></row>' * 2**14 + b"</sheetData>"
    )
    entities = b"".join(
        b'<!ENTITY e%d "%s">' % (place, b"&e%d;" % (place - 1) * 10) for place in range(1, 12)
    )
    yield b"\0\1<!DOCTYPE x [<!ENTITY e0 'ha'>" + entities + b"]>" + _SHEET.replace(b">x<", b">&e11;<")


TABLE = Target(
    "table",
    _read,
    _seeds,
    _bombs,
    words=(b"kind", b'"', b'""', b"\r\n", b";", b"\t", b"|", b', "', b"sep=", b"\xff\xfe", b"<c r=", b"<f>"),
    check=_check,
)
