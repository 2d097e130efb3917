"""Reading of text files that may be compressed, up to the limit on a data set's size.

A small file can unpack to any size. So files are read in chunks, and a text is refused as soon as the text,
one of its lines, or the values that its separators announce exceed their limits (``memory.py``).
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
"""The most bytes of a table's header line, 160 for each of 100,000 columns, and of any other line."""
_CHUNK = 2**20
_BEGINNING = 2**12
_LONGEST_INDEX = 2**24  # bytes of a zip archive's list of files, which takes ten times as much memory


@contextmanager
def open_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive; raises zipfile's errors, and ``ValueError`` if its list of files is too long."""
    with _ShortReads(file) as stream, zipfile.ZipFile(stream) as archive:
        yield archive


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a file of an archive, to be read in chunks.

    Raises
    ------
    ValueError
        If it is compressed by a method of which zipfile does not bound the unpacked chunks.
    """
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is packed in another way than deflate; pack it again")
    return archive.open(name)


def read_at_most(stream: IO[bytes], limit: int) -> bytearray:
    """Read up to ``limit`` bytes in chunks, so that memory grows with the bytes that are really there."""
    content = bytearray()
    while len(content) < limit:
        chunk = stream.read(min(_CHUNK, limit - len(content)))
        if not chunk:
            break
        content += chunk
    return content


class _ShortReads(io.FileIO):
    """A file that refuses long reads; the only long one by zipfile is that of the list of files."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LONGEST_INDEX:
            raise ValueError("its list of files is too long")
        return super().read(size)


def read_table_text(
    file: Path, source: str, separators: bytes = b",", *, by_content: bool = False
) -> bytearray:
    """Read the text of a table, unpacking ``.gz``, ``.bz2``, ``.xz``, ``.zst`` and ``.zip`` (of one file).

    Parameters
    ----------
    file
        The file.
    source
        What error messages start with.
    separators
        What may stand between the values of a row; each announces a value.
    by_content
        Whether a file is known to be compressed by its first bytes; else by its name's ending alone.

    Raises
    ------
    InputError
        If the file is damaged, not such an archive, too large when unpacked, or a line is too long.
    """
    if re.search(r"\.tar(\.\w+)?$", file.name.lower()):
        raise InputError(f"{source}: is a tar archive; unpack it, or compress the table alone")
    text, values, line, begun = bytearray(), 0, 1, 0
    for chunk in _chunks(file, source, by_content):
        text += chunk
        if (end := max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))) >= 0:
            line, begun = line + max(chunk.count(b"\n"), chunk.count(b"\r")), len(text) - len(chunk) + end + 1
        longest = LONGEST_HEADER if line == 1 else _LONGEST_LINE
        if len(text) - begun >= longest:
            raise InputError(
                f"{source}: is no CSV table: its line {line} does not end within {longest >> 20} MiB"
            )
        # The parsed table has a number for each separator, however short the text is.
        values += max(chunk.count(each) for each in separators) + max(chunk.count(b"\n"), chunk.count(b"\r"))
        check_bytes(source, max(len(text), 8 * values), "the table")
    return text


def _chunks(file: Path, source: str, by_content: bool) -> Iterator[bytes]:
    with ExitStack() as stack:
        try:
            packing = _packing(file) if by_content else file.suffix.lower()
            stream = _OPENERS.get(packing, _open_with(io.FileIO))(file, stack)
            while chunk := stream.read(_CHUNK):
                yield chunk
        except MemoryError:
            raise
        # For damaged files zlib, bz2, lzma, zipfile and Arrow raise more kinds of error than they document.
        except Exception as error:
            raise InputError(f"{source}: is no CSV table: {first_line(error)}") from None


def _packing(file: Path) -> str:
    """Return the ending that a file's name should have, "" for one that is not compressed."""
    with file.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    for ending, magic in _MAGIC.items():
        if beginning.startswith(magic):
            return ending
    is_text = b"\0" not in beginning or beginning.startswith((b"\xff\xfe", b"\xfe\xff"))  # or UTF-16's mark
    return "" if is_text else file.suffix.lower()


def _open_with(opener: Callable[[Path], Any]) -> Callable[[Path, ExitStack], Any]:
    return lambda file, stack: stack.enter_context(opener(file))


def _open_zip(file: Path, stack: ExitStack) -> IO[bytes]:
    archive = stack.enter_context(open_archive(file))
    names = [
        name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")
    ]
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
_MAGIC: Mapping[str, bytes] = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\0",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".zip": b"PK\x03\x04",
}
