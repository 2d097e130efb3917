"""Recorded runs and sweeps as objects: data frames of their numbers, and pictures that Jupyter shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from micrograde.analysis import (
    BestSetting,
    best_setting,
    compare_settings,
    group_over_seeds,
    load_history,
    load_runs,
    order_runs,
    table_of_runs,
)
from micrograde.analysis.comparing import usual_metric
from micrograde.analysis.kept_values import kept_values
from micrograde.analysis.out_of_fold import first_setting
from micrograde.analysis.repeats import split_retests
from micrograde.analysis.retests import retests_of
from micrograde.analysis.short_ids import SHORTEST
from micrograde.analysis.tables import INIT_FROM, as_cell
from micrograde.analysis.what_mattered import importance_of
from micrograde.api.notebook_cells import cell
from micrograde.config.locations import store_location
from micrograde.config.schema import as_params
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.working import working
from micrograde.diagnostics.permutation_importance import MOST_COLUMNS
from micrograde.drawing import Page
from micrograde.metrics import KEPT, METRICS, STEP, formatted, ranking_metrics
from micrograde.models.trained_network import TrainedNetwork, read_network
from micrograde.runs.column_importances import FILE as IMPORTANCES
from micrograde.runs.column_importances import read_importances
from micrograde.runs.files import contained, files_of
from micrograde.runs.notebook_progress import leave_curves_to
from micrograde.runs.row_predictions import FILE as PREDICTIONS
from micrograde.runs.row_predictions import read_predictions
from micrograde.runs.side_by_side import Comparison, compare_runs
from micrograde.runs.train import RunResult
from micrograde.store import StoreLocation, find_run, find_run_id, find_sweep, load_run, tags
from micrograde.store.backends.local import LocalTracking
from micrograde.store.records import LARGEST
from micrograde.sweeps.out_of_fold import FILE as OUT_OF_FOLD
from micrograde.sweeps.out_of_fold import read_out_of_fold

if TYPE_CHECKING:
    import pandas as pd

Order = Literal["auto", "ascending", "descending"]

_ROWS = 10  # of a sweep's runs that Jupyter shows
_FAILURES = 5
_RUN_PICTURES = ("learning_curves", "decision_boundary", "confusion_matrix")
_SWEEP_PICTURES = ("by_parameter", "learning_curves", "heat_map")
_PDF = "application/pdf"
_MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif", ".pdf": _PDF}


@dataclass(frozen=True)
class Figure:
    """A picture that a run or a sweep has recorded; Jupyter shows it.

    Attributes
    ----------
    media_type
        ``image/svg+xml``, ``image/png``, ``image/gif`` or ``application/pdf``.
    """

    media_type: str
    content: bytes = field(repr=False)

    def _repr_mimebundle_(self, **_: object) -> dict[str, bytes | str]:
        is_text = self.media_type == "image/svg+xml"
        return {self.media_type: self.content.decode() if is_text else self.content}

    def save(self, path: str | Path) -> None:
        """Write the picture to a file, byte for byte as it is in the store."""
        Path(path).write_bytes(self.content)


@dataclass(frozen=True, eq=False)
class Run:
    """A run with its params, metrics, findings, pictures and model.

    Attributes
    ----------
    status, reason
        FINISHED, or FAILED or KILLED with the reason.
    params
        The flattened config as MLflow stores it: ``params["optimizer.learning_rate"]`` is ``"0.1"``.
    metrics
        The last value of each metric.
    history
        One row per epoch (index ``epoch``, from 1), one column per metric.
    findings
        Sentences about what stands out in how the network learned.
    steps
        With ``training.log_every`` one row per step that was logged (index ``step``, of the optimizer), one
        column per metric: ``train/loss`` and so on, of the step's batch; else None.
    run_id
        MLflow's id of the run; None if it is in no store.
    """

    name: str
    status: str
    reason: str | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    history: "pd.DataFrame"
    findings: tuple[str, ...]
    run_id: str | None = None
    location: StoreLocation | None = None
    steps: "pd.DataFrame | None" = None

    @classmethod
    def load(cls, run_id: str, location: StoreLocation | None = None) -> "Run":
        """Return a run of a store, by default the project's own.

        Parameters
        ----------
        run_id
            Its id, at least the first six characters of it, or ``latest``: of the runs that have finished,
            the one that began last. A sweep's id stands for the run in the middle of
            its best setting.

        Raises
        ------
        InputError
            If there is no such run.
        """
        location = location or store_location(LocalTracking())
        uri = location.tracking_uri
        with working("reading the run back", "stderr"):
            stored = find_run(uri, _text_of(run_id))
        about, described = stored.about, stored.tags.get(tags.DESCRIPTION, "")
        described = described.removeprefix(stored.tags.get(tags.NOTE, ""))
        points = load_history(uri, run_ids=[about.run_id])
        kept = kept_values(stored.history, stored.params, stored.tags) if about.status == "FINISHED" else {}
        last = {name: _last(points) for name, points in stored.history.items()}
        points = points.astype({"metric": str})
        of_steps = points["metric"].str.startswith(STEP)
        return cls(
            name=about.run_name or "",
            status=about.status,
            reason=stored.tags.get(tags.REASON),
            params=dict(sorted(stored.params.items())),
            metrics=dict(sorted((kept | last).items())),
            history=_epochs(_by_step(points[~of_steps])),
            steps=_steps(_by_step(points[of_steps])),
            findings=tuple(
                line.removeprefix("- ") for line in described.splitlines() if line.startswith("- ")
            ),
            run_id=about.run_id,
            location=location,
        )

    @classmethod
    def of_result(cls, result: RunResult) -> "Run":
        """Return the run of a result that is in no store."""
        import pandas as pd

        epochs = len(next(iter(result.history.values()), ()))
        table = pd.DataFrame(result.history, index=pd.RangeIndex(1, epochs + 1))
        return cls(
            name=result.name,
            status=result.status,
            reason=result.reason,
            params=dict(sorted(as_params(result.config).items())),
            metrics=dict(sorted(result.last_metrics().items())),
            history=_epochs(table[sorted(result.history)]),
            findings=result.findings,
            steps=_steps(pd.DataFrame(result.steps)),
        )

    @property
    def init_from(self) -> str | None:
        """The id of the run whose kept weights it began with; None if it began with its own."""
        found = self.params.get(INIT_FROM)
        return None if found in (None, "null") else found

    @cached_property
    def lineage(self) -> tuple[str, ...]:
        """The ids of the runs that it descends from by ``model.init_from``, its parent first.

        The last one began with weights of its own, or began from one that has been deleted, whose id ends it.
        """
        found: dict[str, None] = {}
        parent = self.init_from
        while parent is not None and parent not in found:
            found[parent] = None
            if self.location is None:
                break
            with suppress(InputError):  # it has been deleted
                stored = load_run(self.location.tracking_uri, parent)
                parent = stored.tags.get(tags.INIT_FROM)
        return tuple(found)

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """The run's pictures by name: ``figures["learning_curves"]``; empty if it is in no store."""
        return _figures(self.run_id, self.location)

    @cached_property
    def walkthrough(self) -> Page | None:
        """The network's forward and backward pass, step by step.

        None if the run recorded none, as runs of a sweep do with ``tracking.pictures=auto``.
        """
        with _left_behind(self.run_id, self.location, "walkthrough.html") as path:
            return Page(path.read_text(encoding="utf-8")) if path else None

    @cached_property
    def model(self) -> TrainedNetwork:
        """The trained network: ``model.predict(table)``.

        Raises
        ------
        InputError
            If the run left no model, as with ``tracking=disabled``.
        """
        with _left_behind(self.run_id, self.location, "model") as path:
            if path is None:
                raise InputError("the run left no model; only a recorded run has one")
            return read_network(path)

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """What its model says of each row of its data: row, part, true, predicted, loss, probabilities.

        See ``micrograde.runs.row_predictions`` for the columns.

        Raises
        ------
        InputError
            If the run left no predictions: it did not finish, is of an earlier version, or in no store.
        """
        with _left_behind(self.run_id, self.location, PREDICTIONS) as path:
            if path is None:
                raise InputError(
                    f"run {self.run_id or 'of no store'}: has no {PREDICTIONS}; runs that finish and are "
                    "recorded leave one, since recipe version 3"
                )
            return read_predictions(path)

    @cached_property
    def importances(self) -> "pd.DataFrame":
        """What its model loses when the values of one column are shuffled, the most important column first.

        See ``micrograde.runs.column_importances`` for the columns.

        Raises
        ------
        InputError
            If the run left no importances, as runs of a sweep do with ``tracking.pictures=auto``.
        """
        with _left_behind(self.run_id, self.location, IMPORTANCES) as path:
            if path is None:
                raise InputError(
                    f"run {self.run_id or 'of no store'}: has no {IMPORTANCES}; since recipe version 3 runs "
                    "that finish and have all pictures leave one (in a sweep with tracking.pictures=all), "
                    f"but not for images or more than {MOST_COLUMNS} columns"
                )
            return read_importances(path)

    def __repr__(self) -> str:
        names = (*ranking_metrics("val"), "val/loss", *ranking_metrics("test"))
        best_known = (KEPT + each if KEPT + each in self.metrics else each for each in names)
        shown = (name for name in best_known if name in self.metrics)
        values = "".join(f", {name} {formatted(name, self.metrics[name], '.4f')}" for name in shown)
        because = f" ({self.reason})" if self.reason else ""
        began = f", began from run {self.init_from[:SHORTEST]}" if self.init_from else ""
        named = f"{self.run_id or 'of no store'} {self.name}"
        return printable(f"<Run {named}: {self.status}{because}{values}{began}>")

    def _repr_html_(self) -> str:
        """Return what Jupyter shows: last metrics, findings and the most important pictures."""
        import pandas as pd

        kept = KEPT if f"{KEPT}train/loss" in self.metrics or f"{KEPT}val/loss" in self.metrics else ""
        parts = {"training": f"{kept}train", "validation": f"{kept}val", "test": f"{kept}test"}
        measured = (name.removeprefix(f"{kept}train/") for name in self.metrics)
        measures = dict.fromkeys(
            ("loss", *ranking_metrics(), *(name for name in measured if name in METRICS))
        )
        rows = {
            name: {
                measure: as_cell(measure, self.metrics[f"{part}/{measure}"])
                for measure in measures
                if f"{part}/{measure}" in self.metrics
            }
            for name, part in parts.items()
        }
        table = pd.DataFrame.from_dict({name: row for name, row in rows.items() if row}, orient="index")
        where = f", run {self.run_id}" if self.run_id else ", in no store"
        because = f": {self.reason}" if self.reason else f" after {len(self.history)} epochs"
        began = f"; began from run {self.init_from[:SHORTEST]}" if self.init_from else ""
        title = f"{self.name}{where}: {self.status}{because}{began}"
        return cell(title, table, self.findings, *_looked_at(self.figures, _RUN_PICTURES))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        leave_curves_to(self.name)
        return {"text/plain": _as_text(self, self.findings), "text/html": self._repr_html_()}


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep and its runs.

    Attributes
    ----------
    run_id
        MLflow's id of the run that the sweep's runs are nested under.
    metric, order
        The metric that its best setting is chosen by; with ``ascending`` order the lowest value is best, with
        ``descending`` the highest, with ``auto`` that depends on the metric.
    varies
        The params in which its runs differ.
    runs
        One row per run, best first, with params, last metrics and tags; see ``load_runs``.
    """

    run_id: str
    name: str
    status: str
    metric: str
    order: Order
    varies: tuple[str, ...]
    runs: "pd.DataFrame"
    location: StoreLocation

    @classmethod
    def load(
        cls,
        sweep: str = "latest",
        location: StoreLocation | None = None,
        metric: str | None = None,
        order: Order = "auto",
    ) -> "Sweep":
        """Return a sweep of a store, by default the project's own.

        Parameters
        ----------
        sweep
            Its run id, the beginning of that, its name, or ``latest``.
        metric
            What its runs are ranked by; None for the accuracy or the RMSE of the kept models, see
            ``usual_metric``.

        Raises
        ------
        InputError
            If there is no such sweep.
        """
        location = location or store_location(LocalTracking())
        found = find_sweep(location.tracking_uri, _text_of(sweep))
        with working("reading the runs back", "stderr"):
            runs = load_runs(location.tracking_uri, sweep=found.run_id)
        metric = metric or usual_metric(runs)
        if metric in runs:
            runs = order_runs(runs, metric, order, finished_first=True)
        runs = runs.reset_index(drop=True)
        return cls(found.run_id, found.name, found.status, metric, order, found.varies, runs, location)

    @cached_property
    def history(self) -> "pd.DataFrame":
        """Every value of every metric: run_id, metric, step, value; see ``load_history``."""
        return load_history(self.location.tracking_uri, sweep=self.run_id)

    @cached_property
    def best(self) -> Run | None:
        """The run in the middle of the best setting, not the luckiest; None if no run has finished.

        See ``best_setting``. ``sweep.runs`` has the best single run first.
        """
        return self.run(self.best_setting.run_id) if self.best_setting else None

    @cached_property
    def best_setting(self) -> BestSetting | None:
        """The setting with the best mean over its seeds, splits and folds; None if no run has finished.

        >>> sweep.best_setting.params, sweep.best_setting.mean, sweep.best_setting.count
        """
        return best_setting(self.runs, self.metric, self.order, self.varies or None)

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """The pictures that compare its runs, by name."""
        return _figures(self.run_id, self.location)

    def run(self, run_id: str) -> Run:
        """Return one of its runs by its id, at least the first six characters of it, or ``latest``."""
        uri = self.location.tracking_uri
        return Run.load(find_run_id(uri, _text_of(run_id), sweep=self.run_id), self.location)

    def over_seeds(self) -> "pd.DataFrame":
        """Return mean, std and count of runs that differ only in the seed; see ``group_over_seeds``."""
        return group_over_seeds(self.runs, self.metric, self.order)

    def importance(self) -> "pd.DataFrame":
        """Return how much of its metric's variance each swept key, each pair and the seed have.

        See ``micrograde.analysis.load_importance`` for the columns, and for when it raises ``InputError``
        because it cannot be told. ``Run.importances`` is of the columns of a table.
        """
        return importance_of(self.runs, self.varies, self.metric)

    def compare_settings(self, margin: float | None = None) -> "pd.DataFrame":
        """Return how each setting stands to the best one; see ``micrograde.analysis.compare_settings``."""
        return compare_settings(self.runs, self.metric, self.order, margin=margin)

    def out_of_fold(self, *, every_setting: bool = False, each_run: bool = False) -> "pd.DataFrame":
        """Return what the runs of a sweep over folds say of the rows that they held out.

        Rows that most runs miss come first: hard ones, and those whose label is wrong. See
        ``micrograde.analysis.out_of_fold`` for the columns.

        Parameters
        ----------
        every_setting
            Whether to return the rows of every setting, the best one's first, with columns that say which it
            is; if not, those of the best alone.
        each_run
            Whether to return a row for each run and each row that it held out, of every setting.

        Raises
        ------
        InputError
            If the sweep is not over folds, or no run has finished.
        """
        rows = read_out_of_fold(self.location, self.run_id, each_run=each_run)
        if rows is None:
            raise InputError(
                f"sweep {self.run_id}: has no {OUT_OF_FOLD}; a sweep over folds leaves one: data.folds=5, say"
            )
        return rows if every_setting or each_run else first_setting(rows)

    def retest(self) -> "pd.DataFrame":
        """Return its settings on fresh seeds, a row each, if it was run with ``sweep.retest``.

        See ``micrograde.analysis.load_retest`` for the columns.

        Raises
        ------
        InputError
            If it has no such runs, or they have no test part.
        """
        read = load_runs(self.location.tracking_uri, sweep=self.run_id, retests=True)
        return retests_of(*split_retests(read), self.varies, self.metric, self.order)

    def __repr__(self) -> str:
        counts = self.runs["status"].value_counts().items() if len(self.runs) else ()
        said = ", ".join(f"{count} {status}" for status, count in counts)
        return printable(f"<Sweep {self.run_id} {self.name}: {said or 'no runs'}>")

    def _repr_html_(self) -> str:
        """Return what Jupyter shows: the best runs and setting, its findings, why others failed, pictures."""
        runs, metric = self.runs, self.metric
        shown = table_of_runs(runs, metric).head(_ROWS) if len(runs) else runs
        for name in shown:
            shown[name] = [as_cell(str(name), value) for value in shown[name]]
        said = repr(self).strip("<>").partition(": ")[2]
        first = f"; the first {_ROWS}, best {metric} first" if len(runs) > _ROWS else ""
        title = f"{self.name}, sweep {self.run_id}: {said}{first}"
        return cell(title, shown, self._sentences(), *_looked_at(self.figures, _SWEEP_PICTURES))

    def _sentences(self) -> list[str]:
        """Return the best setting, the findings of the run that stands for it, and why others failed."""
        runs, best = self.runs, self.best_setting
        sentences = [f"{word}: {text}" for word, text in (best.lines() if best else ())]
        whose = "run in the middle" if best and best.count > 1 else "best run"
        sentences += [f"{whose}: {finding}" for finding in (self.best.findings if self.best else ())]
        failed = runs[runs["status"] == "FAILED"] if len(runs) else runs
        for _, run in failed.head(_FAILURES).iterrows():
            sentences.append(f"failed: {run['run_name']}: {run.get(f'tags.{tags.REASON}', '')}")
        if len(failed) > _FAILURES:
            sentences.append(f"and {len(failed) - _FAILURES} more failed")
        return sentences

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        leave_curves_to(self.name)
        return {"text/plain": _as_text(self, self._sentences()), "text/html": self._repr_html_()}


def load_predictions(run: "str | Run" = "latest", location: StoreLocation | None = None) -> "pd.DataFrame":
    """Return what the model of a run says of each row of its data; see ``Run.predictions``.

    >>> rows = mg.load_predictions("latest")
    >>> rows[rows["true"] != rows["predicted"]].nlargest(5, "loss")

    Raises
    ------
    InputError
        If there is no such run, or it left no predictions.
    """
    return (run if isinstance(run, Run) else Run.load(run, location)).predictions


def load_importance(
    sweep: "str | Sweep" = "latest", location: StoreLocation | None = None, metric: str | None = None
) -> "pd.DataFrame":
    """Return how much of the variance of a sweep's metric each swept key, each pair and the seed have.

    ``load_importances(run)`` is something else: what the columns of a table mean to one trained network.

    >>> mg.load_importance("latest").set_index("of")["share"]

    See ``micrograde.analysis.load_importance`` for the columns.

    Parameters
    ----------
    metric
        None for the sweep's own, or the accuracy or RMSE of the kept models of one that is named by its id.

    Raises
    ------
    InputError
        If there is no such sweep, no run has the metric, or it cannot be told: the message says why.
    """
    found = sweep if isinstance(sweep, Sweep) else Sweep.load(sweep, location, metric)
    return importance_of(found.runs, found.varies, metric or found.metric)


def load_retest(sweep: "str | Sweep" = "latest", location: StoreLocation | None = None) -> "pd.DataFrame":
    """Return the settings of a sweep that was run with ``sweep.retest`` on fresh seeds; see ``Sweep.retest``.

    >>> mg.load_retest("latest")[["mean", "ci_low", "ci_high", "winner"]]

    Raises
    ------
    InputError
        If there is no such sweep, it has no such runs, or they have no test part.
    """
    return (sweep if isinstance(sweep, Sweep) else Sweep.load(sweep, location)).retest()


def load_importances(run: "str | Run" = "latest", location: StoreLocation | None = None) -> "pd.DataFrame":
    """Return what the model of a run loses when one column is shuffled; see ``Run.importances``.

    Of a sweep, ``load_importance(sweep)`` says which of its keys mattered.

    >>> mg.load_importances("latest").set_index("column")["accuracy_drop"]

    Raises
    ------
    InputError
        If there is no such run, or it left no importances.
    """
    return (run if isinstance(run, Run) else Run.load(run, location)).importances


def load_out_of_fold(
    sweep: "str | Sweep" = "latest",
    location: StoreLocation | None = None,
    *,
    every_setting: bool = False,
    each_run: bool = False,
) -> "pd.DataFrame":
    """Return what the runs of a sweep over folds say of the rows that they held out; ``Sweep.out_of_fold``.

    >>> mg.load_out_of_fold("latest").head(10)  # the rows that most runs miss

    Raises
    ------
    InputError
        If there is no such sweep, or it is not over folds.
    """
    found = sweep if isinstance(sweep, Sweep) else Sweep.load(sweep, location)
    return found.out_of_fold(every_setting=every_setting, each_run=each_run)


def compare(
    *runs: str | Run | Sweep, metric: str | None = None, location: StoreLocation | None = None
) -> Comparison:
    """Put two to seven runs side by side, as ``pipelines/compare.py A B`` does.

    >>> mg.compare("3cf88ee7", "latest").differences  # only the params in which they differ

    Parameters
    ----------
    runs
        Ids or their beginnings, ``latest``, or objects that ``run`` and ``sweep`` return; a sweep stands for
        the run in the middle of its best setting.
    metric
        One more metric to draw, and to put first in the table.
    location
        The store of the runs, by default that of the objects, or the project's own.

    Raises
    ------
    InputError
        If a run does not exist or is in no store, or two are the same run.
    """
    for run in runs:
        if not isinstance(run, str | Run | Sweep):
            raise InputError(_no_run(run))
    named = [run if isinstance(run, str) else run.run_id for run in runs]
    stores = [run.location for run in runs if not isinstance(run, str) and run.location]
    if None in named:
        raise InputError("a run that is in no store cannot be compared; train it without tracking=disabled")
    where = location or (stores[0] if stores else store_location(LocalTracking()))
    return compare_runs(where.tracking_uri, [str(run_id) for run_id in named], metric)


def _as_text(shown: object, sentences: Sequence[str]) -> str:
    return "\n".join([repr(shown), *(f"  {printable(sentence)}" for sentence in sentences)])


def _text_of(run: object) -> str:
    """Return what was given for a run; raise ``InputError`` if it is not text."""
    if not isinstance(run, str):
        raise InputError(_no_run(run))
    return run


def _no_run(given: object) -> str:
    what = (
        repr(given)
        if given is None or isinstance(given, int | float)
        else f"a value of type {type(given).__name__}"
    )
    return f"{what}: names no run; give an id as text, such as '3cf88ee7', or 'latest'"


def _last(points: Mapping[int, float]) -> float:
    value = points[max(points)]
    return math.copysign(math.inf, value) if abs(value) == LARGEST else value


def _epochs(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of epochs, with the metrics that are measured during training."""
    measured = [name for name in table if not str(name).startswith(("test/", KEPT))]
    table = table.loc[table.index >= 1, measured].dropna(axis="columns", how="all")
    return table.rename_axis(index="epoch", columns=None)


