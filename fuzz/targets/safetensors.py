"""A checkpoint's arrays, whose checksum is made right here.

byte 0    whether the rest is a file, or its header's text and the values
rest      one or two parts
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.parts import choose, join_parts, split_parts
from fuzz.target import PRETENDED_MEMORY, FindingError, Target
from micrograde.data.messages import shortened
from micrograde.runs.checkpoints import UnusableCheckpointError, _read_arrays

_SIZES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 8),
}


def make_file(header: bytes, values: bytes) -> bytes:
    """With the length of the header that it has."""
    return len(header).to_bytes(8, "little") + header + values


def check_arrays(arrays: Any) -> None:
    """Raise unless they are plain arrays with no more values than a file can have."""
    plain = all(type(name) is str and array.dtype.kind in "biufc" for name, array in arrays.items())
    if not plain or sum(array.nbytes for array in arrays.values()) > PRETENDED_MEMORY:
        raise FindingError(
            f"unsound arrays: {shortened({name: each.dtype for name, each in arrays.items()})}"
        )


def _read(folder: Path, content: bytes) -> object:
    file = content[1:] if choose(content, 0, (False, True)) else make_file(*split_parts(content[1:], 2))
    path = folder / "a.safetensors"
    path.write_bytes(file)
    return _read_arrays(path, hashlib.sha256(file).hexdigest())


def _header(**entries: tuple[str, list[int], tuple[int, int]]) -> bytes:
    keys = ("dtype", "shape", "data_offsets")
    return json.dumps({name: dict(zip(keys, entry, strict=True)) for name, entry in entries.items()}).encode()


def _seeds() -> list[bytes]:
    from safetensors.numpy import save

    seeds = [b"\1" + save({"x": np.arange(6.0).reshape(2, 3), "y": np.array(3)}, {"about": "numbers"})]
    for name, size in _SIZES.items():
        header = _header(x=(name, [3], (0, 3 * size)), y=("F64", [2], (3 * size, 3 * size + 16)))
        seeds.append(b"\0" + join_parts(header, bytes(3 * size + 16)))
    return seeds


def _bombs() -> list[bytes]:
    claims = [
        _header(x=("F64", [10**12], (0, 8 * 10**12))),
        _header(x=("F64", [0, 10**18], (0, 0))),
        _header(x=("F64", [2**32, 2**32], (0, 0))),
        _header(x=("F64", [1] * 500, (0, 8))),
        _header(**{f"x{index}": ("F64", [1], (0, 8)) for index in range(1000)}),
        b'{"x":' * 12_000,
    ]
    lengths = (2**63, 2**40, 10**8, 0)
    return [
        *(b"\0" + join_parts(header, bytes(8)) for header in claims),
        *(b"\1" + length.to_bytes(8, "little") + b"{}" for length in lengths),
        b"\1" + make_file(b"{" + b" " * 2**24 + b"}", b""),
    ]


SAFETENSORS = Target(
    "safetensors",
    _read,
    _seeds,
    _bombs,
    words=(
        b'"dtype"', b'"shape"', b'"data_offsets"', b'"__metadata__"', b"[0,8]", b"18446744073709551615",
        b"{}", b"[]", *(b'"%s"' % name.encode() for name in _SIZES),
    ),
    refusals=(UnusableCheckpointError,),
    check=check_arrays,
)  # fmt: skip
