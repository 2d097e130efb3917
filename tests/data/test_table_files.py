"""Text files as they stand: separators, quotes, line ends, encodings, rows of other lengths."""

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files import read_table
from micrograde.data.table_files import text as text_files
from micrograde.data.table_files.dialect import Dialect, is_blank

TREES = "height,leaf,species\n" + "".join(
    f"{20 + row * 0.5},{('needle', 'broad')[row % 2]},{('pine', 'oak')[row % 2]}\n" for row in range(40)
)
NO_HEADER = TREES.partition("\n")[2]


def read(
    content: str | bytes, folder: Path, name: str = "table.csv", target: str | None = None, **said: Any
) -> RawTable:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(
        str(path), ReadingOptions(**said), targets=(target,) if target else (), source="data.path=table.csv"
    )


def rows_of(table: RawTable) -> list[list[str | None]]:
    return [list(row) for row in zip(*(column.to_pylist() for column in table.rows.columns), strict=True)]


def refusal(content: str | bytes, folder: Path, name: str = "table.csv", **said: Any) -> str:
    with pytest.raises(InputError) as refused:
        read(content, folder, name, **said)
    line = str(refused.value)
    assert line.isprintable()
    return line


# What csv.writer writes is read back.

values = st.text(st.characters(codec="cp1252", exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["", "1,5", "a;b;c", "x\ny", "\r", '"', 'say ""hi""', " ", "\t", "007", "NA", "1.234,50"]
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    return draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=8))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables(),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_what_csv_writes_reads_back(
    rows: list[list[str]], separator: str, line_end: str, quoting: Any, encoding: str, tmp_path: Path
) -> None:
    rows.append(["x"] * len(rows[0]))  # empty rows at the end are left out
    if any(set(value) & set("\r\n") - set(line_end) for row in rows for value in row):
        quoting = csv.QUOTE_ALL  # the writer does not quote the line ends of other systems
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerow([f"name {place}" for place in range(len(rows[0]))])
    writer.writerows(rows)
    said = {"encoding": "cp1252"} if encoding == "cp1252" else {}
    table = read(text.getvalue().encode(encoding), tmp_path, separator=separator, header=True, **said)
    assert rows_of(table) == [[value or None for value in row] for row in rows]
    for column in table.rows.columns:
        texts = column.chunk(0).dictionary
        assert texts.type == pa.large_string()
        assert column.num_chunks == 1
        # Those that differ, in the order in which they come.
        assert texts.to_pylist() == list(dict.fromkeys(filter(None, column.to_pylist())))


pieces = st.lists(
    st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", "a", "b c", " ", "é", "\x1f"]), max_size=30
)


