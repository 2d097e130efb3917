"""Put a few runs side by side: what differs between them, their last metrics, their curves in one picture."""

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograde.analysis.comparing import METRICS
from micrograde.analysis.joining import infinities
from micrograde.analysis.kept_values import kept_values
from micrograde.analysis.short_ids import short_ids
from micrograde.analysis.tables import as_cell
from micrograde.config.recipe_versions import VERSION_KEY, complete
from micrograde.config.schema import TrainConfig, as_text, flatten
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.project import command_line
from micrograde.drawing import RunCurves, Svg, draw_run_curves
from micrograde.drawing.run.side_by_side import MOST_RUNS
from micrograde.metrics import name_in_history
from micrograde.store import StoredRun, find_run, tags
from micrograde.store.metric_names import name_among
from micrograde.tracking import UNCOMMITTED, provenance_of

if TYPE_CHECKING:
    import pandas as pd

_EPOCHS = "train/loss"  # the metric that every epoch has
_THEIRS = ("mlflow.", tags.OWN)  # prefixes of tags that no user has given
DIFFERENCE = "difference"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side; Jupyter shows tables and curves.

    Attributes
    ----------
    runs
        The runs, in the order in which they were named.
    differences
        What is not the same in all runs: a row per param, with index ``key``, and rows for other known facts
        such as status, data digest and commit; a column per run, named by its short id. Values are text,
        missing where a run has none.
    metrics
        The last value of each metric, with index ``metric``; a column per run, and for two runs a column
        ``difference``, the second minus the first.
    different, same
        How many params differ, and how many are the same in all runs.
    curves
        Losses and accuracies by epoch, or None if none was measured.
    """

    runs: tuple[StoredRun, ...]
    differences: "pd.DataFrame"
    metrics: "pd.DataFrame"
    different: int
    same: int
    curves: Svg | None

    @property
    def names(self) -> list[str]:
        """The short ids of the runs."""
        return short_ids([run.about.run_id for run in self.runs])

    @property
    def title(self) -> str:
        """How many params differ, in a few words."""
        differ = f"{self.different} param{'s differ' if self.different != 1 else ' differs'}"
        return f"{len(self.runs)} runs: {differ}, {self.same} are the same"

    @property
    def notes(self) -> list[str]:
        """What to know before relying on the comparison, a sentence each."""
        notes = [_note(name, run) for name, run in zip(self.names, self.runs, strict=True)]
        if all(provenance_of(run.tags).get(UNCOMMITTED) == "yes" for run in self.runs):
            notes.append("all had changes in the working tree that were not committed: the code may differ")
        return [note for note in notes if note]

    def readable_metrics(self) -> "pd.DataFrame":
        """Return ``metrics`` as text, rounded to a few digits, with its index as a column."""
        shown = self.metrics.copy().astype(object)
        for metric, row in self.metrics.iterrows():
            for column, value in row.items():
                is_difference = column == DIFFERENCE
                shown.loc[metric, column] = (
                    _signed(str(metric), value) if is_difference else as_cell(str(metric), value)
                )
        return shown.reset_index()

    def table(self) -> "pd.DataFrame":
        """Return both tables as one, to be saved, as text.

        The index says which table a row is from, ``differs`` or ``metric``, and its key; a column per run.
        """
        import pandas as pd

        metrics = self.metrics.map(lambda value: "" if math.isnan(value) else repr(float(value)))
        both = {"differs": self.differences.rename_axis("key"), "metric": metrics.rename_axis("key")}
        return pd.concat(both, names=["what"]).reset_index()

    def __repr__(self) -> str:
        tables = [self.differences.to_string(na_rep="-"), self.readable_metrics().to_string(index=False)]
        return "\n\n".join(
            "\n".join(map(printable, each.split("\n"))) for each in [self.title, *tables, *self.notes]
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        metrics = self.readable_metrics().to_html(index=False)
        curves = self.curves.text if self.curves else ""
        return f"<p>{escape(self.title)}</p>{self.differences.to_html(na_rep='-')}{metrics}{notes}{curves}"


def compare_runs(tracking_uri: str, runs: Sequence[str], metric: str | None = None) -> Comparison:
    """Put two runs of a store, or up to seven, side by side.

    Parameters
    ----------
    runs
        As in ``find_run``: ids or their beginnings, a sweep's id for its best setting's, or ``latest``.
    metric
        A metric to show first in the table, and to draw before the losses and accuracies.

    Raises
    ------
    InputError
        If a run does not exist, two are the same run, there are too few or too many, or none has the metric.
    """
    if len(runs) < 2:
        listed = command_line("compare")
        raise InputError(
            f"{' '.join(runs)}: is one run; name another beside it: {listed} lists those there are"
        )
    if len(runs) > MOST_RUNS:
        table = command_line("compare")
        raise InputError(
            f"{' '.join(runs)}: at most {MOST_RUNS} runs go side by side; {table} has all in a table"
        )
    found = [find_run(tracking_uri, run, key="") for run in runs]
    names_of: dict[str, str] = {}
    for typed, run in zip(runs, found, strict=True):
        run_id = run.about.run_id
        if run_id in names_of:
            both = f"{names_of[run_id]} and {typed}" if names_of[run_id] != typed else f"{typed} twice"
            raise InputError(f"{both}: is one run, {run_id}; name another to put beside it")
        names_of[run_id] = typed
    if metric is not None:
        metric = name_among(metric, {name for run in found for name in run.history})
    if metric is not None and not any(metric in run.history for run in found):
        there_are = sorted({name for run in found for name in run.history})
        raise InputError(
            f"metric={metric}: none of the runs has it; there are {printable(', '.join(there_are) or 'none')}"
        )
    params = [_params(run) for run in found]
    keys = list(dict.fromkeys(sorted(key for each in params for key in each)))
    differing = [key for key in keys if len({each.get(key) for each in params}) > 1]
    point = "; ".join(f"{key} {' / '.join(each.get(key, '-') for each in params)}" for key in differing)
    return Comparison(
        tuple(found),
        _differences(found, params, keys),
        _metrics(found, metric),
        len(differing),
        len(keys) - len(differing),
        _curves(found, metric, point),
    )


def picture_path(home: Path, runs: Sequence[StoredRun]) -> Path:
    """Return the default path of the picture of some runs' curves."""
    # The ids may come from a server, so only their letters and digits are used in the path.
    ids = [re.sub(r"[^A-Za-z0-9]", "", name) for name in short_ids([run.about.run_id for run in runs])]
    return home / "mlruns" / "reports" / f"{'-'.join(ids)}.svg"


