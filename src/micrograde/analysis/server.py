"""A tracking server asked through MLflow's client; the same rows as ``sql_store`` reads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from micrograde import tags
from micrograde.analysis.selection import RawRuns, RunAbout, RunDetails, Selection, SweepAbout
from micrograde.errors import InputError
from micrograde.library_environment import quiet_libraries

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_REQUESTS_AT_ONCE = 8
_PAGE = 1000


def read_about(uri: str, selection: Selection) -> list[RunAbout]:
    """What every run has, of the runs selected; in no order."""
    return [about for about, _ in _selected(uri, selection)]


def read_runs(uri: str, selection: Selection) -> RawRuns:
    """The runs selected with their params, the last value of each metric, and tags but MLflow's."""
    raw = RawRuns([])
    for about, run in _selected(uri, selection):
        raw.about.append(about)
        raw.params += [(about.run_id, *item) for item in run.data.params.items()]
        raw.metrics += [(about.run_id, *item) for item in run.data.metrics.items()]
        given = run.data.tags.items()
        raw.tags += [(about.run_id, *item) for item in given if not item[0].startswith(tags.THEIRS)]
    return raw


def read_points(
    uri: str, selection: Selection, metrics: Sequence[str] | None
) -> Iterator[list[tuple[str, str, int, float | None]]]:
    """Every value of these metrics (None: of all) of the runs selected, some rows at a time, in no order.

    Rows of run id, metric, step and value. MLflow's client asks for one metric of one run at a time.
    """
    wanted = [
        (about.run_id, name)
        for about, run in _selected(uri, selection)
        for name in run.data.metrics
        if metrics is None or name in metrics
    ]
    with _asked(uri) as client:

        def points(of: tuple[str, str]) -> list[tuple[str, str, int, float | None]]:
            return [(*of, point.step, point.value) for point in client.get_metric_history(*of)]

        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            yield from pool.map(points, wanted)


def read_details(uri: str, run_id: str) -> RunDetails:
    """Params and all tags of a run that is there, and where its files are."""
    with _asked(uri) as client:
        run = client.get_run(run_id)
    return RunDetails(dict(run.data.params), dict(run.data.tags), run.info.artifact_uri)


def read_sweeps(uri: str) -> list[SweepAbout]:
    """All sweeps; in no order."""
    with _asked(uri) as client:
        experiments = _experiments(client)
        found = _paged(client.search_runs, list(experiments), f"tags.`{tags.SWEEP_DIGEST}` like '%'")
        return [
            SweepAbout(
                _about(run, experiments),
                run.data.tags[tags.SWEEP_DIGEST],
                run.data.tags.get(tags.SWEEP_VARIES),
                run.data.tags.get(tags.LAUNCHED),
                run.data.tags.get(tags.REPORTED),
            )
            for run in found
        ]


def count_runs(uri: str) -> dict[str, int]:
    """How many runs each sweep has, by its id; one without runs is left out."""
    counts: dict[str, int] = {}
    for about in read_about(uri, Selection()):
        if about.parent_run_id is not None:
            counts[about.parent_run_id] = counts.get(about.parent_run_id, 0) + 1
    return counts


@contextmanager
def _asked(uri: str) -> "Iterator[MlflowClient]":
    """A client; what goes wrong with it is ``InputError``, in a line and without a password."""
    with quiet_libraries():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            yield MlflowClient(uri)
        except MlflowException as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"the tracking server cannot be asked for its runs ({reason})") from None


def _selected(uri: str, selection: Selection) -> "list[tuple[RunAbout, Run]]":
    with _asked(uri) as client:
        experiments = _experiments(client)
        if selection.run_ids is not None:
            runs = _named(client, selection.run_ids)
        else:
            parent = selection.parent_run_id
            condition = f"tags.`{tags.PARENT}` = '{parent}'" if parent else ""
            runs = list(_paged(client.search_runs, list(experiments), condition))
            runs = [run for run in runs if not _hidden(run.data.tags)]
        pairs = [(_about(run, experiments), run) for run in runs if run.info.experiment_id in experiments]
    return [
        (about, run)
        for about, run in pairs
        if selection.experiment_name in (None, about.experiment_name)
        and selection.status in (None, about.status)
    ]


def _experiments(client: "MlflowClient") -> dict[str, str]:
    """Names by id."""
    return {each.experiment_id: each.name for each in _paged(client.search_experiments)}


def _named(client: "MlflowClient", run_ids: Sequence[str]) -> "list[Run]":
    """Those of these runs that there are and that are not deleted."""
    from mlflow.exceptions import MlflowException

    def get(run_id: str) -> "Run | None":
        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return run if run.info.lifecycle_stage == "active" else None

    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return [run for run in pool.map(get, run_ids) if run is not None]


def _hidden(given: dict[str, str]) -> bool:
    """Whether a run is a sweep itself, or an attempt that another has taken the place of."""
    return tags.SWEEP_DIGEST in given or given.get(tags.SUPERSEDED) == "true"


def _about(run: "Run", experiments: dict[str, str]) -> RunAbout:
    info = run.info
    return RunAbout(
        info.run_id,
        info.run_name,
        experiments[info.experiment_id],
        info.status,
        info.start_time,
        info.end_time,
        run.data.tags.get(tags.PARENT),
    )


def _paged(search: Callable[..., Any], *arguments: object) -> Iterator[Any]:
    """All that one of MLflow's searches finds, page by page."""
    token = None
    while token != "":
        page = search(*arguments, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token or ""
