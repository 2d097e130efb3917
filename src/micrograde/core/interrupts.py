"""What Ctrl-C may not come into: what is written down of a run, and what is known to be written."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait for the end of the context, which is to be short; threads never get one."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came = 0

    def note(number: int, frame: object) -> None:  # noqa: ARG001
        nonlocal came
        came += 1

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        for _ in range(min(came, 2)):  # the first may have the second handled in another way
            signal.raise_signal(signal.SIGINT)
