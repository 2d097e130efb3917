"""Two modes for a block of code: ``no_grad`` records no graph, ``detect_anomaly`` raises at the first NaN.

Each applies to the thread (or task) that enters the block, so it is kept in a context variable. Reading one
at every operation would take a tenth of the operation's time; therefore ``watching`` counts the blocks that
are open in any thread, and while it is 0 the context variables are not read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

_recording: ContextVar[bool] = ContextVar("recording", default=True)
_anomalies: ContextVar[bool] = ContextVar("anomalies", default=False)


class _Watching:
    """The number of open blocks of either kind, over all threads."""

    __slots__ = ("blocks", "lock")

    def __init__(self) -> None:
        self.blocks = 0
        self.lock = Lock()


watching = _Watching()


@contextmanager
def no_grad() -> Iterator[None]:
    """Record no graph inside the block: results are constants, without operands or gradient."""
    with _block(_recording, False):
        yield


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise ``FloatingPointError`` inside the block at the operation that makes the first NaN.

    Covers the forward and the backward pass; the message names the operation and shows its inputs. Every
    result is checked for NaN, which takes time.
    """
    with _block(_anomalies, True):
        yield


def is_recording() -> bool:
    """Return whether this thread (or task) is outside every ``no_grad()`` block."""
    return _recording.get()


def is_detecting_anomalies() -> bool:
    """Return whether this thread (or task) is inside a ``detect_anomaly()`` block."""
    return _anomalies.get()


@contextmanager
def _block(variable: ContextVar[bool], value: bool) -> Iterator[None]:
    token = variable.set(value)
    with watching.lock:
        watching.blocks += 1
    try:
        yield
    finally:
        with watching.lock:
            watching.blocks -= 1
        variable.reset(token)
