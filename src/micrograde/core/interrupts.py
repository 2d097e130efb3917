"""Ctrl-C: held back while a record is written and noted as written, so that the two never disagree."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C until the end of the context, which should be short.

    In other threads than the main one it has no effect: Python never interrupts them.
    """
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
        for _ in range(min(came, 2)):  # the handler of the first may change how the second is handled
            signal.raise_signal(signal.SIGINT)


@contextmanager
def interrupt_in_one_line() -> Iterator[None]:
    """Let Jupyter show a ``KeyboardInterrupt`` as its name alone, as it does other errors of ours.

    With the environment variable ``HYDRA_FULL_ERROR=1`` the whole traceback is shown.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        if os.environ.get("HYDRA_FULL_ERROR") != "1":
            vars(error)["_render_traceback_"] = lambda: ["KeyboardInterrupt"]
        raise
