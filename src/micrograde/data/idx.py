"""Reader for MNIST's IDX files, plain or gzip.

The format (http://yann.lecun.com/exdb/mnist): two zero bytes, one byte for the type, one for the
number of dimensions, each dimension's size as a big-endian 32-bit integer, then the values in C
order, big-endian.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.dataset import Dataset
from micrograde.data.files import existing_file
from micrograde.data.labels import encode_labels
from micrograde.data.memory import check_size, most_bytes
from micrograde.data.messages import first_line, shortened
from micrograde.data.unpacking import read_at_most

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_DIMENSIONS = 8  # the format allows 255, NumPy 64; images have two or three


def read_idx(
    *, images: str, labels: str, test_images: str | None = None, test_labels: str | None = None
) -> Dataset:
    """Read images (N, rows, columns) and their labels (N,); the test files, if given, become the last rows.

    Pixels keep their values in the file, 0 to 255 in MNIST; standardization scales them.

    Raises
    ------
    InputError
        If a file is not an IDX file or not as long as its header says, images and labels do not fit
        each other, or one of the test files is given without the other.
    """
    if (test_images is None) != (test_labels is None):
        given, absent = (
            ("test_images", "test_labels") if test_labels is None else ("test_labels", "test_images")
        )
        raise InputError(f"data.{absent}: is missing; data.{given} needs it")
    parts = [_read_pair(images, labels, "")]
    if test_images is not None and test_labels is not None:
        parts.append(_read_pair(test_images, test_labels, "test_"))
        shape, test_shape = parts[0][0].shape[1:], parts[1][0].shape[1:]
        if shape != test_shape:
            raise InputError(
                f"data.test_images={test_images}: images of shape {test_shape}, but data.images has {shape}"
            )
    pixels = np.concatenate([part[0] for part in parts], dtype=np.float64)
    encoded, class_names = encode_labels(np.concatenate([part[1] for part in parts]), f"data.labels={labels}")
    return Dataset(
        "idx",
        pixels.reshape(len(pixels), -1),
        encoded,
        class_names,
        feature_names=tuple("_".join(["pixel", *map(str, index)]) for index in np.ndindex(pixels.shape[1:])),
        test_rows=sum(len(part[1]) for part in parts[1:]),
        image_shape=(pixels.shape[1], pixels.shape[2]) if pixels.ndim == 3 else None,
    )


def _read_pair(images: str, labels: str, prefix: str) -> tuple[NDArray[Any], NDArray[Any]]:
    images_source, labels_source = f"data.{prefix}images={images}", f"data.{prefix}labels={labels}"
    pixels = _read_array(existing_file(images, f"data.{prefix}images"), images_source)
    classes = _read_array(existing_file(labels, f"data.{prefix}labels"), labels_source)
    if pixels.ndim < 2:
        raise InputError(f"{images_source}: has the shape {pixels.shape}; images need (N, rows, columns)")
    if classes.ndim != 1:
        raise InputError(f"{labels_source}: has the shape {classes.shape}; labels need (N,)")
    if len(pixels) != len(classes):
        raise InputError(f"{labels_source}: has {len(classes)} labels for {len(pixels)} images")
    check_size(images_source, len(pixels), pixels.size // len(pixels))
    if not np.isfinite(pixels).all():
        raise InputError(f"{images_source}: holds NaN or infinite values")
    return pixels, classes


def _read_array(file: Path, source: str) -> NDArray[Any]:
    with file.open("rb") as raw:
        packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        try:
            return _parse(cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw, source)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{source}: is a damaged gzip file: {first_line(error)}") from None


def _parse(stream: BinaryIO, source: str) -> NDArray[Any]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise InputError(
            f"{source}: is no IDX file; it starts with the bytes {magic.hex(' ') or '(none)'} "
            "instead of 00 00, a type (08 for MNIST) and the number of dimensions"
        )
    dtype, dimensions = np.dtype(_TYPES[magic[2]]), magic[3]
    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise InputError(f"{source}: is cut short in its header")
    shape = tuple(int(size) for size in np.frombuffer(header, dtype=">u4"))
    values = math.prod(shape)
    if dimensions > _MOST_DIMENSIONS or values == 0:
        raise InputError(
            f"{source}: has the shape {shortened(shape)}; "
            f"needs at least one value, in at most {_MOST_DIMENSIONS} dimensions"
        )
    expected = values * dtype.itemsize
    content = read_at_most(stream, min(expected, most_bytes()) + 1)
    if most_bytes() < len(content) <= expected:
        check_size(source, shape[0], values // shape[0])
    if len(content) != expected:
        has = f"{len(content)} bytes of values" if len(content) < expected else "more"
        raise InputError(
            f"{source}: its header, of the shape {shortened(shape)}, promises {expected} bytes of values; "
            f"it has {has}"
        )
    return np.frombuffer(content, dtype=dtype).reshape(shape)
