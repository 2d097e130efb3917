"""Pack the runs of another launcher's job into one word of a command line, and run them in that job."""

import base64
import json
import sys
import zlib
from collections.abc import Mapping, Sequence

from micrograde.analysis.ranking import loss_beside
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.runs.live_run import RunRequest
from micrograde.runs.progress import Watch
from micrograde.runs.train import PreparedSets, open_recorder, train_runs
from micrograde.store import tags
from micrograde.sweeps.jobs import Job
from micrograde.tracking import WriterProcess


class _Silent(Watch):
    """Shows no progress, as nobody watches a worker."""

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Show nothing."""

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """Show nothing."""


def encode_members(jobs: Sequence[Job], parent_run_id: str | None, metric: str) -> str:
    """Encode all that is needed to run these jobs elsewhere, in characters that need no quoting.

    ``metric`` is what the sweep ranks its runs by.
    """
    members = [[job.name, list(job.overrides), job.digest, job.container] for job in jobs]
    content = json.dumps(
        {"parent": parent_run_id, "members": members, "metric": metric, "script": sys.argv[0]}
    )
    return base64.urlsafe_b64encode(zlib.compress(content.encode())).decode()


def run_members(
    text: str, writer: WriterProcess | None = None
) -> dict[str, tuple[str, float | None, str | None, float | None]]:
    """Run encoded jobs as stacks, one at a time, and record them.

    Returns
    -------
    Status, metric, reason and loss of each run, by the digest of its job.
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
    metric = content["metric"]
    with open_recorder(requests[0].config.tracking, writer) as recorder:
        runs = train_runs(requests, recorder, PreparedSets(), _Silent(), workers=1)
        recorder.close()
    ended: dict[str, tuple[str, float | None, str | None, float | None]] = {}
    for run in runs:
        metrics = run.last_metrics()
        loss = metrics.get(loss_beside(metric, metrics) or "")
        ended[digests[run.place]] = (run.status, metrics.get(metric), run.reason, loss)
    return ended
