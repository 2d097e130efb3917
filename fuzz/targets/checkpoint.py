"""Checkpoints of a small network, read and put back into it. Their checksums are made right here.

byte 0    whether the arrays are a file, or its header's text and the values
byte 1    whether the checksums are made right
rest      the JSON, then one or two parts
"""

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.parts import choose, join_parts, split_parts
from fuzz.target import FindingError, Target
from fuzz.targets.safetensors import make_file
from micrograde.core.json_files import canonical_digest
from micrograde.nn import MLP
from micrograde.runs.checkpoints import (
    Checkpoint,
    UnusableCheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from micrograde.training import BatchSampler, ForeignSnapshotError, Samples, StackOptimizer
from micrograde.training.callbacks.early_stopping import BestWeights, EarlyStopping
from micrograde.training.optimizers.sgd import SGD
from micrograde.training.snapshots import restore_snapshot, take_snapshot

_CONFIG, _DATA = "c" * 64, "d" * 64


def _network() -> tuple[MLP, StackOptimizer, BatchSampler, list[BestWeights]]:
    model = MLP(2, [2], 2, generators=[np.random.default_rng(0)])
    optimizer = StackOptimizer([SGD(momentum=0.9)], model.parameters, model.gradients)
    samples = Samples(np.zeros((4, 2)), np.eye(2)[[0, 1, 0, 1]], np.array([0, 1, 0, 1]))
    sampler = BatchSampler(samples, 2, [np.random.default_rng(0)])
    return model, optimizer, sampler, [BestWeights(model, EarlyStopping("validation/loss", 1, 0.0))]


@cache
def _written() -> tuple[bytes, bytes]:
    model, optimizer, sampler, callbacks = _network()
    snapshot = take_snapshot(0, 0, 2, model, optimizer, sampler, callbacks)
    history = {"train/loss": [1.0, 0.5], "validation/loss": [1.0, float("nan")]}
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(Path(folder), Checkpoint(_CONFIG, _DATA, snapshot, history), durable=False)
        return (Path(folder) / "a.json").read_bytes(), (Path(folder) / "a.safetensors").read_bytes()


def _read(folder: Path, content: bytes) -> object:
    is_file = choose(content, 0, (False, True))
    text, *arrays = split_parts(content[2:], 2 if is_file else 3)
    file = arrays[0] if is_file else make_file(*arrays)
    if choose(content, 1, (True, False)):
        text = _with_checksums(text, file)
    (folder / "a.json").write_bytes(text)
    (folder / "a.safetensors").write_bytes(file)
    checkpoint = read_checkpoint(folder / "a.json", _CONFIG, _DATA)
    restore_snapshot(checkpoint.snapshot, *_network())
    return checkpoint


def _with_checksums(text: bytes, file: bytes) -> bytes:
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            return text
        values["arrays_sha256"] = hashlib.sha256(file).hexdigest()
        values.pop("sha256", None)
        return json.dumps({**values, "sha256": canonical_digest(values)}).encode()
    except (ValueError, RecursionError):
        return text


def _check(checkpoint: Any) -> None:
    snapshot = checkpoint.snapshot
    if any(len(values) != snapshot.epoch for values in checkpoint.history.values()):
        raise FindingError("a history of another length")
    if not 0 <= snapshot.epoch < 2**63 or not 0 <= snapshot.steps < 2**63:
        raise FindingError(f"epoch {snapshot.epoch}, steps {snapshot.steps}")


def _seeds() -> list[bytes]:
    text, file = _written()
    text = json.dumps(json.loads(text)).encode()
    length = 8 + int.from_bytes(file[:8], "little")
    parts = file[8:length], file[length:]
    return [
        b"\1\1" + join_parts(text, file),
        b"\1\0" + join_parts(text, file),
        b"\0\0" + join_parts(text, *parts),
    ]


def _bombs() -> list[bytes]:
    text, file = _written()
    nested = [b"[" * 30_000, b'{"a":' * 10_000, b'{"epoch": ' + b"1" * 30_000 + b"}"]
    many = json.dumps({**json.loads(text), "metrics": [], "epoch": 10**400, "steps": -1}).encode()
    return [b"\1\0" + join_parts(each, file) for each in (*nested, many)]


CHECKPOINT = Target(
    "checkpoint",
    _read,
    _seeds,
    _bombs,
    words=(
        b'"epoch"', b'"steps"', b'"shuffling"', b'"metrics"', b'"format"', b'"PCG64"', b'"has_uint32"',
        b"true", b"null", b"1e400", b"NaN", b"-1", b"340282366920938463463374607431768211456",
        b'"F64"', b'"shape"', b"[]",
    ),
    refusals=(UnusableCheckpointError, ForeignSnapshotError),
    check=_check,
)  # fmt: skip