@settings(max_examples=300, deadline=None)
@given(pieces)
@example(['"', "a", '"', "b c", ",", "\n"])
@example(["a", '"', ",", "b c"])
def test_arrow_and_the_csv_module_agree(pieces: list[str]) -> None:
    """The two ways to read a file are one, quotes and line ends in any place."""
    body = "".join(pieces).encode()
    width = 2
    all_rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    by_csv = [row for row in all_rows if not is_blank(row, Dialect())]
    try:
        columns = text_files._columns_by_arrow(memoryview(body), Dialect(), width)
    except (text_files._NotByArrowError, pa.ArrowInvalid):
        # Then the csv module reads it. Arrow refuses nothing else.
        assert not by_csv or any(len(row) not in (0, width) for row in all_rows)
        return
    found = [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
    assert found == [[value or None for value in row] for row in by_csv]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    separator=st.sampled_from(",;\t|"),
    header=st.booleans(),
    numbers=st.lists(st.floats(-999, 999).map(lambda number: round(number, 2)), min_size=8, max_size=30),
    decimal=st.sampled_from(".,"),
    note=st.sampled_from(
        ["fine", "one; two", "one, two", "red;green;blue", "a|b", "x\ty", 'a "word"', "two\nlines"]
    ),
)
def test_separator_and_header_are_found_out(
    separator: str, header: bool, numbers: list[float], decimal: str, note: str, tmp_path: Path
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    rows = [
        [str(number).replace(".", decimal), ("oak", "pine")[place % 2], note if place % 3 else "", str(place)]
        for place, number in enumerate(numbers)
    ]
    names = ["height", "kind", "note", "n"]
    writer.writerows([names, *rows] if header else rows)
    table = read(text.getvalue(), tmp_path)
    assert table.rows.column_names == (names if header else ["c1", "c2", "c3", "c4"])
    assert ("no header" in table.found) is not header
    assert rows_of(table) == [[value or None for value in row] for row in rows]


def test_a_line_end_of_two_characters_where_a_block_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(text_files, "_BLOCK", 64)
    monkeypatch.setattr(text_files, "_LARGEST_BLOCK", 64)
    for length in range(70):  # the two characters stand in any place of a block
        rows = [["x" * length, "two\r\nlines"], *([str(row), "y\r\nz"] for row in range(20))]
        text = io.StringIO(newline="")
        csv.writer(text).writerows([["a", "b"], *rows])
        assert rows_of(read(text.getvalue(), tmp_path, header=True)) == [[a or None, b] for a, b in rows]


@pytest.mark.parametrize(
    ("content", "names", "found"),
    [
        ("1,2,3\n" + "".join(f"{row}.5,{row * 7 % 5},{'ab'[row % 2]}\n" for row in range(20)), ["1", "2", "3"], ()),
        ("3,1,2\n" + "".join(f"{row}.5,{row * 7 % 5},{'ab'[row % 2]}\n" for row in range(20)), ["3", "1", "2"], ()),
        ("land,2019,2020,2021\n" + "".join(f"{row}x,{row}.5,{row * 3},{row}\n" for row in range(20)), ["land", "2019", "2020", "2021"], ()),
        ("0,1,2,3,4\n" + "".join(f"{row * 3 % 7},{row},{row % 2},{row % 3},0\n" for row in range(20)), ["0", "1", "2", "3", "4"], ()),
        ("".join(f"{row * 3 % 7},{row},{row % 2},{row % 3},0\n" for row in range(20)), ["c1", "c2", "c3", "c4", "c5"], ("no header",)),
        ("".join(f"{'xy'[row % 2]},{'uvw'[row % 3]}\n" for row in range(20)), ["c1", "c2"], ("no header",)),
        ("a,b\n" + "".join(f"{'xy'[row % 2]},{'uvw'[row % 3]}\n" for row in range(20)), ["a", "b"], ()),
        ("".join(f"2024-01-{row:02},{'uvw'[row % 3]}\n" for row in range(10, 30)), ["c1", "c2"], ("no header",)),
        ("day,kind\n" + "".join(f"2024-01-{row:02},{'uvw'[row % 3]}\n" for row in range(10, 30)), ["day", "kind"], ()),
        ("y,850,852,854\n" + "".join(f"{row}.5,{row}.25,{row}.1,{row}.7\n" for row in range(20)), ["y", "850", "852", "854"], ()),
        ("0,1\n" + "".join(f"{row}.25,{row % 2}\n" for row in range(20)), ["0", "1"], ()),
        ("a,b\n1,2\n", ["a", "b"], ()),
        ("a,b\nx,y\n", ["a", "b"], ()),
        ("1.5,2\n", ["c1", "c2"], ("no header",)),
        (TREES * 3, ["height", "leaf", "species"], ()),  # files put together, each with its header
    ],
)  # fmt: skip
def test_the_first_row_is_names_or_data(content, names, found, tmp_path):
    table = read(content, tmp_path)
    assert table.rows.column_names == names
    assert table.found == found
    assert bool(table.notes) is bool(found)  # what was decided is said


def test_a_header_as_it_is_said(tmp_path):
    assert read(NO_HEADER, tmp_path, header=True).rows.column_names == ["20.0", "needle", "pine"]
    assert read(TREES, tmp_path, header=False).rows.num_rows == 41
    assert read("Series 7\n\n" + TREES, tmp_path, header=3).rows.equals(read(TREES, tmp_path).rows)
    assert refusal(TREES, tmp_path, header=400).startswith("data.header=400: there are no names in line 400")
    # The target is a name, whatever the row looks like.
    assert read(NO_HEADER, tmp_path, target="pine").rows.num_rows == 39
    assert read(NO_HEADER, tmp_path, target="c3").found == ("no header",)


@pytest.mark.parametrize("above", ["Series 7\n\n", "Series 7,,\n", "Place,,Result\n"])
def test_a_title_above_the_names_is_a_line_that_says_what_to_type(above, tmp_path):
    line = refusal(above + TREES, tmp_path)
    header = 1 + above.count("\n")
    assert f"set data.header={header} " in line
    assert read(above + TREES, tmp_path, header=header).rows.equals(read(TREES, tmp_path).rows)


@pytest.mark.parametrize(
    ("content", "columns", "note"),
    [
        (TREES.replace("\n", ",,\n"), ["height", "leaf", "species"], "2 empty columns without a name"),
        (TREES.replace("\n", ",\n").replace("species,", "species"), ["height", "leaf", "species"], "an empty column without a name"),
        (TREES.replace("species\n", "species,,\n"), ["height", "leaf", "species"], None),
        (NO_HEADER.replace("\n", ",\n"), ["c1", "c2", "c3"], "an empty column without a name"),
        (TREES.replace("height,leaf", " height , leaf"), ["height", "leaf", "species"], None),
        (TREES.replace("height", ""), ["c1", "leaf", "species"], "a column has no name; it is called 'c1'"),
        (TREES.replace("height,leaf", "c2,"), ["c2", "c2_", "species"], "a column has no name; it is called 'c2_'"),
        (TREES.replace("height,leaf", '"n,m","x\n(cm)"'), ["n,m", "x\n(cm)", "species"], None),
        ("sep=;\n" + TREES.replace(",", ";"), ["height", "leaf", "species"], None),
    ],
)  # fmt: skip
def test_names_and_empty_columns(content, columns, note, tmp_path):
    table = read(content, tmp_path)
    assert table.rows.column_names == columns
    assert table.rows.num_rows == 40
    assert (
        any(note in line for line in table.notes)
        if note
        else not [n for n in table.notes if "header" not in n]
    )


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("x\n1\n2\n\n3\n", [["1"], ["2"], ["3"]]),
        ("x\n1,5\n2,5\n3\n", [["1,5"], ["2,5"], ["3"]]),
        ("text\nhello, world\nfoo\na, b, c\n", [["hello, world"], ["foo"], ["a, b, c"]]),
        ('x\n1\n""\n3\n', [["1"], [None], ["3"]]),
    ],
)
def test_one_column_is_a_table(content, columns, tmp_path):
    assert rows_of(read(content, tmp_path, header=True)) == columns


