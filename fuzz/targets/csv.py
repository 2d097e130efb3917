"""CSV tables, plain and in every compression, also as bombs.

byte 0    the file's ending
byte 1    ``data.missing``
byte 2    whether the rest is the text, to be compressed here, or the file as it is
rest      text or file
"""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fuzz.parts import choose
from fuzz.target import Target
from micrograde.data.missing import MissingRule
from micrograde.data.plain_tables import read_csv

_ENDINGS = (".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".csv.zip", ".csv.tar.gz")
_MISSING: tuple[MissingRule, ...] = ("error", "drop", "mean")
_TEXTS = (
    b"age,colour,member,kind\n30,red,True,cat\n41.5,blue,False,dog\n7,red,False,cat\n",
    b"age,height,colour,kind\n30,1,red,a\n,2,blue,b\n50,,red,a\nnan,4,blue,b\n60,5,blue,b\n",
    b'\xef\xbb\xbf"a ""b""","c\nd",kind\r\n1e308,"x,y",1\r\n-.5,"\xc3\xa9",2\r\n',
    b"x,kind\n123456789012345678901234567890,1\n1,2\n",
    b"a,b,c,d,e,f,g,h,kind\n1,2,3,4,5,6,7,8,0\n8,7,6,5,4,3,2,1,1\n",
)


def _pack(text: bytes, ending: str) -> bytes:
    match ending.rpartition(".")[2]:
        case "gz":
            return gzip.compress(text, 1, mtime=0)
        case "bz2":
            return bz2.compress(text, 1)
        case "xz":
            return lzma.compress(text, preset=0)
        case "zst":
            import pyarrow

            return bytes(pyarrow.compress(text, "zstd", asbytes=True))
        case "zip":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("../../table.csv", text)
            return buffer.getvalue()
    return text


def _read(folder: Path, content: bytes) -> object:
    ending, missing = choose(content, 0, _ENDINGS), choose(content, 1, _MISSING)
    file = content[3:]
    if choose(content, 2, (True, False)):
        file = _pack(file, ending)
    path = folder / f"table{ending}"
    path.write_bytes(file)
    return read_csv(path=str(path), target="kind", missing=missing)


def _seeds() -> list[bytes]:
    seeds = [bytes([0, index % 3, 0]) + text for index, text in enumerate(_TEXTS)]
    for index, ending in enumerate(_ENDINGS[1:], start=1):
        seeds += [
            bytes([index, 1, packed]) + (_TEXTS[1], _pack(_TEXTS[1], ending))[packed] for packed in (0, 1)
        ]
    return seeds


def _bombs() -> Iterator[bytes]:
    letters = b"x,kind\n" + b"x" * (2**25 + 2**20)
    for index, ending in enumerate(_ENDINGS):
        yield bytes([index, 0, 1]) + _pack(letters, ending)
    names = b",".join(b"c%d" % index for index in range(2**20)) + b",kind\n"
    several = range(100_000)
    for text in (
        b"x,kind\n" + b"," * 2**24,
        b"x,kind\n" + b"1,2\n" * 2**22,
        b"x,kind\n%s,1\n" % (b"y" * 2**24),
        b"x,kind\n1,%s\n2,b" % (b"z" * 2**24),
        b"x,kind\n" + b"".join(b"c%d,%d\n" % (index, index % 2) for index in several),
        b"x,kind\n" + b"".join(b"%d,c%d\n" % (index, index) for index in several),
        names + b"1\n2\n",
        names[: names.index(b",c5000,")] + b",kind\n" + b"1\n2\n" * 10_000,
    ):
        yield b"\0\0\1" + text


CSV = Target(
    "csv",
    _read,
    _seeds,
    _bombs,
    words=(b"kind", b'"', b'""', b"\r\n", b"NA", b"nan", b"inf", b"True", b"1e999", b"\0", b"\xef\xbb\xbf"),
)