def told_apart(values: Sequence[str], length: int, more: str) -> list[str]:
    """Shorten what long values have in common at their beginning, so that the part that differs is visible.

    ``more`` marks what is left out. The values are returned as they are if none is longer than ``length``, or
    if the common beginning is at most half of that.
    """
    first, last = min(values), max(values)
    pairs = enumerate(zip(first, last, strict=False))
    alike = next((place for place, (one, other) in pairs if one != other), len(first))
    if max(map(len, values)) <= length or alike <= length // 2:
        return list(values)
    return [f"{value[: length // 4]}{more}{value[alike - length // 4 :]}" for value in values]


def _params(run: StoredRun) -> dict[str, str]:
    """Return the params of a run; keys that an earlier version's recipe lacks have their legacy values."""
    params = dict(run.params)
    if tags.CONFIG_DIGEST in run.tags:
        version = params.get(VERSION_KEY, "1")
        container: dict[str, Any] = {}
        for key, value in params.items():
            *groups, name = key.split(".")
            inner = container
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[name] = value
        with contextlib.suppress(InputError, ValueError):  # of a later version, which this one cannot read
            container[VERSION_KEY] = int(version)
            completed = complete(container, TrainConfig)
            del completed["plugins"], completed["drawing"]  # a tag of the run, and no param
            completed["model"].pop("init_digest", None)  # a tag, too
            for key, value in flatten(completed).items():
                params.setdefault(key, as_text(value))
    return params


