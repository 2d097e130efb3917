"""Text files that may be compressed, unpacked no further than a data set may be large.

A small file can unpack to any size. So all is read piece by piece, and a text is refused as soon as it, a
line of it, or the values that its separators promise, are larger than they may be (``memory.py``).
"""

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from micrograde.core.errors import InputError
from micrograde.data.memory import check_bytes
from micrograde.data.messages import first_line

LONGEST_HEADER, _LONGEST_LINE = 2**24, 2**26
"""Bytes in which a table's first line must end, 160 for each of as many columns as can be, and others."""
_CHUNK = 2**20
_LONGEST_INDEX = 2**24  # bytes of a zip archive's list of files, of which each takes ten times as much memory


@contextmanager
def open_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive to read; whatever zipfile raises, and ``ValueError`` if its list of files is too long."""
    with _ShortReads(file) as stream, zipfile.ZipFile(stream) as archive:
        yield archive


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A file of an archive, to be read piece by piece.

    Raises
    ------
    ValueError
        It is packed in a way that zipfile unpacks at once, whatever comes out.
    """
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is packed in another way than deflate; pack it again")
    return archive.open(name)


def read_at_most(stream: IO[bytes], limit: int) -> bytearray:
    """Up to ``limit`` bytes, piece by piece: memory goes to what is there, not to what a header claims."""
    content = bytearray()
    while len(content) < limit:
        chunk = stream.read(min(_CHUNK, limit - len(content)))
        if not chunk:
            break
        content += chunk
    return content


class _ShortReads(io.FileIO):
    """A file of which nothing long is read at once; only zipfile's list of files could be."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LONGEST_INDEX:
            raise ValueError("its list of files is too long")
        return super().read(size)


def read_table_text(file: Path, source: str) -> bytearray:
    """The text of a table; ``.gz``, ``.bz2``, ``.xz``, ``.zst`` and ``.zip`` (of one file) are unpacked.

    Raises
    ------
    InputError
        The file is damaged, no such archive, too large when unpacked, or a line of it has no end.
    """
    if re.search(r"\.tar(\.\w+)?$", file.name.lower()):
        raise InputError(f"{source}: is a tar archive; unpack it, or compress the table alone")
    text, values, line, begun = bytearray(), 0, 1, 0
    for chunk in _chunks(file, source):
        text += chunk
        if (end := max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))) >= 0:
            line, begun = line + max(chunk.count(b"\n"), chunk.count(b"\r")), len(text) - len(chunk) + end + 1
        longest = LONGEST_HEADER if line == 1 else _LONGEST_LINE
        if len(text) - begun >= longest:
            raise InputError(
                f"{source}: is no CSV table: its line {line} does not end within {longest >> 20} MiB"
            )
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
        except MemoryError:
            raise
        # Damaged files make zlib, bz2, lzma, zipfile and Arrow raise more kinds of error than they document.
        except Exception as error:
            raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None


def _open_with(opener: Callable[[Path], Any]) -> Callable[[Path, ExitStack], Any]:
    return lambda file, stack: stack.enter_context(opener(file))


def _open_zip(file: Path, stack: ExitStack) -> IO[bytes]:
    archive = stack.enter_context(open_archive(file))
    names = archive.namelist()
    if len(names) != 1:
        raise ValueError(f"the archive holds {len(names)} files; needs one, the table")
    return stack.enter_context(open_member(archive, names[0]))


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
