"""Checkpoints on disk: what a run needs to resume, as plain numbers, with checksums that reveal damage.

checkpoints/a.safetensors    the arrays of a snapshot, and ``history`` (M, E): M metrics after E epochs
                             with ``training.log_every``: ``logged_steps`` (K,), ``step_history`` (M, K)
checkpoints/a.json           epoch, steps, digests, random stream, the arrays' SHA-256, the SHA-256 of these

A checkpoint is complete once its JSON file exists; each file is written under another name and then renamed.
Two are kept, written in turn as ``a`` and ``b``, so that there is an earlier one if the latest is damaged.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.atomic_files import replace_file
from micrograde.core.bounds import LONGEST_JSON
from micrograde.core.json_files import canonical_digest, read_json
from micrograde.runs.step_history import StepHistory
from micrograde.training import Callback, Snapshot

FOLDER = "checkpoints"
_SLOTS = ("a", "b")
_FORMAT = 1
_SHARE = 100  # checkpoints take at most one part in this many of the time


@dataclass(frozen=True)
class Checkpoint:
    """A snapshot, the digests of the config and data it belongs to, and the metrics up to it.

    Attributes
    ----------
    history
        Each metric's value after every epoch up to the snapshot's.
    steps
        What was measured every few steps until then.
    """

    config_digest: str
    data_digest: str
    snapshot: Snapshot
    history: Mapping[str, Sequence[float]]
    steps: StepHistory = field(default_factory=StepHistory)


class UnusableCheckpointError(ValueError):
    """A checkpoint is damaged or belongs to another run; the message is one line without the file's name."""


@dataclass
class CheckpointTimer(Callback):
    """Decides when to write a checkpoint: every ``seconds``, or less often if that is slow; None is never."""

    seconds: float | None
    clock: Callable[[], float] = time.monotonic
    _next: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.took(0.0)

    def due(self) -> bool:
        """Return whether it is time for a checkpoint; if so, the interval starts again."""
        if self.seconds is None or self.clock() < self._next:
            return False
        self.took(0.0)
        return True

    def snapshot_due(self) -> bool:
        """Return whether it is time for a checkpoint; the loop asks."""
        return self.due()

    def took(self, cost: float) -> None:
        """Start the interval again after a checkpoint that took ``cost`` seconds."""
        self._next = self.clock() + max(self.seconds or 0.0, _SHARE * cost)


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, durable: bool = True) -> None:
    """Write a checkpoint over the older of the two in ``folder``.

    With ``durable``, wait until the data are on the disk, so that they survive a loss of power.
    """
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    snapshot = checkpoint.snapshot
    history = np.array(list(checkpoint.history.values()), np.float64)
    history = history.reshape(len(checkpoint.history), snapshot.epoch)
    # Not ascontiguousarray, which turns arrays without axes into arrays with one.
    contiguous = {name: np.asarray(array, order="C") for name, array in snapshot.arrays.items()}
    of_steps: dict[str, NDArray[Any]] = {}
    if checkpoint.steps:
        of_steps["logged_steps"] = checkpoint.steps.steps
        of_steps["step_history"] = np.stack(list(checkpoint.steps.values().values()))
    arrays = save({**contiguous, **of_steps, "history": history})
    content = {
        "format": _FORMAT,
        "epoch": snapshot.epoch,
        "steps": snapshot.steps,
        "config_digest": checkpoint.config_digest,
        "data_digest": checkpoint.data_digest,
        "shuffling": snapshot.shuffling,
        "metrics": list(checkpoint.history),
        **({"step_metrics": list(checkpoint.steps.names)} if checkpoint.steps else {}),
        "arrays_sha256": hashlib.sha256(arrays).hexdigest(),
    }
    text = json.dumps({**content, "sha256": canonical_digest(content)}, indent=1)
    slot = folder / _older_slot(folder)
    replace_file(slot.with_suffix(".safetensors"), arrays, durable=durable)
    replace_file(slot.with_suffix(".json"), text.encode(), durable=durable)


def read_latest_checkpoint(
    folder: Path, config_digest: str, data_digest: str
) -> tuple[Checkpoint | None, list[str]]:
    """Return the latest usable checkpoint of a run, or None, and a line for each that is not usable."""
    found, problems = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(read_checkpoint(path, config_digest, data_digest))
        except UnusableCheckpointError as error:
            problems.append(f"{FOLDER}/{path.name}: {error}")
    return max(found, key=lambda each: each.snapshot.epoch, default=None), problems


