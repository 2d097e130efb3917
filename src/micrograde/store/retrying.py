"""Repeat calls to a store that is unavailable for a while, and tell the user once that it is unavailable."""

import re
import threading
import time
from collections.abc import Callable

from micrograde.core.redaction import without_password
from micrograde.store.backends import backend_of
from micrograde.store.bounded_answers import UNBOUNDED
from micrograde.store.calls import Result
from micrograde.store.errors import StoreAwayError
from micrograde.store.location import StoreLocation

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0  # seconds between two tries
_HICCUP = 2.0  # seconds of trouble that are not reported
_REASON_LENGTH = 200
_SILENT = "no answer in time"


class Retrying:
    """Repeats calls until they succeed: without limit while the launch goes on, then with limited patience.

    Several threads may make calls at once.

    Parameters
    ----------
    launch_is_gone
        Set when the launch has ended or died.
    patience
        Seconds, from then on or from the last successful call, until ``StoreAwayError`` is raised; a request
        that a server takes and does not answer counts from when it was made. A server whose answer does not
        end gets no more time.
    notify
        Called when the store becomes unavailable and when it is back, with a line for the user and whether
        the store is away.
    kept
        The folder that keeps what has not been sent, for the message to the user.
    """

    def __init__(
        self,
        location: StoreLocation,
        launch_is_gone: threading.Event,
        patience: float,
        notify: Callable[[str, bool], None],
        kept: object,
    ) -> None:
        self._location, self._backend = location, backend_of(location)
        self._store = self._backend.described(location)
        self._gone, self._patience, self._notify = launch_is_gone, patience, notify
        self._kept = kept
        self._gone_since: float | None = None
        self._last_success = time.monotonic()
        self._told = False
        self.has_been_away = False
        """Whether the user was told that the store is away, now or before."""
        self._telling = threading.Lock()
        self.is_back = False
        """Whether the store answers again after the user was told that it is away."""

    def __call__(self, call: Callable[[], Result]) -> Result:
        """Return what ``call`` returns, after as many tries as it takes.

        ``call`` must be one transaction, or something that can be done twice without harm.

        Raises
        ------
        StoreAwayError
            When patience has run out; the message says what is wrong with the store.
        """
        delay, start = _FIRST_DELAY, time.monotonic()
        while True:
            asked = time.monotonic()
            try:
                result = call()
            except Exception as error:
                if not self._backend.may_pass(error):
                    raise
                reason = reason_of(error)
                if self._gone.is_set():
                    self._gone_since = self._gone_since or asked
                    if is_unbounded(reason):
                        raise self._still_away(reason) from error
                self._wait(reason, start, delay)
                delay = min(2 * delay, _LONGEST_DELAY)
            else:
                self._last_success = time.monotonic()
                self.is_back = self._told
                return result

    def caught_up(self) -> None:
        """Tell the user that the store is back; to be called when ``is_back`` and all that waited is sent."""
        self._notify(f"{self._store} is back; everything has been sent", False)
        self._told = self.is_back = False

    def _wait(self, reason: str, start: float, delay: float) -> None:
        with self._telling:
            now = time.monotonic()
            self.is_back = False
            if now - start > _HICCUP and not self._told:
                self._told = self.has_been_away = True
                self._notify(
                    f"{self._store} {self._trouble()} ({reason}); "
                    f"training goes on, and what happens is kept in {self._kept}",
                    True,
                )
            since = max(self._gone_since or now, self._last_success)
            if self._gone.is_set() and now > since + self._patience:
                raise self._still_away(reason)
        with self._backend.between_tries(self._location):
            time.sleep(delay)

    def _still_away(self, reason: str) -> StoreAwayError:
        return StoreAwayError(f"{self._store} still {self._trouble()} ({reason})")

    def _trouble(self) -> str:
        return "cannot be reached" if self._backend.can_be_away else "cannot be written to"


def is_unbounded(reason: str) -> bool:
    """Return whether a server's answer does not end, or would not fit into the memory."""
    return bool(UNBOUNDED.search(reason))


def reason_of(error: BaseException) -> str:
    """Return the reason for an error in a few words; libraries wrap the system's message in several lines."""
    text = without_password(" ".join(str(error).split()))
    system = re.search(r"\[Errno -?\d+\] ([^'\")\\]+)", text)
    if system:
        return system[1].strip()
    status = re.search(r"error code (\d{3})", text)
    if status:
        return f"it answers {status[1]}"
    if "timed out" in text or "timeout" in text.lower():
        return _SILENT
    if "is locked by" in text:
        return f"it {text}"
    if "is locked" in text:
        return "another program keeps it locked"
    return text[:_REASON_LENGTH] or type(error).__name__
