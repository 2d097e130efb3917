"""Snapshots: all that a replica's next step depends on after an epoch, so that training can be resumed.

The random streams of initial weights and label noise are not part of a snapshot: both are used only before
the first step, and the same numbers are drawn again from the seed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from micrograde.nn import MLP
from micrograde.training.batches import BatchSampler
from micrograde.training.callbacks import Callback
from micrograde.training.optimizers import StackOptimizer

_LARGEST = {"state": 2**128, "inc": 2**128, "has_uint32": 2, "uinteger": 2**32}


@dataclass(frozen=True)
class Snapshot:
    """All that a replica's next step depends on.

    Attributes
    ----------
    replica
        The replica's number in its stack.
    epoch, steps
        The numbers of epochs and steps done.
    arrays
        Arrays by names such as ``parameters/layer1.weights``, ``statistics/batchnorm1.running_mean``,
        ``optimizer.velocity/layer1.weights``; and those that callbacks declare: of early stopping
        ``best.parameters/...``, ``best.statistics/...`` and, of shape (), ``best/lowest`` and ``best/epoch``.
    shuffling
        The state of the random stream of shuffling, as NumPy's PCG64 gives it.
    """

    replica: int
    epoch: int
    steps: int
    arrays: Mapping[str, NDArray[Any]]
    shuffling: Mapping[str, Any]


class ForeignSnapshotError(ValueError):
    """A snapshot is not from the training that is to be resumed; the message is one line."""


def take_snapshot(
    row: int,
    replica: int,
    epoch: int,
    model: MLP,
    optimizer: StackOptimizer,
    sampler: BatchSampler,
    callbacks: Iterable[Callback] = (),
) -> Snapshot:
    """Copy all that belongs to a row of a stack; to be called between two epochs."""
    arrays = {name: array.copy() for name, array in _views(row, model, optimizer, callbacks).items()}
    return Snapshot(replica, epoch, optimizer.steps, arrays, sampler.stream_state(row))


def restore_snapshot(
    snapshot: Snapshot,
    model: MLP,
    optimizer: StackOptimizer,
    sampler: BatchSampler,
    callbacks: Iterable[Callback] = (),
) -> None:
    """Set a newly made stack of one replica to a snapshot.

    Raises
    ------
    ForeignSnapshotError
        If the snapshot lacks an array or has others, a shape or type differs, or its stream is not of NumPy's
        PCG64; nothing has been changed then.
    """
    views = _views(0, model, optimizer, callbacks)
    if snapshot.arrays.keys() != views.keys():
        missing = sorted(views.keys() - snapshot.arrays.keys())
        unknown = sorted(snapshot.arrays.keys() - views.keys())
        raise ForeignSnapshotError(f"it lacks {missing or 'nothing'} and has {unknown or 'nothing'} besides")
    for name, view in views.items():
        array = snapshot.arrays[name]
        if array.shape != view.shape or array.dtype != view.dtype:
            raise ForeignSnapshotError(
                f"{name} is {array.dtype} {array.shape}, and {view.dtype} {view.shape} in this network"
            )
    sampler.restore_stream(0, checked_stream_state(snapshot.shuffling))
    for name, view in views.items():
        view[...] = snapshot.arrays[name]
    optimizer.steps = snapshot.steps


def checked_stream_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a PCG64 state with only its known and checked entries.

    Raises
    ------
    ForeignSnapshotError
        If it is not the state of a PCG64 stream.
    """
    inner = state.get("state")
    if state.get("bit_generator") != "PCG64" or not isinstance(inner, Mapping):
        raise ForeignSnapshotError("its random stream is not of type PCG64")
    numbers = {**inner, **{key: state.get(key) for key in ("has_uint32", "uinteger")}}
    for key, largest in _LARGEST.items():
        number = numbers.get(key)
        if type(number) is not int or not 0 <= number < largest:
            raise ForeignSnapshotError(f"its random stream has no {key} below {largest}")
    return {
        "bit_generator": "PCG64",
        "state": {"state": numbers["state"], "inc": numbers["inc"]},
        "has_uint32": numbers["has_uint32"],
        "uinteger": numbers["uinteger"],
    }


def _views(
    row: int, model: MLP, optimizer: StackOptimizer, callbacks: Iterable[Callback]
) -> dict[str, NDArray[Any]]:
    """Return views of all arrays that belong to a row, by name."""
    buffers = {"parameters": model.parameters, "statistics": model.statistics}
    buffers |= {f"optimizer.{name}": array for name, array in optimizer.state.items()}
    named: dict[str, NDArray[Any]] = {}
    for callback in callbacks:
        buffers |= callback.buffers()
        named |= {name: array[row, ...] for name, array in callback.numbers().items()}
    for prefix, buffer in buffers.items():
        layout = model.statistics_layout if prefix.endswith("statistics") else model.layout
        named |= {f"{prefix}/{name}": view for name, view in layout.views(buffer[row]).items()}
    return named
