"""Where runs are written: the store, the recorder that a launch talks to, and the writer behind it."""

from micrograde.redaction import without_password
from micrograde.tracking.addresses import folder_here
from micrograde.tracking.claim import Claim, ClaimedError, claim
from micrograde.tracking.environment import parse_environment_tag
from micrograde.tracking.errors import DiskFullError, StoreAwayError, TrackingError
from micrograde.tracking.events import DatasetInput
from micrograde.tracking.experiment_check import check_experiment
from micrograde.tracking.launches import Launch, is_alive, wait_for_writers
from micrograde.tracking.mlmodel import ModelDescription
from micrograde.tracking.processes import ProcessIdentity
from micrograde.tracking.provenance import UNCOMMITTED, present_provenance, provenance_of
from micrograde.tracking.recorder import Recorder
from micrograde.tracking.recovery import recover
from micrograde.tracking.run_recorder import NullRecorder, RecordedRun, RunRecorder
from micrograde.tracking.sending import Kept, Sent, send_launch
from micrograde.tracking.server_files import named_folder, open_files, shown_address
from micrograde.tracking.store import (
    StoreLocation,
    checkout,
    local_store,
    make_store,
    project_home,
    server_store,
)
from micrograde.tracking.writer_process import WriterProcess

__all__ = [
    "UNCOMMITTED",
    "Claim",
    "ClaimedError",
    "DatasetInput",
    "DiskFullError",
    "Kept",
    "Launch",
    "ModelDescription",
    "NullRecorder",
    "ProcessIdentity",
    "RecordedRun",
    "Recorder",
    "RunRecorder",
    "Sent",
    "StoreAwayError",
    "StoreLocation",
    "TrackingError",
    "WriterProcess",
    "check_experiment",
    "checkout",
    "claim",
    "folder_here",
    "is_alive",
    "local_store",
    "make_store",
    "named_folder",
    "open_files",
    "parse_environment_tag",
    "present_provenance",
    "project_home",
    "provenance_of",
    "recover",
    "send_launch",
    "server_store",
    "shown_address",
    "wait_for_writers",
    "without_password",
]
