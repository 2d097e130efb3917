"""The time of day for records: it never goes back while a process lives, and is after 1970 began.

MLflow takes no negative times, and puts its own in the place of 0.
"""

import time

EARLIEST = 1
"""The earliest time of a record, in milliseconds."""
_SLEEPING_TOO = getattr(time, "CLOCK_BOOTTIME", None)  # a clock that goes on while the machine sleeps


class Clock:
    """Tells the time by the wall clock as it was at first, and by what has passed since.

    So neither a clock that is set nor an hour that is repeated in autumn changes the order of records.
    """

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._passed_before = _monotonic()

    def now(self) -> int:
        """Return the milliseconds since 1970, at least 1."""
        return max((self._began + _monotonic() - self._passed_before) // 1_000_000, EARLIEST)


def _monotonic() -> int:
    return time.monotonic_ns() if _SLEEPING_TOO is None else time.clock_gettime_ns(_SLEEPING_TOO)
