"""The unpacked size of a Parquet file's pages, read from their headers.

The footer gives a size too, but Arrow goes by the pages' headers, and a few bytes can unpack to 2 GiB. These
headers are structures in Thrift's compact protocol (https://parquet.apache.org/docs/file-format/data-pages).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MOST_PAGES = 100_000  # usually of 1 MB; reading a header takes some hundredths of a millisecond
_READ, _LONGEST_HEADER = 2**10, 2**24  # bytes; statistics in a header can be long
_DEEPEST = 16
_DELTA_BYTE_ARRAY = 7  # texts that share a prefix with the text before: each can be as long as a page
_PLACES = {5: 2, 8: 4}  # header of a data page, version 1 and 2: the field that holds the encoding
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)


class _Page(NamedTuple):
    header: int  # bytes, of the header itself
    unpacked: int
    packed: int
    values: int
    encoding: int


class Sizes(NamedTuple):
    """Sizes of unpacked pages, in bytes.

    Attributes
    ----------
    total, largest
        The size of all pages together, and of the largest.
    repeats
        Whether a page stores texts by the prefix shared with the text before (``DELTA_BYTE_ARRAY``).
    """

    total: int
    largest: int
    repeats: bool


class _Chunk(NamedTuple):
    """A column's part of a row group: where its pages begin, their packed bytes, and the number of values."""

    start: int
    packed: int
    values: int


def page_sizes(file: Path) -> Sizes:
    """Return the sizes of all pages of a file in which Arrow has found a footer.

    The footer is parsed here without pyarrow, which crashes the process on some inconsistent ones.

    Raises
    ------
    ValueError
        If the footer or a page's header cannot be read, or there are too many pages.
    """
    total = pages = largest = 0
    repeats = False
    with file.open("rb") as stream:
        try:
            chunks = list(_chunks(stream))
        except IndexError:
            raise ValueError("its footer is cut short") from None
        for chunk in chunks:
            for page in _pages(stream, chunk):
                total, largest, pages = total + page.unpacked, max(largest, page.unpacked), pages + 1
                repeats = repeats or page.encoding == _DELTA_BYTE_ARRAY
                if pages > _MOST_PAGES:
                    raise ValueError(f"it has more than {_MOST_PAGES} pages")
    return Sizes(total, largest, repeats)


def _chunks(stream: BinaryIO) -> Iterator[_Chunk]:
    """Iterate over all column chunks, as listed in the file's footer, the structure FileMetaData."""
    end = stream.seek(-8, os.SEEK_END)
    length = int.from_bytes(stream.read(4), "little")
    stream.seek(max(end - length, 0))
    footer = _Structure(stream.read(length))
    for field, kind in footer.fields():
        if (field, kind) != (4, _LIST):
            footer.skip(kind)
            continue
        for _ in footer.items():  # row groups
            for of_group, kind_in_group in footer.fields():
                if (of_group, kind_in_group) != (1, _LIST):
                    footer.skip(kind_in_group)
                    continue
                for _ in footer.items():
                    yield _parse_chunk(footer)


def _parse_chunk(footer: "_Structure") -> _Chunk:
    """Read a structure ColumnChunk, using the numbers in its field 3, ColumnMetaData."""
    wanted = {5: 0, 7: 0, 9: 0, 11: 0}  # values, packed bytes, first data page, dictionary page
    for field, kind in footer.fields():
        if (field, kind) != (3, _STRUCT):
            footer.skip(kind)
            continue
        for inner, inner_kind in footer.fields():
            if inner in wanted and inner_kind in _INTEGERS:
                wanted[inner] = footer.integer()
            else:
                footer.skip(inner_kind)
    start = min(wanted[9], wanted[11] or wanted[9])
    if start < 0:
        raise ValueError("a column begins before the file does")
    return _Chunk(start, wanted[7], wanted[5])


def _pages(stream: BinaryIO, chunk: _Chunk) -> Iterator[_Page]:
    """Iterate over the pages of a column chunk until all its values are read, as Arrow does."""
    start, end, values = chunk.start, chunk.start + chunk.packed, 0
    while start < end and values < chunk.values:
        page = _read_page(stream, start)
        yield page
        start += page.header + page.packed
        values += page.values


def _read_page(stream: BinaryIO, start: int) -> _Page:
    size = _READ
    while True:
        stream.seek(start)
        header = _Structure(stream.read(size))
        try:
            return _parse_page(header)
        except IndexError:
            if size >= _LONGEST_HEADER:
                raise ValueError("a page has no header") from None
            size *= 16


def _parse_page(header: "_Structure") -> _Page:
    sizes, values, encoding = {2: -1, 3: -1}, 0, 0
    for field, kind in header.fields():
        if field in sizes:
            sizes[field] = header.integer()
        elif field in _PLACES and kind == _STRUCT:
            for inner, inner_kind in header.fields():
                if inner == 1:
                    values = header.integer()
                elif inner == _PLACES[field]:
                    encoding = header.integer()
                else:
                    header.skip(inner_kind)
        else:
            header.skip(kind)
    if min(*sizes.values(), values) < 0:
        raise ValueError("a page has no size")
    return _Page(header.at, sizes[2], sizes[3], values, encoding)


class _Structure:
    """Reader of a Thrift structure; ``IndexError`` if the bytes end before the structure does."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Iterate over the number and kind of each field; the caller must read or skip each value."""
        number = 0
        while (byte := self._byte()) != 0:
            number = number + (byte >> 4) if byte >> 4 else self.integer()
            yield number, byte & 15

    def items(self) -> Iterator[int]:
        """Iterate over the kind of each item of a list; the caller must read or skip each item."""
        byte = self._byte()
        for _ in range(byte >> 4 if byte >> 4 < 15 else self._unsigned()):
            self._within()
            yield byte & 15

    def integer(self) -> int:
        """Read a signed integer of any width."""
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, depth: int = 0, *, listed: bool = False) -> None:
        """Skip a value; a boolean takes a byte only as an item of a list."""
        if depth > _DEEPEST:
            raise ValueError("a page's header is nested too deep")
        if kind in (_TRUE, _FALSE):
            self.at += listed
        elif kind == _BYTE:
            self.at += 1
        elif kind in _INTEGERS:
            self._unsigned()
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            length = self._unsigned()
            self.at += length
        elif kind in (_LIST, _SET):
            for inner in self.items():
                self.skip(inner, depth + 1, listed=True)
        elif kind == _STRUCT:
            for _, inner in self.fields():
                self.skip(inner, depth + 1)
        else:
            raise ValueError(f"a page's header holds a value of kind {kind}")

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a page's header holds too large a number")

    def _byte(self) -> int:
        self.at += 1
        return self._content[self.at - 1]

    def _within(self) -> None:
        if self.at > len(self._content):
            raise IndexError
