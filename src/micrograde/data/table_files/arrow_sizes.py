"""The unpacked size of a file of Arrow's (Feather), read from its messages before anything is unpacked.

Each buffer of a compressed column begins with its unpacked size, which Arrow allocates at once, and a few
bytes can unpack to any size. Messages are tables of FlatBuffers
(https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format).
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MAGIC = b"ARROW1"
_MOST_MESSAGES, _LONGEST_MESSAGE = 100_000, 2**24  # a buffer takes 16 bytes, a column three buffers
_DICTIONARIES, _BATCHES = 2, 3  # fields of the footer, and kinds of messages
_KIND, _HEADER = 1, 2  # fields of a message
_ROWS, _BUFFERS, _COMPRESSION = 0, 2, 3  # fields of a batch
_BATCH_OF_DICTIONARY = 1


class ArrowSizes(NamedTuple):
    """The bytes of all buffers when they are unpacked, and the number of rows."""

    unpacked: int
    rows: int


def arrow_sizes(file: Path) -> ArrowSizes:
    """Return the sizes of a file of Arrow's.

    Raises
    ------
    ValueError
        If its footer or a message cannot be read, or there are too many.
    """
    unpacked = rows = 0
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            for count, (start, length) in enumerate(_messages(stream, size)):
                if count >= _MOST_MESSAGES:
                    raise ValueError(f"it has more than {_MOST_MESSAGES} batches")
                of_batch = _sizes_of_batch(stream, start, length)
                unpacked, rows = unpacked + of_batch.unpacked, rows + of_batch.rows
        except struct.error:
            raise ValueError("it is cut short") from None
    return ArrowSizes(unpacked, rows)


class _Table:
    """A table of FlatBuffers: its fields by number, each where an offset says."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content, self._place = content, place
        self._offsets = place - self._read("<i", place)
        self._size = self._read("<H", self._offsets)

    @classmethod
    def root(cls, content: bytes) -> "_Table":
        """Return the table that a message is."""
        return cls(content, struct.unpack_from("<I", content)[0])

    def number(self, field: int, form: str) -> int:
        """Return a number, 0 if there is none."""
        place = self._place_of(field)
        return self._read(form, place) if place else 0

    def table(self, field: int) -> "_Table | None":
        """Return a table within."""
        place = self._place_of(field)
        return _Table(self._content, place + self._read("<I", place)) if place else None

    def structures(self, field: int, form: str) -> Iterator[tuple[int, ...]]:
        """Return an iterator over a list of structures."""
        place = self._place_of(field)
        if not place:
            return
        place += self._read("<I", place)
        size = struct.calcsize(form)
        for index in range(self._read("<I", place)):
            yield self._unpack(form, place + 4 + index * size)

    def _place_of(self, field: int) -> int:
        entry = 4 + 2 * field
        offset = self._read("<H", self._offsets + entry) if entry < self._size else 0
        return self._place + offset if offset else 0

    def _read(self, form: str, place: int) -> int:
        return int(self._unpack(form, place)[0])

    def _unpack(self, form: str, place: int) -> tuple[int, ...]:
        if place < 0:
            raise ValueError("an offset leads before the beginning")
        return struct.unpack_from(form, self._content, place)


def _messages(stream: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Return an iterator over the place and length of each batch's message, as the footer lists them."""
    end = len(_MAGIC) + 4
    if size < end + len(_MAGIC):
        raise ValueError("it is cut short")
    stream.seek(size - end)
    tail = stream.read(end)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or length > min(size - end, _LONGEST_MESSAGE):
        raise ValueError("it has no footer")
    stream.seek(size - end - length)
    footer = _Table.root(stream.read(length))
    for field in (_DICTIONARIES, _BATCHES):
        for start, length_of_message, _ in footer.structures(field, "<qi4xq"):
            yield start, length_of_message


def _sizes_of_batch(stream: BinaryIO, start: int, length: int) -> ArrowSizes:
    if start < 0 or not 0 < length <= _LONGEST_MESSAGE:
        raise ValueError("a batch has no place in the file")
    stream.seek(start)
    content = stream.read(length)
    message = _Table.root(content[8:] if content[:4] == b"\xff" * 4 else content[4:])
    batch = message.table(_HEADER)
    kind = message.number(_KIND, "<B")
    rows = 0
    if batch is not None and kind == _DICTIONARIES:
        batch = batch.table(_BATCH_OF_DICTIONARY)
    elif batch is not None and kind == _BATCHES:
        rows = batch.number(_ROWS, "<q")
    if batch is None or rows < 0:
        raise ValueError("a batch has no rows")
    unpacked, is_compressed = 0, batch.table(_COMPRESSION) is not None
    for place, packed in batch.structures(_BUFFERS, "<qq"):
        if place < 0 or packed < 0:
            raise ValueError("a buffer has no place in the file")
        said = -1
        if is_compressed and packed >= 8:
            stream.seek(start + length + place)
            (said,) = struct.unpack("<q", stream.read(8))
        unpacked += said if said >= 0 else packed
    return ArrowSizes(unpacked, rows)