def _differences(
    runs: Sequence[StoredRun], params: Sequence[Mapping[str, str]], keys: Sequence[str]
) -> "pd.DataFrame":
    import pandas as pd

    told = [_about(run) for run in runs]
    known = [{**_own_tags(run), **_provenance(run)} for run in runs]
    rows = {}
    for named in (told, params, known):
        for key in keys if named is params else dict.fromkeys(key for each in named for key in each):
            values = [each.get(key) for each in named]
            if len(set(values)) > 1 and key not in rows:
                rows[key] = values
    names = short_ids([run.about.run_id for run in runs])
    index = pd.Index(list(rows), name="key", dtype="str")
    return pd.DataFrame(list(rows.values()), index=index, columns=names, dtype="str")


def _about(run: StoredRun) -> dict[str, str]:
    about = run.about
    given = {
        "run_name": about.run_name,
        "experiment_name": about.experiment_name,
        "status": about.status,
        "epochs": str(_epochs(run)),
        "duration": as_cell("duration", (about.end_time - about.start_time) / 1000)
        if about.start_time is not None and about.end_time is not None
        else None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _provenance(run: StoredRun) -> dict[str, str]:
    return {key: value[:12] if key == "commit" else value for key, value in provenance_of(run.tags).items()}


def _own_tags(run: StoredRun) -> dict[str, str]:
    """Return the user's tags and note."""
    words = {f"tags.{key}": value for key, value in run.tags.items() if not key.startswith(_THEIRS)}
    return {**words, "note": run.tags[tags.NOTE]} if tags.NOTE in run.tags else words


def _metrics(runs: Sequence[StoredRun], metric: str | None) -> "pd.DataFrame":
    import pandas as pd

    found = [
        (kept_values(run.history, run.params, run.tags) if run.about.status == "FINISHED" else {})
        | {name: _last(points) for name, points in run.history.items()}
        for run in runs
    ]
    there_are = {name for values in found for name in values}
    first = [name for name in (metric, *METRICS) if name in there_are]
    order = list(dict.fromkeys([*first, *sorted(there_are)]))
    last = [[values.get(name, math.nan) for values in found] for name in order]
    values = infinities(np.array(last, float).reshape(len(order), len(runs)))
    index = pd.Index(order, name="metric", dtype="str")
    table = pd.DataFrame(values, index=index, columns=short_ids([run.about.run_id for run in runs]))
    if len(runs) == 2:
        with np.errstate(invalid="ignore"):
            table[DIFFERENCE] = values[:, 1] - values[:, 0]
    return table


def _curves(runs: Sequence[StoredRun], metric: str | None, point: str) -> Svg | None:
    wanted = [name_in_history(metric)] if metric else []
    wanted += [name for name in map(name_in_history, METRICS) if not name.startswith("test/")]
    panels = []
    for name in dict.fromkeys(wanted):
        curves = []
        for run in runs:
            steps = sorted(run.history.get(name, {}))
            values = infinities(np.array([run.history[name][step] for step in steps], float))
            curves.append((np.array(steps, np.int64), values))
        if any(len(steps) for steps, _ in curves):
            panels.append(RunCurves(name, curves))
    if not panels:
        return None
    ids = short_ids([run.about.run_id for run in runs])
    names = [f"{short}  {run.about.run_name or ''}" for short, run in zip(ids, runs, strict=True)]
    return draw_run_curves(panels, names, title=f"{len(runs)} runs side by side", point=point)


def _note(name: str, run: StoredRun) -> str:
    status, epochs = run.about.status, _epochs(run)
    if status == "FINISHED":
        return ""
    if status == "RUNNING":
        return f"{name} is going on: its values are those up to epoch {epochs}"
    reason = run.tags.get(tags.REASON)
    return f"{name} is {status} after {epochs} epoch{'s' * (epochs != 1)}" + (f": {reason}" if reason else "")


def _epochs(run: StoredRun) -> int:
    return max(run.history.get(_EPOCHS, {}), default=0)


def _last(points: Mapping[int, float]) -> float:
    return points[max(points)] if points else math.nan


def _signed(metric: str, difference: float) -> str:
    if not math.isfinite(difference):
        return "-"
    if difference == 0:
        return "0"
    text = as_cell(metric, difference)
    return text if difference < 0 else f"+{text}"