def test_empty_rows_at_the_end_are_left_out(tmp_path):
    table = read(TREES + ",,\n" * 3, tmp_path)
    assert table.rows.num_rows == 40
    assert table.notes == ("data.path=table.csv: 3 empty rows at the end are left out",)
    assert read(TREES + ",,\n" + NO_HEADER, tmp_path).rows.num_rows == 81  # where their numbers count
    assert "has columns but no rows" in refusal("a,b\n,\n", tmp_path)


def test_rows_that_end_early_are_filled_up_and_said(tmp_path):
    table = read(TREES + "30,needle\n" + NO_HEADER + "\n31\n", tmp_path)
    assert table.rows.num_rows == 82
    assert rows_of(table)[40] == ["30", "needle", None]
    assert rows_of(table)[81] == ["31", None, None]
    assert table.notes == ("data.path=table.csv: rows 41 and 82 end early; what they lack is missing",)
    # Empty values beyond the columns are nothing.
    assert read(TREES + "30,needle,oak,,\n", tmp_path).notes == ()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (TREES + "1,2,3,4\n" + NO_HEADER, "row 41 has 4 values for 3 columns; a value that holds ',' needs quotes"),
        (TREES + "1,2,3,4\n" + NO_HEADER + "1,2,3,4,5\n", "rows 41 and 82 have more values than there are columns, the first 4 values"),
        (TREES + "30,nee\ndle,pine\n", "rows 41 and 42 have 2 and 2 values for 3 columns, as if a line end tore a row in two"),
        (TREES + '30,"needle,pine\n31,needle,oak\n', "row 41 has 2 values for 3 columns, the last of several lines; is a quote not closed"),
        (TREES.replace("height,", "", 1), "the header has 2 names, but the rows have 3 values: a name is missing"),
        (TREES.replace("species\n", "species,more\n"), "the header has 4 names, but the rows have 3 values"),
        (TREES.replace("leaf", "height ", 1), "has more than one column named 'height'"),
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n", "has columns but no rows"),
        (b"a,b\n1,\x00\xff\n", "holds bytes of 0, the first in line 2, so it is no text"),
        (TREES.encode("utf-16-le"), "looks like UTF-16 without its mark; set data.encoding=utf-16-le"),
        (TREES.replace("oak", "ü").encode() + b"1,n,\xfc\n", "is UTF-8 but for the byte 0xFC in line 42"),
        (TREES.replace("oak", "ü").encode("cp850"), "is no UTF-8 text; as Windows-1252, the byte 0x81 in line 3 means nothing"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook of the old kind (.xls)"),
        ('[{"a": 1}]', "is JSON; save it as CSV, Parquet, Feather or Excel (.xlsx)"),
        ("<!DOCTYPE html><p>", "is a web page"),
        (b"$FL2@(#) SPSS", "is an SPSS file"),
        (bz2.compress(b"PAR1"), "holds a table of Parquet, Feather or Excel within an archive"),
        (b"PK\x03\x04 and no more", "is no CSV table: File is not a zip file"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_a_line(content, line, tmp_path):
    assert refusal(content, tmp_path).startswith(f"data.path=table.csv: {line}")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"encoding": "klingon"}, "data.encoding=klingon: is no encoding; give one such as utf-8"),
        ({"encoding": "rot13"}, "data.encoding=rot13: is no encoding"),
        ({"encoding": "\0"}, "data.encoding=?: is no encoding"),
        (
            {"encoding": "ascii"},
            "data.path=table.csv: data.encoding=ascii, the byte 0xC3 in line 3 means nothing",
        ),
        ({"separator": "::"}, "data.separator=::: should be one character"),
        ({"separator": '"'}, 'data.separator=": should be one character'),
        ({"separator": ""}, "data.separator='': should be one character"),
    ],
)
def test_what_is_said_wrong_is_a_line(said, line, tmp_path):
    assert refusal(TREES.replace("oak", "ü"), tmp_path, **said).startswith(line)


