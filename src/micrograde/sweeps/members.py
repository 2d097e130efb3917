"""Pack the runs of another launcher's job into one word of a command line, and run them in that job."""

import base64
import json
import socket
import sys
import time
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress

from micrograde.analysis.ranking import loss_beside
from micrograde.config.locations import store_location
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.data import Dataset
from micrograde.runs.live_run import RunRequest
from micrograde.runs.progress import Watch
from micrograde.runs.train import PreparedSets, open_recorder, train_runs
from micrograde.store import TrackingError, tags
from micrograde.sweeps.jobs import Job
from micrograde.tracking import Recorder, WriterProcess, has_left, recover

_SECONDS_BETWEEN_WORDS = 1.0

Answers = dict[str, tuple[str, float | None, str | None, float | None, str]]
"""What a job answers of each of its runs, by the digest of its config: the fields of ``Outcome``."""


class MembersWatch(Watch):
    """Counts what has been trained, and tells it now and then, as nobody watches a worker.

    Parameters
    ----------
    tell
        Called with how many runs have ended and how many epochs all have trained, once a second at most.
    """

    def __init__(self, tell: Callable[[int, int], object] = lambda ended, epochs: None) -> None:  # noqa: ARG005
        self._tell = tell
        self._ended = self._epochs = 0
        self._told = time.monotonic()

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Count the epoch."""
        self._epochs += 1
        self._tell_now_and_then()

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Count the run."""
        self._ended += 1
        self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_WORDS:
            self._told = now
            self._tell(self._ended, self._epochs)


def encode_members(
    jobs: Sequence[Job], parent_run_id: str | None, metric: str, server_patience: float
) -> str:
    """Encode all that is needed to run these jobs elsewhere, in characters that need no quoting.

    ``metric`` is what the sweep ranks its runs by; ``server_patience`` is as for ``Recorder``.
    """
    members = [[job.name, list(job.overrides), job.digest, job.container] for job in jobs]
    content = {
        "parent": parent_run_id,
        "members": members,
        "metric": metric,
        "script": sys.argv[0],
        "server_patience": server_patience,
    }
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(content).encode())).decode()


def run_members(
    text: str,
    writer: WriterProcess | None = None,
    *,
    rows: Mapping[Hashable, Dataset] | None = None,
    watch: Watch | None = None,
    finish: Callable[[Callable[[], object]], object] = lambda close: close(),
) -> Answers:
    """Run encoded jobs as stacks, one at a time, and record them.

    What earlier launches have left in this worker's home is sent first, if the store is there. What is not in
    the store at the end stays in the launch's folder, and the answer says where.

    Parameters
    ----------
    rows
        Rows of data sets that this machine need not have; see ``PreparedSets.rows_key``.
    watch
        Told how the training goes; by default nobody is.
    finish
        Calls what waits for the store once all is trained.

    Returns
    -------
    Status, metric, reason and loss of each run, and where it is kept, by the digest of its job.
    """
    try:
        content = json.loads(zlib.decompress(base64.urlsafe_b64decode(text)))
    except (ValueError, zlib.error):
        raise InputError("sweep.members: is not a word that a sweep made; leave it out") from None
    sys.argv[:1] = [content["script"]]  # recorded as the runs' source, instead of the worker's own
    nested = {tags.PARENT: content["parent"]} if content["parent"] else {}
    digests = [digest for _, _, digest, _ in content["members"]]
    requests = [
        RunRequest(parse_train_config(container), name, overrides, tags=nested)
        for name, overrides, _, container in content["members"]
    ]
    metric, tracking = content["metric"], requests[0].config.tracking
    if (location := store_location(tracking)) and has_left(location):
        with suppress(InputError, TrackingError, OSError):  # it is away: the next job tries again
            recover(location)
    prepared = PreparedSets()
    for key, each in (rows or {}).items():
        prepared.take_rows(key, each)
    kept, why = "", None
    with open_recorder(tracking, writer, server_patience=content["server_patience"]) as recorder:
        runs = train_runs(requests, recorder, prepared, watch or MembersWatch(), workers=1)
        try:
            finish(recorder.close)
        except TrackingError:
            if not (isinstance(recorder, Recorder) and recorder.kept):
                raise
        if isinstance(recorder, Recorder) and recorder.kept:
            folder, why = recorder.kept
            kept = f"{socket.gethostname()}:{folder.parent}"
    ended: Answers = {}
    for run in runs:
        metrics = run.last_metrics()
        loss = metrics.get(loss_beside(metric, metrics) or "")
        ended[digests[run.place]] = (run.status, metrics.get(metric), run.reason or why, loss, kept)
    return ended
