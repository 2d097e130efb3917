"""A store's lock, which several launches take in turns."""

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

TURN_SECONDS = 0.5
"""How long a writer goes on before others get their turn; to put on the disk what it wrote takes longer."""
_LET_GO_SECONDS = 0.025  # others ask for the lock every 10 ms


class Turns:
    """Holds a lock for a while at a stretch, then lets go of it for long enough that others get it.

    A context manager, in which the lock is held; it is not entered again within. What is short is not made to
    wait: only who has held the lock for ``seconds``, within one context or several in a row, pauses before
    it is taken again.

    Parameters
    ----------
    lock
        What is held. What it does when it is let go of belongs to the turn, such as a commit.
    seconds
        How long it may be held; infinity for what nobody waits for.
    """

    def __init__(self, lock: AbstractContextManager[object], seconds: float) -> None:
        self._lock, self._seconds = lock, seconds
        self._taken_at: float | None = None  # None: it is not held
        self._let_go_at = 0.0
        self._held = 0.0  # seconds, since others have had their turn

    def __enter__(self) -> Self:
        free = time.monotonic() - self._let_go_at
        if free < _LET_GO_SECONDS and self._held >= self._seconds:
            time.sleep(_LET_GO_SECONDS - free)
            free = _LET_GO_SECONDS
        if free >= _LET_GO_SECONDS:
            self._held = 0.0
        self._lock.__enter__()
        self._taken_at = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        if self._taken_at is None:  # passed on, and not taken again, for an error
            return
        taken_at, self._taken_at = self._taken_at, None
        try:
            self._lock.__exit__(kind, error, trace)
        finally:
            self._let_go_at = time.monotonic()
            self._held += self._let_go_at - taken_at

    @property
    def is_over(self) -> bool:
        """Whether the lock has been held for long enough."""
        held = 0.0 if self._taken_at is None else time.monotonic() - self._taken_at
        return self._held + held >= self._seconds

    def pass_on(self) -> None:
        """Give others their turn if this one is over; the lock is held again when this returns."""
        if self.is_over:
            self.__exit__()
            self.__enter__()
