"""Pairs of IDX files, plain and gzip, also as bombs.

byte 0    which of the two are compressed here
rest      two parts, labels and images
"""

import gzip
import struct
from pathlib import Path

import numpy as np

from fuzz.parts import choose, join_parts, split_parts
from fuzz.target import Target
from micrograde.data.idx import read_idx

_CODES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}


def _idx(dtype: str, shape: tuple[int, ...], values: bytes) -> bytes:
    return bytes([0, 0, _CODES[dtype], len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


def _read(folder: Path, content: bytes) -> object:
    packed = choose(content, 0, (0, 1, 2, 3))
    paths = []
    for index, part in enumerate(split_parts(content[1:], 2)):
        path = folder / ("labels", "images")[index]
        path.write_bytes(gzip.compress(part, 1, mtime=0) if packed & (1 << index) else part)
        paths.append(str(path))
    return read_idx(images=paths[1], labels=paths[0])


def _seeds() -> list[bytes]:
    labels = _idx("u1", (4,), b"\x07\x03\x07\x03")
    pixels = np.arange(24) // 2
    files = [_idx(dtype, (4, 2, 3), pixels.astype(dtype).tobytes()) for dtype in _CODES]
    seeds = [bytes([index % 4]) + join_parts(labels, file) for index, file in enumerate(files)]
    real = _idx(">f8", (4,), np.array([1.0, 2.0, 2.0, 1e300], ">f8").tobytes())
    return [
        *seeds,
        b"\0" + join_parts(real, files[0]),
        b"\0" + join_parts(gzip.compress(labels, mtime=0), files[0]),
    ]


def _bombs() -> list[bytes]:
    labels = _idx("u1", (4,), b"\x07\x03\x07\x03")
    files = (
        _idx("u1", (2**32 - 1, 2**16, 2**16), bytes(24)),
        _idx("u1", (4, *[1] * 70), bytes(4)),
        _idx("u1", (4, *[2**32 - 1] * 250), bytes(4)),
        _idx("u1", (0, 2**32 - 1, 2**32 - 1, 2**32 - 1), b""),
        gzip.compress(_idx("u1", (4, 2**10, 2**12), bytes(2**24)), mtime=0),
        gzip.compress(_idx("u1", (4, 2**9, 2**8), bytes(2**19)), mtime=0),
        gzip.compress(_idx("u1", (4, 2, 3), bytes(2**26)), mtime=0),
        gzip.compress(_idx("u1", (2**26, 1, 1), bytes(2**26)), mtime=0),
    )
    return [b"\0" + join_parts(labels, file) for file in files]


IDX = Target(
    "idx",
    _read,
    _seeds,
    _bombs,
    words=(b"\x1f\x8b\x08\0", b"\0\0\x08\x03", b"\0\0\x0e\x01", b"\xff\xff\xff\xff"),
)
