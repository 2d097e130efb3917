"""Two ways to compute that hold for a block of code: without recording, and looking out for NaN.

Both are a matter of the thread (or task) that asks for them, so they are kept in context variables.
Reading one at every operation would cost a tenth of it; therefore ``watching`` counts the blocks that are
open anywhere, and while it is 0 nobody looks further.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

_recording: ContextVar[bool] = ContextVar("recording", default=True)
_anomalies: ContextVar[bool] = ContextVar("anomalies", default=False)


class _Watching:
    """How many blocks of either kind are open, in all threads."""

    __slots__ = ("blocks", "lock")

    def __init__(self) -> None:
        self.blocks = 0
        self.lock = Lock()


watching = _Watching()


@contextmanager
def no_grad() -> Iterator[None]:
    """Inside the block nothing is recorded: results are constants, and what made them is forgotten."""
    with _block(_recording, False):
        yield


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Inside the block the operation that makes the first NaN raises ``FloatingPointError``.

    Forward and backward; the message names the operation and shows its inputs. It costs a look at every
    result.
    """
    with _block(_anomalies, True):
        yield


def is_recording() -> bool:
    """Whether this thread is outside of every ``no_grad()``."""
    return _recording.get()


def is_detecting_anomalies() -> bool:
    """Whether this thread is inside ``detect_anomaly()``."""
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
