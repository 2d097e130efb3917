"""Read the runs of a tracking server, as the same rows as ``sql_reader`` returns.

Each answer is read field by field, as MLflow's client would read it. Invalid values are passed on, so that
``sound_records`` can reject them run by run.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from micrograde.core.bounds import MOST_EXPERIMENTS, MOST_POINTS, MOST_RUNS_OF_SERVER
from micrograde.core.errors import InputError
from micrograde.core.terminal import say
from micrograde.store import tags
from micrograde.store.errors import UnansweredError
from micrograde.store.left_out import LeftOut
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.records import RawRuns, RunAbout, RunDetails, Selection, SweepAbout
from micrograde.store.rest_client import Server, ServerError
from micrograde.store.sound_records import sound_about, sound_details, sound_points, sound_runs, sound_sweeps

_REQUESTS_AT_ONCE = 8
_PAGE = 500
_POINTS = 25_000  # values of a metric in one page
_EXPERIMENTS = 1000  # experiments whose runs are searched in one request


@dataclass(frozen=True)
class _Run:
    """A run as a server sends it: no value in it has been checked yet."""

    about: RunAbout
    experiment_id: str
    active: bool
    params: dict[Any, Any]
    metrics: dict[Any, Any]
    tags: dict[Any, Any]
    artifact_uri: Any


def read_about(uri: str, selection: Selection) -> list[RunAbout]:
    """Return what every run has, for the selected runs, in no particular order."""
    left_out = LeftOut(named=selection.run_ids is not None)
    about = sound_about((run.about for run in _selected(uri, selection)), left_out)
    left_out.say()
    return about


def read_runs(uri: str, selection: Selection) -> RawRuns:
    """Return the selected runs with params, the last value of each metric, and all tags except MLflow's."""
    left_out = LeftOut(named=selection.run_ids is not None)
    raw = _sound(_selected(uri, selection), left_out)
    left_out.say()
    return raw


def read_points(
    uri: str, selection: Selection, metrics: Sequence[str] | None, left_out: LeftOut
) -> Iterator[Sequence[tuple[str, str, int, float | None]]]:
    """Yield every value of these metrics (None: of all) of the selected runs, in no particular order.

    Each item is a list of rows: run id, metric, step and value. Each request asks for one metric of one run.
    A run that turns out to be unreadable is added to ``left_out``: the caller must then drop its rows.
    """
    raw = _sound(_selected(uri, selection), left_out)
    wanted = [(run_id, name) for run_id, name, _ in raw.metrics if metrics is None or name in metrics]
    with _asked(uri) as server:

        def points(of: tuple[str, str]) -> list[tuple[Any, Any, Any, Any]]:
            run_id, name = of
            given = {"run_id": run_id, "run_uuid": run_id, "metric_key": name}
            pages = server.pages("metrics/get-history", given, "metrics", _POINTS, MOST_POINTS + 1)
            return [(*of, _whole(_of(each, "step", 0)), _measured(each)) for page in pages for each in page]

        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            for rows in pool.map(points, wanted):
                if len(rows) > MOST_POINTS:
                    left_out.add(rows[0][0], f"a metric of it has more than {MOST_POINTS:,} values")
                else:
                    yield sound_points(rows, left_out)


def read_details(uri: str, run_id: str) -> RunDetails:
    """Return params, all tags and the file address of an existing run."""
    with _asked(uri) as server:
        run = _read(server.get("runs/get", {"run_id": run_id, "run_uuid": run_id}).get("run"), {})
    return sound_details(run_id, RunDetails(run.params, run.tags, run.artifact_uri))


def read_sweeps(uri: str) -> list[SweepAbout]:
    """Return all sweeps, in no particular order."""
    with _asked(uri) as server:
        experiments = _experiments(server)
        runs = _search(server, experiments, f"tags.`{tags.SWEEP_DIGEST}` like '%'")
    left_out = LeftOut()
    found = (SweepAbout.of_run(run.about, run.tags) for run in runs if tags.SWEEP_DIGEST in run.tags)
    sweeps = sound_sweeps(found, left_out)
    left_out.say()
    return sweeps


def count_runs(uri: str) -> dict[str, int]:
    """Return the number of runs of each sweep, by the sweep's id, but for its retests."""
    counts: dict[str, int] = {}
    for about in read_about(uri, Selection(retests=False)):
        if about.parent_run_id is not None:
            counts[about.parent_run_id] = counts.get(about.parent_run_id, 0) + 1
    return counts


@contextmanager
def _asked(uri: str) -> Iterator[Server]:
    """Give access to the server; its errors become ``InputError``, one line that does not show a password."""
    with quiet_libraries():
        try:
            yield Server(uri)
        except ServerError as error:
            kind = UnansweredError if error.passes else InputError
            raise kind(f"the tracking server cannot be asked for its runs ({error})") from None


def _selected(uri: str, selection: Selection) -> list[_Run]:
    with _asked(uri) as server:
        experiments = _experiments(server)
        if selection.run_ids is not None:
            runs = _named(server, selection.run_ids, experiments)
        else:
            parent = selection.parent_run_id
            condition = f"tags.`{tags.PARENT}` = '{parent}'" if parent else ""
            runs = _search(server, experiments, condition)
            runs = [run for run in runs if not _hidden(run.tags)]
            if parent:  # the server may have ignored the condition
                runs = [run for run in runs if run.about.parent_run_id == parent]
    return [
        run
        for run in runs
        if run.active
        and (selection.retests or run.tags.get(tags.RETEST) != "true")
        and (run.experiment_id in experiments or run.about.experiment_name is None)
        and selection.experiment_name in (None, run.about.experiment_name)
        and selection.status in (None, run.about.status)
    ]


