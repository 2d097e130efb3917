"""The errors of recording; each message is one line."""

from micrograde.core.errors import RunFailedError


class TrackingError(RunFailedError):
    """Runs could not be recorded; the message says why, and where the journal of the launch is kept."""


class StoreAwayError(TrackingError):
    """The store has not answered for so long that the program stops waiting for it."""


class DiskFullError(TrackingError):
    """The disk is full, so that nothing more can be recorded; what was written before is intact."""