@pytest.mark.parametrize(
    ("encoded", "said", "found"),
    [
        ("utf-8", {}, ()),
        ("utf-8-sig", {}, ()),
        ("utf-16", {}, ("encoding UTF-16",)),
        ("utf-32", {}, ("encoding UTF-32",)),
        ("cp1252", {}, ("encoding Windows-1252",)),
        ("utf-16-be", {"encoding": "utf-16-be"}, ("encoding utf-16-be",)),
        ("cp850", {"encoding": "cp850"}, ("encoding cp850",)),
        ("utf-8-sig", {"encoding": "utf8"}, ()),
    ],
)
def test_encodings(encoded, said, found, tmp_path):
    text = TREES.replace("oak", "Eiche, für uns".replace(",", ""))
    table = read(text.encode(encoded), tmp_path, **said)
    assert table.rows.equals(read(text, tmp_path).rows)
    assert table.found == found
    assert bool(table.notes) is (found == ("encoding Windows-1252",))  # which nothing proves


def test_a_character_across_chunks(monkeypatch, tmp_path):
    from micrograde.data.table_files import text_encoding

    text = TREES.replace("oak", "Eiche für €")
    plain = read(text, tmp_path).rows
    for size in range(1, 8):
        monkeypatch.setattr(text_encoding, "_CHUNK", size)
        for encoded in ("utf-8", "utf-16", "cp1252"):
            assert read(text.encode(encoded), tmp_path).rows.equals(plain)


@pytest.mark.parametrize(
    ("spelled", "separator"),
    [(":", ":"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), ("space", " "), ("§", "§"), ("semicolon", ";")],
)
def test_a_separator_as_it_is_said(spelled, separator, tmp_path):
    assert read(TREES.replace(",", separator), tmp_path, separator=spelled).rows.equals(
        read(TREES, tmp_path).rows
    )


