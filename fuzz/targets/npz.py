"""NumPy's archives. Checksums and lengths are made right here, or a fuzzer would never get past them.

byte 0    what the rest is: an archive; the .npy files in one; or for each array its header's text and values
byte 1    how the archive is compressed
byte 2    ``data.missing``
byte 3    the version of the .npy format
rest      one, two or four parts
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fuzz.parts import choose, join_parts, split_parts
from fuzz.target import Target
from micrograde.data.arrays import read_npz
from micrograde.data.missing import MissingRule

_MISSING: tuple[MissingRule, ...] = ("error", "drop", "mean")
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_CHOICES = 4
_DTYPES = ("<f8", "<f4", "<f2", "<f16", "|u1", ">i8", "|b1", "<i2")
_LABELS = (
    np.array([4, 9, 4]),
    np.array(["u", "vw", "u"]),
    np.array([1.0, np.nan, 2.0]),
    np.array([b"a", b"b", b"a"]),
)
_WORDS = (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }",
    b"'descr'", b"'fortran_order'", b"'shape'", b"True", b"(3,)", b"(1000000000000,)", b"(0, 4)", b"(-1, -3)",
    b"'|O'", b"'<U9'", b"'<U0'", b"'|V8'", b"'<M8[s]'", b"'<c16'", b"[('a', '<f8')]", b"('<f8', (2,))",
    b"'<f16'", b"10L", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"features.npy", b"labels.npy",
)  # fmt: skip


def _npy(version: int, header: bytes, values: bytes) -> bytes:
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + values


def _archive(compression: int, features: bytes, labels: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("features.npy", features)
        archive.writestr("labels.npy", labels)
    return buffer.getvalue()


def _read(folder: Path, content: bytes) -> object:
    kind, compression = choose(content, 0, (0, 1, 2)), choose(content, 1, _COMPRESSIONS)
    missing, version = choose(content, 2, _MISSING), choose(content, 3, (1, 2, 3, 4))
    file = content[_CHOICES:]
    if kind:
        parts = split_parts(file, 2 * kind)
        features, labels = parts if kind == 1 else (_npy(version, *parts[:2]), _npy(version, *parts[2:]))
        file = _archive(compression, features, labels)
    path = folder / "arrays.npz"
    path.write_bytes(file)
    return read_npz(path=str(path), missing=missing)


def _seeds() -> list[bytes]:
    seeds = []
    for index, dtype in enumerate(_DTYPES):
        features = np.arange(12).reshape(3, 2, 2).astype(dtype)
        labels = _LABELS[index % len(_LABELS)]
        files, parts = [], []
        for array in (features, labels):
            buffer = io.BytesIO()
            np.save(buffer, array)
            files.append(buffer.getvalue())
            parts += [buffer.getvalue()[10:128], buffer.getvalue()[128:]]
        seeds += [
            bytes([0, 0, 1, 0]) + _archive(_COMPRESSIONS[index % 4], *files),
            bytes([1, index % 4, 1, 0]) + join_parts(*files),
            bytes([2, index % 4, 1, index % 3]) + join_parts(*parts),
        ]
    return seeds


def _bombs() -> Iterator[bytes]:
    for shape in ("1000000000000,", "100000000,", "0, 1000000000000", "1, 1000000000", "-1,"):
        for dtype in ("<f8", "<U0", "|V0", "<U100000000"):
            lying = _header(dtype, shape)
            for version in range(4):
                yield bytes([2, 0, 0, version]) + join_parts(lying, b"", lying, b"")
    nested = b"(" * 9000
    yield bytes([2, 0, 0, 0]) + join_parts(nested, b"", nested, b"")

    two = _npy(1, _header("|u1", "2,"), b"\1\2")
    large = _npy(1, _header("|u1", "2, 16777216"), bytes(2**25))
    for compression in _COMPRESSIONS[1:3]:
        yield bytes(_CHOICES) + _archive(compression, large, two)
    for features, labels in (
        (_npy(1, _header("|u1", "2, 1048576"), bytes(2**21)), two),
        (_npy(1, _header("|u1", "2, 200000"), bytes(400_000)), two),
        (two, _npy(1, _header("<U1000000", "2,"), b"u\0\0\0" * 2 * 10**6)),
        (b"\x93NUMPY\x02\x00" + (2**26).to_bytes(4, "little") + bytes(2**26), two),
    ):
        yield bytes(_CHOICES) + _archive(zipfile.ZIP_DEFLATED, features, labels)


def _header(dtype: str, shape: str) -> bytes:
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}".encode()


NPZ = Target("npz", _read, _seeds, _bombs, _WORDS)
