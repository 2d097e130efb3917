"""How a launch is recorded: the recorder that it calls, the journal on disk, and the writer process."""

from micrograde.tracking.claim import Claim, ClaimedError, claim
from micrograde.tracking.environment import parse_environment_tag
from micrograde.tracking.events import DatasetInput
from micrograde.tracking.launches import Launch, is_alive, set_aside, wait_for_writers
from micrograde.tracking.processes import ProcessIdentity
from micrograde.tracking.provenance import UNCOMMITTED, present_provenance, provenance_of
from micrograde.tracking.recorder import Recorder
from micrograde.tracking.recovery import has_left, recover
from micrograde.tracking.run_recorder import NullRecorder, RunIds, RunRecorder
from micrograde.tracking.sending import Kept, Sent, send_launch
from micrograde.tracking.writer_process import SERVER_PATIENCE, WriterProcess

__all__ = [
    "SERVER_PATIENCE",
    "UNCOMMITTED",
    "Claim",
    "ClaimedError",
    "DatasetInput",
    "Kept",
    "Launch",
    "NullRecorder",
    "ProcessIdentity",
    "Recorder",
    "RunIds",
    "RunRecorder",
    "Sent",
    "WriterProcess",
    "claim",
    "has_left",
    "is_alive",
    "parse_environment_tag",
    "present_provenance",
    "provenance_of",
    "recover",
    "send_launch",
    "set_aside",
    "wait_for_writers",
]