def _sound(runs: Sequence[_Run], left_out: LeftOut) -> RawRuns:
    raw = RawRuns([])
    for run in runs:
        run_id = run.about.run_id
        raw.about.append(run.about)
        if not isinstance(run_id, str):  # ``sound_runs`` leaves it out
            continue
        raw.params += [(run_id, *item) for item in run.params.items()]
        raw.metrics += [(run_id, *item) for item in run.metrics.items()]
        raw.tags += [(run_id, *item) for item in run.tags.items() if not item[0].startswith(tags.THEIRS)]
    return sound_runs(raw, left_out)


def _experiments(server: Server) -> dict[str, str]:
    """Return the names of all experiments, by id."""
    pages = server.pages("experiments/search", {}, "experiments", _EXPERIMENTS, MOST_EXPERIMENTS)
    found = [(_of(each, "experiment_id"), _of(each, "name")) for page in pages for each in page]
    return {number: name for number, name in found if isinstance(number, str)}


def _search(server: Server, experiments: Mapping[str, str], condition: str) -> list[_Run]:
    """Return the runs of these experiments that meet a condition, in the syntax of MLflow's search."""
    found: list[_Run] = []
    ids = list(experiments)
    for start in range(0, len(ids), _EXPERIMENTS):
        given = {"experiment_ids": ids[start : start + _EXPERIMENTS], "filter": condition}
        for page in server.pages("runs/search", given, "runs", _PAGE, MOST_RUNS_OF_SERVER + 1):
            found += [_read(each, experiments) for each in page]
        if len(found) > MOST_RUNS_OF_SERVER:
            say(f"the server has more than {MOST_RUNS_OF_SERVER:,} runs; the others are not read", sys.stderr)
            return found[:MOST_RUNS_OF_SERVER]
    return found


def _named(server: Server, run_ids: Sequence[str], experiments: Mapping[str, str]) -> list[_Run]:
    """Return the runs with these ids; those that do not exist are left out."""

    def get(run_id: str) -> _Run | None:
        try:
            answer = server.get("runs/get", {"run_id": run_id, "run_uuid": run_id})
        except ServerError as error:
            if error.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        run = _read(answer.get("run"), experiments)
        if run.about.run_id != run_id:
            raise ServerError(f"asked for run {run_id}, it answers with another")
        return run

    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return [run for run in pool.map(get, run_ids) if run is not None]


def _hidden(given: Mapping[str, Any]) -> bool:
    """Return whether a run is a sweep itself, or an attempt that another run has replaced."""
    return tags.SWEEP_DIGEST in given or given.get(tags.SUPERSEDED) == "true"


# --- what an answer says ------------------------------------------------------------------------


def _read(run: object, experiments: Mapping[str, str]) -> _Run:
    """Return the run in an answer, which may be anything."""
    info, data = _of(run, "info"), _of(run, "data")
    given = _pairs(_of(data, "tags"))
    experiment_id = _of(info, "experiment_id")
    known = isinstance(experiment_id, str)  # else the run has no experiment, and is left out for that
    end = _whole(_of(info, "end_time"))
    about = RunAbout(
        _of(info, "run_id", _of(info, "run_uuid")),
        _of(info, "run_name") or given.get("mlflow.runName"),
        experiments.get(experiment_id, "?") if known else None,  # type: ignore[arg-type]
        _of(info, "status", "RUNNING"),
        _whole(_of(info, "start_time")),
        end or None,  # MLflow sends zero for a run that is going on
        given.get(tags.PARENT),
    )
    metrics = _of(data, "metrics")
    measured = {_of(each, "key"): _measured(each) for each in _listed(metrics) if _is_key(each)}
    active = _of(info, "lifecycle_stage", "active") == "active"
    params, address = _pairs(_of(data, "params")), _of(info, "artifact_uri", "")
    return _Run(about, experiment_id if known else "", active, params, measured, given, address)


def _of(content: object, key: str, missing: Any = None) -> Any:
    """Return the value of a key in a JSON object; ``missing`` if there is no such key, or no object."""
    value = content.get(key) if isinstance(content, dict) else None
    return missing if value is None else value


def _listed(content: object) -> list[Any]:
    return content if isinstance(content, list) else []


def _is_key(item: object) -> bool:
    return isinstance(_of(item, "key"), str)


def _pairs(content: object) -> dict[str, Any]:
    """Return a list of objects with ``key`` and ``value`` as a dictionary.

    A value that is not text becomes ``b""``, which ``sound_records`` rejects.
    """
    pairs = ((each["key"], _of(each, "value", "")) for each in _listed(content) if _is_key(each))
    return {key: value if isinstance(value, str) else b"" for key, value in pairs}


def _whole(value: Any) -> Any:
    """Return an integer, which JSON may have as text; another value is returned unchanged."""
    if isinstance(value, str) and len(value) < 20 and value.removeprefix("-").isdecimal():
        value = int(value)
    return value if type(value) is not int or abs(value) < 2**63 else "no number of 64 bits"


def _measured(metric: object) -> Any:
    """Return a metric's value, where NaN and infinities are texts in JSON; others are returned unchanged."""
    value = _of(metric, "value", 0.0)
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if type(value) is int:
        return float(value) if abs(value) < 2**1023 else "no number of 64 bits"
    return value