def read_checkpoint(path: Path, config_digest: str, data_digest: str) -> Checkpoint:
    """Read a checkpoint from its JSON file at ``path`` and the file of arrays beside it.

    Raises
    ------
    UnusableCheckpointError
        If anything in it is not as ``write_checkpoint`` would have written it for this run.
    """
    content = _read_content(path)
    if content["config_digest"] != config_digest:
        raise UnusableCheckpointError("belongs to a run with another config")
    if content["data_digest"] != data_digest:
        raise UnusableCheckpointError("was made with other data")
    arrays = _read_arrays(path.with_suffix(".safetensors"), content["arrays_sha256"])
    history, metrics, epoch = arrays.pop("history", None), content["metrics"], content["epoch"]
    if history is None or history.dtype != np.float64 or history.shape != (len(metrics), epoch):
        raise UnusableCheckpointError(f"has no history of {len(metrics)} metrics over {epoch} epochs")
    of_steps = _step_history(content.get("step_metrics", []), arrays, content["steps"])
    snapshot = Snapshot(0, epoch, content["steps"], arrays, content["shuffling"])
    of_epochs = dict(zip(metrics, history.tolist(), strict=True))
    return Checkpoint(config_digest, data_digest, snapshot, of_epochs, of_steps)


def _step_history(metrics: list[str], arrays: dict[str, NDArray[Any]], last: int) -> StepHistory:
    """Take the history of steps up to the ``last`` out of a checkpoint's arrays."""
    if not metrics:
        return StepHistory()
    steps, values = arrays.pop("logged_steps", None), arrays.pop("step_history", None)
    if (
        steps is None
        or values is None
        or steps.dtype != np.int64
        or values.dtype != np.float64
        or values.shape != (len(metrics), len(steps))
        or (len(steps) and not (steps[0] > 0 and steps[-1] <= last and (np.diff(steps) > 0).all()))
    ):
        raise UnusableCheckpointError(f"has no history of {len(metrics)} metrics over steps up to {last}")
    return StepHistory.of(steps, dict(zip(metrics, values, strict=True)))


def _read_content(path: Path) -> dict[str, Any]:
    content: dict[str, Any]
    try:
        content = read_json(path, LONGEST_JSON)
        sound = isinstance(content, dict) and content.pop("sha256", None) == canonical_digest(content)
    except (OSError, ValueError, RecursionError):
        raise UnusableCheckpointError("is damaged: it is not JSON") from None
    if not sound:
        raise UnusableCheckpointError("is damaged: its checksum does not match")
    if content.get("format") != _FORMAT:
        raise UnusableCheckpointError(f"has a format other than {_FORMAT}")
    kinds = {
        **dict.fromkeys(("epoch", "steps"), int),
        **dict.fromkeys(("config_digest", "data_digest", "arrays_sha256"), str),
        "shuffling": dict,
        "metrics": list,
    }
    for key, kind in kinds.items():
        if type(content.get(key)) is not kind:
            raise UnusableCheckpointError(f"has no {key}")
    for metrics in (content["metrics"], content.get("step_metrics", [])):
        named = isinstance(metrics, list) and all(isinstance(name, str) for name in metrics)
        if not named or len(set(metrics)) < len(metrics):
            raise UnusableCheckpointError("has no metrics")
    return content


def _read_arrays(path: Path, sha256: str) -> dict[str, NDArray[Any]]:
    from safetensors.numpy import load_file

    if os.path.exists(path) and not os.path.isfile(path):
        raise UnusableCheckpointError(f"{path.name} is not a file")
    try:
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                raise UnusableCheckpointError(f"is damaged: the checksum of {path.name} does not match")
    except OSError as error:
        raise UnusableCheckpointError(f"{path.name} cannot be read ({error.strerror})") from None
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    # Besides its own error, safetensors raises Key-, Type-, Value- and AttributeError: for types and numbers
    # of dimensions that NumPy does not have.
    except Exception as error:
        raise UnusableCheckpointError(f"{path.name} holds no arrays ({type(error).__name__})") from None
    # Types such as bfloat16 can be loaded if a package that defines them is installed.
    if foreign := {str(array.dtype) for array in arrays.values() if array.dtype.kind not in "biufc"}:
        raise UnusableCheckpointError(f"{path.name} holds numbers of the type {min(foreign)}")
    return arrays


def _older_slot(folder: Path) -> str:
    """Return the slot that is empty or damaged, or else that of the earlier epoch; no clock is asked."""

    def epoch(slot: str) -> int:
        try:
            return int(_read_content(folder / f"{slot}.json")["epoch"])
        except UnusableCheckpointError:
            return -1

    return min(_SLOTS, key=epoch)
