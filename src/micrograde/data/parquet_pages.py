"""What the pages of a Parquet file take when they are unpacked.

Its footer says that, too, but Arrow unpacks what the pages say, and a few bytes can unpack to 2 GiB. Headers
of pages are structures in Thrift's compact protocol (https://parquet.apache.org/docs/file-format/data-pages).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

_MOST_PAGES = 100_000  # of a megabyte, mostly; each takes some hundredths of a millisecond
_READ, _LONGEST_HEADER = 2**10, 2**24  # bytes; statistics in a header can be long
_DEEPEST = 16
_DELTA_BYTE_ARRAY = (
    7  # texts that repeat the beginning of the one before, so that each can be as long as a page
)
_PLACES = {5: 2, 8: 4}  # the field of a page's encoding in the header of a data page, of either version
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)


class _Page(NamedTuple):
    header: int  # bytes, of the header itself
    unpacked: int
    packed: int
    values: int
    encoding: int


class Sizes(NamedTuple):
    """What pages take, unpacked, in bytes.

    Attributes
    ----------
    repeats
        Whether there are texts that repeat the beginning of the one before.
    """

    total: int
    largest: int
    repeats: bool


def page_sizes(file: Path, metadata: Any) -> Sizes:
    """The sizes of all pages; ``metadata`` is pyarrow's of the file.

    Raises
    ------
    ValueError
        A page has no header that can be read, or there are too many.
    """
    total = pages = largest = 0
    repeats = False
    with file.open("rb") as stream:
        for group in range(metadata.num_row_groups):
            columns = metadata.row_group(group)
            for column in range(columns.num_columns):
                for page in _pages(stream, columns.column(column)):
                    total, largest, pages = total + page.unpacked, max(largest, page.unpacked), pages + 1
                    repeats = repeats or page.encoding == _DELTA_BYTE_ARRAY
                    if pages > _MOST_PAGES:
                        raise ValueError(f"it has more than {_MOST_PAGES} pages")
    return Sizes(total, largest, repeats)


def _pages(stream: BinaryIO, chunk: Any) -> Iterator[_Page]:
    """Those of a column chunk, as far as Arrow reads them: until all its values are there."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    end, values = start + chunk.total_compressed_size, 0
    while start < end and values < chunk.num_values:
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
    """A structure to be read from its beginning; ``IndexError`` where the bytes end before it does."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """The number and the kind of each field, whose value must then be read or skipped."""
        number = 0
        while (byte := self._byte()) != 0:
            number = number + (byte >> 4) if byte >> 4 else self.integer()
            yield number, byte & 15

    def integer(self) -> int:
        """A signed one of any width."""
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, depth: int = 0, *, listed: bool = False) -> None:
        """Pass over a value; a truth value has a byte of its own only in a list."""
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
            byte = self._byte()
            for _ in range(byte >> 4 if byte >> 4 < 15 else self._unsigned()):
                self._within()
                self.skip(byte & 15, depth + 1, listed=True)
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
