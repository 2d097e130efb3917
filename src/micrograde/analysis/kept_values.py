"""The values of the kept model, of runs that were recorded before these were.

Since recipe version 3 a run records what the model that it keeps scores on each part of the data, as
``kept/val/accuracy`` and so on. Of an earlier run most of these are known as well: ``test/*`` were always
of the model that was kept, and ``val/*`` of an epoch are what the weights after that epoch score. The weights
are those of the last epoch or, if the run was to stop early, of the best one. What the kept model scores on
the training part is not known: ``train/*`` are measured batch by batch, while the weights change.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from micrograde.metrics import KEPT, lower_is_better
from micrograde.store import tags
from micrograde.store.left_out import LeftOut
from micrograde.store.readers import store_of
from micrograde.store.records import LARGEST, RawRuns, Selection

EPOCH = f"{KEPT}epoch"
_STOPPING = "training.early_stopping."
_OF_MODEL = ("val/", "test/")
_EPOCH_NUMBER = re.compile("[0-9]{1,9}")

History = Mapping[str, Mapping[int, float]]
"""Each metric's value by step."""


def read_runs(tracking_uri: str, selection: Selection) -> RawRuns:
    """Return the selected runs, earlier ones with the values of their kept models, too."""
    raw = store_of(tracking_uri).read_runs(tracking_uri, selection)
    having = {run_id for run_id, key, _ in raw.metrics if key == EPOCH}
    earlier = {run.run_id for run in raw.about if run.status == "FINISHED"} - having
    if not earlier:
        return raw
    params = _by_run((row for row in raw.params if str(row[1]).startswith(_STOPPING)), earlier)
    given = _by_run((row for row in raw.tags if row[1] == tags.KEPT_EPOCH), earlier)
    stopped = {run_id for run_id in earlier if _stops_early(params.get(run_id, {}))}
    for run_id, key, value in list(raw.metrics):
        if run_id in earlier and key.startswith(_OF_MODEL) and not (run_id in stopped and key[:3] == "val"):
            raw.metrics.append((run_id, KEPT + key, value))
    histories = _validation_histories(tracking_uri, stopped, raw) if stopped else {}
    for run_id, history in histories.items():
        found = kept_values(history, params.get(run_id, {}), given.get(run_id, {}))
        raw.metrics.extend((run_id, key, value) for key, value in found.items())
    return raw


def kept_values(history: History, params: Mapping[str, str], given: Mapping[str, str]) -> dict[str, float]:
    """Return the values of the kept model of a finished run that did not record them.

    Parameters
    ----------
    history
        The values that it recorded.
    params, given
        Its params and tags.
    """
    if EPOCH in history:
        return {}
    epoch = _kept_epoch(history, params, given)
    tested = {name: points[max(points)] for name, points in history.items() if name.startswith("test/")}
    validated = {
        name: points[epoch] for name, points in history.items() if name[:4] == "val/" and epoch in points
    }
    found = {KEPT + name: value for name, value in (validated | tested).items()}
    return {EPOCH: float(epoch), **found} if epoch else found


def _kept_epoch(history: History, params: Mapping[str, str], given: Mapping[str, str]) -> int:
    """Return the epoch whose weights were kept; 0 if that is not known."""
    if _EPOCH_NUMBER.fullmatch(given.get(tags.KEPT_EPOCH, "")):  # anything may stand in a store
        return int(given[tags.KEPT_EPOCH])
    if not _stops_early(params):
        return max((max(points) for name, points in history.items() if name[:4] == "val/"), default=0)
    watched = params.get(f"{_STOPPING}metric", "val/loss")
    sign = 1.0 if lower_is_better(watched) else -1.0
    try:
        least = float(params.get(f"{_STOPPING}min_delta", "0"))
    except ValueError:
        return 0
    best, lowest = 0, math.inf
    for epoch, value in sorted(history.get(watched, {}).items()):
        if sign * value < lowest - least and abs(value) < LARGEST:
            best, lowest = epoch, sign * value
    return best


def _stops_early(params: Mapping[str, str]) -> bool:
    return params.get(f"{_STOPPING}enabled") == "true"


def _by_run(rows: Iterable[tuple[str, str, Any]], earlier: Collection[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for run_id, key, value in rows:
        if run_id in earlier:
            found.setdefault(run_id, {})[key] = str(value)
    return found


def _validation_histories(
    tracking_uri: str, run_ids: Collection[str], raw: RawRuns
) -> dict[str, dict[str, dict[int, float]]]:
    names = sorted({key for run_id, key, _ in raw.metrics if run_id in run_ids and key.startswith("val/")})
    found: dict[str, dict[str, dict[int, float]]] = {}
    left_out = LeftOut(named=False)
    selection = Selection(run_ids=tuple(sorted(run_ids)))
    for rows in store_of(tracking_uri).read_points(tracking_uri, selection, names, left_out):
        for run_id, name, step, value in rows:
            of_run = found.setdefault(run_id, {})
            of_run.setdefault(name, {})[step] = math.nan if value is None else value
    return {run_id: history for run_id, history in found.items() if run_id not in left_out.reasons}
