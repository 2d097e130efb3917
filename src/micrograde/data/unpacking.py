"""Text files that may be compressed, unpacked no further than a data set may be large.

A small file can unpack to any size. So the text is read piece by piece, and refused as soon as it, or the
values that its separators promise, would break the rule of ``memory.py``.
"""

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from micrograde.data.memory import check_bytes
from micrograde.data.messages import first_line
from micrograde.errors import InputError

_CHUNK = 1 << 20


def read_table_text(file: Path, source: str) -> bytearray:
    """The text of a table; ``.gz``, ``.bz2``, ``.xz``, ``.zst`` and ``.zip`` (of one file) are unpacked.

    Raises
    ------
    InputError
        The file is damaged, no such archive, or too large when unpacked.
    """
    if re.search(r"\.tar(\.\w+)?$", file.name.lower()):
        raise InputError(f"{source}: is a tar archive; unpack it, or compress the table alone")
    text, values = bytearray(), 0
    for chunk in _chunks(file, source):
        text += chunk
        # What is to be parsed takes as many numbers as there are separators, however short the text is.
        values += chunk.count(b",") + max(chunk.count(b"\n"), chunk.count(b"\r"))
        check_bytes(source, max(len(text), 8 * values), "the table")
    return text


def _chunks(file: Path, source: str) -> Iterator[bytes]:
    with ExitStack() as stack:
        try:
            stream = _OPENERS.get(file.suffix.lower(), _open_with(io.FileIO))(file, stack)
            while chunk := stream.read(_CHUNK):
                yield chunk
        # Damaged files make zlib, bz2, lzma, zipfile and Arrow raise more kinds of error than they document.
        except Exception as error:
            raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None


def _open_with(opener: Callable[[Path], Any]) -> Callable[[Path, ExitStack], Any]:
    return lambda file, stack: stack.enter_context(opener(file))


def _open_zip(file: Path, stack: ExitStack) -> IO[bytes]:
    archive = stack.enter_context(zipfile.ZipFile(file))
    names = archive.namelist()
    if len(names) != 1:
        raise ValueError(f"the archive holds {len(names)} files; needs one, the table")
    return stack.enter_context(archive.open(names[0]))


def _open_zstd(file: Path, stack: ExitStack) -> Any:
    import pyarrow

    return stack.enter_context(pyarrow.CompressedInputStream(str(file), "zstd"))


_OPENERS: Mapping[str, Callable[[Path, ExitStack], Any]] = {
    ".gz": _open_with(gzip.GzipFile),
    ".bz2": _open_with(bz2.BZ2File),
    ".xz": _open_with(lzma.LZMAFile),
    ".zst": _open_zstd,
    ".zip": _open_zip,
}
