"""What can go wrong with recording; each message is one line."""

from micrograde.core.errors import RunFailedError


class TrackingError(RunFailedError):
    """Runs could not be recorded; the message says why, and where the journal with everything is kept."""


class StoreAwayError(TrackingError):
    """The store has not answered for so long that it is not waited for any more."""


class DiskFullError(TrackingError):
    """There is no space left for what happens; what has been written until then is intact."""
