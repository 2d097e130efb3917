"""Find what earlier launches of the same sweep have left in the store."""

import math
import re
from dataclasses import dataclass

from micrograde.analysis.kept_values import read_runs
from micrograde.analysis.ranking import loss_beside
from micrograde.store import tags
from micrograde.store.metric_names import plain_name
from micrograde.store.records import Selection
from micrograde.store.stored_sweeps import list_sweeps

_SEED = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class EarlierRun:
    """A run that an earlier launch of the sweep has recorded.

    Attributes
    ----------
    digest
        The digest of its config.
    data_digest
        The digest of the data that it was trained on; empty if it was not trained.
    done
        Whether it has finished, or would fail again in the same way.
    value, loss
        Its last value of the sweep's metric, and of the loss that breaks ties.
    retest
        Whether it repeats a setting on a fresh seed.
    """

    run_id: str
    digest: str
    data_digest: str
    status: str
    done: bool
    value: float | None
    name: str = ""
    seed: int = 0
    loss: float = math.nan
    retest: bool = False


@dataclass(frozen=True)
class EarlierSweep:
    """The parent run of a sweep and its runs, in the order in which they began, without superseded ones.

    Attributes
    ----------
    end_time
        When the sweep ended, or else the last of its runs, in milliseconds since 1970.
    reported
        The metric and order of its report; None if there is no report.
    varies
        The params in which its runs differ, as far as the tag says.
    """

    run_id: str
    experiment_name: str
    status: str
    end_time: int | None
    reported: str | None
    runs: tuple[EarlierRun, ...]
    varies: tuple[str, ...] = ()


def find_earlier(tracking_uri: str, digest: str, metric: str) -> EarlierSweep | None:
    """Return the latest sweep of this digest in the store; None if there is none."""
    sweep = next((each for each in list_sweeps(tracking_uri) if each.digest == digest), None)
    if sweep is None:
        return None
    raw = read_runs(tracking_uri, Selection(parent_run_id=sweep.run_id))
    digests = {run_id: value for run_id, key, value in raw.tags if key == tags.CONFIG_DIGEST}
    data = {run_id: value for run_id, key, value in raw.tags if key == tags.DATA_DIGEST}
    retests = {run_id for run_id, key, value in raw.tags if key == tags.RETEST and value == "true"}
    settled = {run_id for run_id, key, _ in raw.tags if key == tags.SETTLED}
    same = plain_name(metric)  # which an earlier version may have recorded by its other name
    measured: dict[str, dict[str, float]] = {}
    for run_id, key, value in raw.metrics:
        name = metric if plain_name(key) == same else key
        measured.setdefault(run_id, {})[name] = math.nan if value is None else value
    seeds = {run_id: value for run_id, key, value in raw.params if key == "seed"}

    def loss(run_id: str) -> float:
        metrics = measured.get(run_id, {})
        beside = loss_beside(metric, metrics)
        return metrics[beside] if beside else math.nan

    runs = [
        EarlierRun(
            run.run_id,
            digests.get(run.run_id, ""),
            data.get(run.run_id, ""),
            run.status,
            run.status == "FINISHED" or (run.status == "FAILED" and run.run_id in settled),
            measured.get(run.run_id, {}).get(metric),
            run.run_name or "",
            int(seeds[run.run_id]) if _SEED.fullmatch(seeds.get(run.run_id, "")) else 0,
            loss(run.run_id),
            run.run_id in retests,
        )
        for run in sorted(raw.about, key=lambda run: (run.start_time or 0, run.run_id))
    ]
    ends = [run.end_time for run in raw.about if run.end_time is not None]
    end = sweep.end_time if sweep.status == "FINISHED" else max(ends, default=None)
    return EarlierSweep(
        sweep.run_id, sweep.experiment_name, sweep.status, end, sweep.reported, tuple(runs), sweep.varies
    )
