"""What an earlier launch of the same sweep has left in the store."""

from dataclasses import dataclass

from micrograde import tags
from micrograde.analysis.selection import Selection
from micrograde.analysis.stores import store_of
from micrograde.analysis.sweeps import list_sweeps
from micrograde.recorded_names import plain_name


@dataclass(frozen=True)
class EarlierRun:
    """A run of the sweep.

    Attributes
    ----------
    digest
        Of its config.
    data_digest
        Of the data that it was trained on; empty if it was not trained.
    done
        Whether it has finished, or would end the same way if it were run again.
    value
        Its last value of the sweep's metric.
    """

    run_id: str
    digest: str
    data_digest: str
    status: str
    done: bool
    value: float | None


@dataclass(frozen=True)
class EarlierSweep:
    """The parent run and its runs, as they began; superseded ones are left out."""

    run_id: str
    experiment_name: str
    runs: tuple[EarlierRun, ...]


def find_earlier(tracking_uri: str, digest: str, metric: str) -> EarlierSweep | None:
    """The latest sweep of this digest in the store, if there is one."""
    sweep = next((each for each in list_sweeps(tracking_uri) if each.digest == digest), None)
    if sweep is None:
        return None
    raw = store_of(tracking_uri).read_runs(tracking_uri, Selection(parent_run_id=sweep.run_id))
    digests = {run_id: value for run_id, key, value in raw.tags if key == tags.CONFIG_DIGEST}
    data = {run_id: value for run_id, key, value in raw.tags if key == tags.DATA_DIGEST}
    settled = {run_id for run_id, key, _ in raw.tags if key == tags.SETTLED}
    same = plain_name(metric)  # which an earlier version may have recorded by its other name
    values = {run_id: value for run_id, key, value in raw.metrics if plain_name(key) == same}
    runs = [
        EarlierRun(
            run.run_id,
            digests.get(run.run_id, ""),
            data.get(run.run_id, ""),
            run.status,
            run.status == "FINISHED" or (run.status == "FAILED" and run.run_id in settled),
            values.get(run.run_id),
        )
        for run in sorted(raw.about, key=lambda run: (run.start_time or 0, run.run_id))
    ]
    return EarlierSweep(sweep.run_id, sweep.experiment_name, tuple(runs))
