"""The errors of recording; each message is one line."""

from micrograde.core.errors import InputError, RunFailedError


class TrackingError(RunFailedError):
    """Runs could not be recorded; the message says why, and where the journal of the launch is kept."""


class StoreAwayError(TrackingError):
    """The store has not answered for so long that the program stops waiting for it."""


class UnansweredError(InputError):
    """A server has not answered what it was asked for, or not now; it may in a while."""


class DiskFullError(TrackingError):
    """The disk is full, so that nothing more can be recorded; what was written before is intact."""


class BatchLostError(Exception):
    """SQLite has taken back what was written but not committed; none of it is in the store."""


class NotInStoreError(Exception):
    """The store has no run, experiment or model of this id; ``error_code`` is MLflow's word for it."""

    error_code = "RESOURCE_DOES_NOT_EXIST"


class NotActiveError(Exception):
    """A run or an experiment has been deleted, so that nothing is added to it."""

    error_code = "INVALID_PARAMETER_VALUE"
