"""Where runs are written: the store, the recorder that a launch talks to, and the writer behind it."""

from micrograde.tracking.claim import Claim, ClaimedError, claim
from micrograde.tracking.events import DatasetInput
from micrograde.tracking.recorder import (
    NullRecorder,
    RecordedRun,
    Recorder,
    RunRecorder,
    TrackingError,
    WriterProcess,
)
from micrograde.tracking.store import (
    StoreLocation,
    local_store,
    make_store,
    project_home,
    quiet_environment,
    server_store,
    without_password,
)

__all__ = [
    "Claim",
    "ClaimedError",
    "DatasetInput",
    "NullRecorder",
    "RecordedRun",
    "Recorder",
    "RunRecorder",
    "StoreLocation",
    "TrackingError",
    "WriterProcess",
    "claim",
    "local_store",
    "make_store",
    "project_home",
    "quiet_environment",
    "server_store",
    "without_password",
]
