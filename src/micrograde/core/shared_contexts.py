"""Contexts that change the whole process: threads that are in one at the same time share it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager


def shared(
    context: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[None]]:
    """Return the context such that the first thread enters it, and the last one leaves it.

    Otherwise a thread would restore what was before, while another is still at work, and that one would then
    leave behind what the first had set.
    """
    lock, inside = threading.Lock(), 0
    entered: list[AbstractContextManager[None]] = []

    @contextmanager
    def joined() -> Iterator[None]:
        nonlocal inside
        with lock:
            if not inside:
                made = context()
                made.__enter__()
                entered.append(made)
            inside += 1
        try:
            yield
        finally:
            with lock:
                inside -= 1
                if not inside:
                    entered.pop().__exit__(None, None, None)

    return joined
