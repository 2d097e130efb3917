"""One run as the store has it: what it was told, what it measured, where its files are."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from micrograde import tags
from micrograde.analysis.selection import LARGEST, RunAbout, Selection
from micrograde.analysis.stores import store_of
from micrograde.errors import InputError

_ID = re.compile(r"[0-9a-f]{6,32}")
_ID_LENGTH = 32


@dataclass(frozen=True)
class StoredRun:
    """A run, read as it is at this moment.

    Attributes
    ----------
    params
        As texts.
    tags
        All of them, MLflow's own too.
    history
        Each metric's value by step.
    artifact_uri
        Where the store says that the run's files are.
    """

    about: RunAbout
    params: Mapping[str, str]
    tags: Mapping[str, str]
    history: Mapping[str, Mapping[int, float]]
    artifact_uri: str


def load_run(tracking_uri: str, run: str, key: str = "run_id") -> StoredRun:
    """The run with this id, or whose id begins like this (six signs or more).

    Raises
    ------
    InputError
        If there is none, or several begin like this; the line names ``key``, if there is one.
    """
    name = f"{key}={run}" if key else run
    if not _ID.fullmatch(run):
        raise InputError(f"{name}: is no run id; those are 32 signs of 0-9 and a-f, or 6 and more of them")
    store = store_of(tracking_uri)
    named = Selection(run_ids=(run,)) if len(run) == _ID_LENGTH else Selection()
    found = [about for about in store.read_about(tracking_uri, named) if about.run_id.startswith(run)]
    if not found:
        raise InputError(f"{name}: there is no such run in the store; make compare lists those there are")
    if len(found) > 1:
        several = " ".join(sorted(about.run_id for about in found)[:5])
        raise InputError(f"{name}: several runs begin like that: {several}")
    return _complete(tracking_uri, found[0])


def last_run_of(tracking_uri: str, experiment_name: str, config_digest: str) -> StoredRun | None:
    """The run of this recipe that began last in an experiment; sweeps' runs are theirs."""
    raw = store_of(tracking_uri).read_runs(tracking_uri, Selection(experiment_name))
    alike = {run_id for run_id, key, value in raw.tags if (key, value) == (tags.CONFIG_DIGEST, config_digest)}
    runs = [about for about in raw.about if about.run_id in alike and about.parent_run_id is None]
    last = max(runs, key=lambda about: (about.start_time or 0, about.run_id), default=None)
    return _complete(tracking_uri, last) if last else None


def same_value(stored: float, computed: float) -> bool:
    """Whether a store has just this value: bit for bit, NaN for NaN, the largest number for infinity."""
    if math.isinf(computed):
        return stored in (computed, math.copysign(LARGEST, computed))
    return stored == computed or (math.isnan(stored) and math.isnan(computed))


def _complete(uri: str, about: RunAbout) -> StoredRun:
    store = store_of(uri)
    details = store.read_details(uri, about.run_id)
    history: dict[str, dict[int, float]] = {}
    for points in store.read_points(uri, Selection(run_ids=(about.run_id,)), None):
        for _, metric, step, value in points:
            history.setdefault(metric, {})[step] = math.nan if value is None else value
    return StoredRun(about, details.params, details.tags, history, details.artifact_uri)
