"""Read one run from the store: its params and tags, its metrics, and the address of its files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from micrograde.core.errors import InputError
from micrograde.store import tags
from micrograde.store.left_out import LeftOut
from micrograde.store.readers import store_of
from micrograde.store.records import LARGEST, RunAbout, Selection
from micrograde.store.run_ids import find_run_id, no_such_run


@dataclass(frozen=True)
class StoredRun:
    """A run as it was in the store when it was read.

    Attributes
    ----------
    params
        Params as texts, as MLflow stores them.
    tags
        All tags, including MLflow's own.
    history
        The values of each metric, by step.
    artifact_uri
        The address of the run's files in the store.
    """

    about: RunAbout
    params: Mapping[str, str]
    tags: Mapping[str, str]
    history: Mapping[str, Mapping[int, float]]
    artifact_uri: str


def load_run(tracking_uri: str, run: str, key: str = "run_id") -> StoredRun:
    """Return the run or the sweep with this id or beginning of an id, or the ``latest`` run.

    Raises
    ------
    InputError
        If there is none, or if several begin like this; the message names ``key``, unless it is empty.
    """
    run_id = find_run_id(tracking_uri, run, key)
    found = store_of(tracking_uri).read_about(tracking_uri, Selection(run_ids=(run_id,)))
    if not found:
        raise InputError(no_such_run(tracking_uri, f"{key}={run}" if key else run))
    return _complete(tracking_uri, found[0])


def find_run(tracking_uri: str, run: str, key: str = "run_id") -> StoredRun:
    """Return the run as ``load_run`` does; but for a sweep the run in the middle of its best setting.

    Raises
    ------
    InputError
        If there is no such run, if several begin like this, or if none of the sweep has finished.
    """
    found = load_run(tracking_uri, run, key)
    if tags.SWEEP_DIGEST not in found.tags:
        return found
    if tags.BEST_RUN_ID not in found.tags:
        name = f"{key}={found.about.run_id}" if key else found.about.run_id
        raise InputError(f"{name}: is a sweep that has no best run; none has finished")
    return load_run(tracking_uri, found.tags[tags.BEST_RUN_ID], "run that stands for the sweep")


def last_run_of(tracking_uri: str, experiment_name: str, config_digest: str) -> StoredRun | None:
    """Return the run of this recipe that began last in an experiment; runs of sweeps are not considered."""
    raw = store_of(tracking_uri).read_runs(tracking_uri, Selection(experiment_name))
    alike = {run_id for run_id, key, value in raw.tags if (key, value) == (tags.CONFIG_DIGEST, config_digest)}
    return _last(tracking_uri, [about for about in raw.about if about.run_id in alike])


def last_stopped_run(tracking_uri: str) -> StoredRun | None:
    """Return the stopped run that began last and can go on; runs of sweeps are not considered."""
    raw = store_of(tracking_uri).read_runs(tracking_uri, Selection())
    settled = {run_id for run_id, key, _ in raw.tags if key == tags.SETTLED}
    stopped = [about for about in raw.about if about.status in ("KILLED", "FAILED")]
    return _last(tracking_uri, [about for about in stopped if about.run_id not in settled])


def same_value(stored: float, computed: float) -> bool:
    """Return whether a stored value is exactly the computed one.

    NaN equals NaN, and infinity equals the largest number, which MLflow stores in its place.
    """
    if math.isinf(computed):
        return stored in (computed, math.copysign(LARGEST, computed))
    return stored == computed or (math.isnan(stored) and math.isnan(computed))


def _last(uri: str, runs: Sequence[RunAbout]) -> StoredRun | None:
    alone = [about for about in runs if about.parent_run_id is None]
    last = max(alone, key=lambda about: (about.start_time or 0, about.run_id), default=None)
    return _complete(uri, last) if last else None


def _complete(uri: str, about: RunAbout) -> StoredRun:
    store = store_of(uri)
    details = store.read_details(uri, about.run_id)
    history: dict[str, dict[int, float]] = {}
    for points in store.read_points(uri, Selection(run_ids=(about.run_id,)), None, LeftOut(named=True)):
        for _, metric, step, value in points:
            history.setdefault(metric, {})[step] = math.nan if value is None else value
    return StoredRun(about, details.params, details.tags, history, details.artifact_uri)