def _by_step(points: "pd.DataFrame") -> "pd.DataFrame":
    return points.pivot(index="step", columns="metric", values="value")


def _steps(table: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return the rows of logged steps, with the names of the epochs' metrics; None if there are none."""
    table = table.rename(columns=lambda name: str(name).removeprefix(STEP))
    if not len(table):
        return None
    return table.sort_index(axis="columns").rename_axis(index="step", columns=None)


def _looked_at(
    figures: Mapping[str, Figure], first: Sequence[str]
) -> tuple[dict[str, tuple[str, bytes]], list[str]]:
    """Return the pictures that are shown, and the names of the others."""
    images = [name for name in figures if figures[name].media_type != _PDF]  # no page shows that as an image
    names = [name for name in first if name in images] or images[: len(first)]
    shown = {name: (figures[name].media_type, figures[name].content) for name in names}
    return shown, [name for name in figures if name not in shown]


def _figures(run_id: str | None, location: StoreLocation | None) -> dict[str, Figure]:
    with _left_behind(run_id, location, "figures") as folder:
        files = sorted(path for path in folder.iterdir() if path.is_file()) if folder else []
        # A decision boundary is recorded both as a picture and as an animation.
        return {
            path.stem if path.suffix != ".gif" else f"{path.stem}_animation": Figure(kind, path.read_bytes())
            for path in files
            if (kind := _MEDIA_TYPES.get(path.suffix)) and contained(path.parent, path.name)
        }


@contextmanager
def _left_behind(run_id: str | None, location: StoreLocation | None, name: str) -> Iterator[Path | None]:
    """Yield the path of the file or folder of this name among a run's files; None if there is none.

    It may be a temporary copy, which exists while the context lasts.
    """
    if run_id is None or location is None:
        yield None
        return
    with files_of(load_run(location.tracking_uri, run_id), location, (name,)) as folder:
        yield contained(folder, name)