MIXED = {
    "in other places": "a\tb kind\n" + "1.5\t2.5 pine\n3.5 4.5\toak\n" * 20,
    "in runs": "a b kind\n" + "1.5\t2.5   pine\n3.5\t4.5   oak\n" * 20,
    "between numbers": "".join(f'1{each}   2.5      3\t"pine tree"\n' for each in range(30)),
    "before a word": "a\tb kind\n" + "1.5\t2.5 pine\n3.5\t4.5 oak\n" * 20,
    "in runs of tabs": "a\tb\tkind\n" + "1.5\t2.5\tpine\n3.5\t\t4.5\t oak \n" * 20,
}


@pytest.mark.parametrize("how", MIXED)
def test_tabs_and_spaces_may_be_mixed(how, tmp_path):
    table = read(MIXED[how], tmp_path)
    assert "separator tabs and spaces" in table.found
    plain = "\n".join(
        re.sub(r"\s+(?=[^\"]*(\"[^\"]*\"[^\"]*)?$)", ",", line.strip()) for line in MIXED[how].splitlines()
    )
    assert table.rows.equals(read(plain, tmp_path).rows)
    assert read(MIXED[how], tmp_path, separator="whitespace").rows.equals(table.rows)


@pytest.mark.parametrize(
    "text",
    [
        "city\tkind\n" + "New York\tpine\nLos Angeles\toak\n" * 20,
        "full name\tkind\n" + "Ada Byron\tpine\nAlan Turing\toak\n" * 20,
        "big price\tkind\n" + "1 234\tpine\n5 678\toak\n" * 20,
        "a\tb\tkind\n" + "1\t2\tpine\n1\t\toak\n" * 20,
        "a\tb\tkind\n" + "1\t2\tpine\t\n" + "1\t\toak\n" + "1\t2\toak\n" * 200,
        "start of it\tkind\n" + "2024-01-01 10:00\tpine\n2024-01-02 11:00\toak\n" * 20,
    ],
)
def test_texts_with_spaces_between_tabs_stay_whole(text, tmp_path):
    assert "separator tab" in read(text, tmp_path).found


def test_spaces_around_and_between_values(tmp_path):
    plain = read(TREES, tmp_path).rows
    assert read(TREES.replace(",", "   "), tmp_path).rows.equals(plain)
    assert rows_of(read("a, b\n" + '1, "x, y"\n' * 9, tmp_path)) == [["1", "x, y"]] * 9
    assert rows_of(read("a, b\n" + "1, x\n" * 9, tmp_path)) == [["1", " x"]] * 9  # as it stands


@pytest.mark.parametrize("name", ["table.csv", "table", "table.csv.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, "zip", "zstd"])
def test_compressed_files_are_known_by_content(name, pack, tmp_path):
    content = TREES.encode()
    if pack == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("trees.csv", content)
            archive.writestr("__MACOSX/._trees.csv", b"\0")  # which macOS adds
        packed = buffer.getvalue()
    else:
        packed = pa.compress(content, "zstd", asbytes=True) if pack == "zstd" else pack(content)
    assert read(packed, tmp_path, name).rows.equals(read(TREES, tmp_path).rows)


def test_a_long_value_and_a_wide_table(tmp_path):
    long = "y\n" * 2**20
    table = read(f'{TREES}1,"{long}",oak\n{NO_HEADER}', tmp_path)
    assert table.rows["leaf"][40].as_py() == long
    names = [f"x{place}" for place in range(5000)]
    wide = read(",".join(names) + "\n" + (",".join(["1.5"] * 5000) + "\n") * 3, tmp_path)
    assert wide.rows.column_names == names
    assert set(rows_of(wide)[2]) == {"1.5"}


def test_what_is_said_in_vain(tmp_path):
    assert read(TREES, tmp_path, sheet="A").notes == (
        "data.path=table.csv: data.sheet=A says nothing of a file of this kind",
    )


@pytest.mark.parametrize(("separator", "shown"), [(",", "','"), (";", "';'"), ("\t", "tab")])
def test_rows_that_stand_in_quotes_as_a_whole_are_a_line(separator, shown, tmp_path):
    rows = [f'"{line}"' for line in TREES.replace(",", separator).splitlines()]
    with pytest.raises(
        InputError, match=f"each row is one value that holds {re.escape(shown)}, as all of it"
    ):
        read("\n".join(rows) + "\n", tmp_path)
    names = read('name\n"Byron, Ada"\n"Turing, Alan"\n"Hopper, Grace"\n', tmp_path)
    assert names.rows.column_names == ["name"]
