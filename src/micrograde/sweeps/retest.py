"""Which settings of a finished sweep are run again, and on which seeds; and what came of it, in a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.analysis import best_first, compare_settings, not_worse, summarize
from micrograde.analysis.best_setting import label_of
from micrograde.analysis.comparing import told_apart
from micrograde.analysis.repeats import of_repeats, of_settings
from micrograde.analysis.retests import FILE, metric_of_test_part, no_test_part, retests_of, winner_of
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.data.sets import path_keys
from micrograde.metrics import formatted
from micrograde.runs.files import files_of, read_recipe
from micrograde.runs.train import run_name
from micrograde.store import StoreLocation, Tracking, load_run

if TYPE_CHECKING:
    import pandas as pd

_EXACT = 2**53  # up to which a column of numbers holds every integer
_SEED, _SPLIT, _FOLD, _REPEAT = "seed", "data.seed", "data.fold", "data.repeat"


@dataclass(frozen=True)
class Retest:
    """A run that is to be made: a setting on a fresh seed.

    Attributes
    ----------
    overrides
        What was varied, and the fresh seeds, as one would type them.
    """

    config: TrainConfig
    name: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class RetestPlan:
    """What is asked of the end of a sweep: how many fresh seeds, of at most how many settings."""

    seeds: int
    settings: int


def settings_to_retest(settings: "pd.DataFrame", compared: "pd.DataFrame", most: int) -> "pd.DataFrame":
    """Return the settings that are run again, ``most`` at most: the best, and those not told to be worse.

    Parameters
    ----------
    settings
        The settings by their means, as ``summarize`` orders them.
    compared
        How they stand to the best, in the same order; see ``compare_settings``.
    """
    wanted = set(not_worse(compared).index)
    return settings.iloc[[row for row in best_first(settings) if row in wanted]].head(most)


def fresh_seeds(runs: "pd.DataFrame", varied: Sequence[str], count: int) -> list[dict[str, int]]:
    """Return for each of ``count`` runs the values of the keys that make it a repetition of its own.

    Seeds go on after the largest one that any run of the sweep had. If the split varied, so does
    ``data.seed``; if the folds did, the runs are the folds, one after another, of repeats that the sweep did
    not have.

    Raises
    ------
    InputError
        If the sweep's own seeds are so large that a larger one might be read as the same number.
    """
    repeats = of_repeats(varied)
    first = {name: _largest(runs, name) + 1 for name in (_SEED, _SPLIT, _REPEAT)}
    if max(first.values()) + count > _EXACT:
        raise InputError(
            f"the sweep has seeds up to {max(first.values()) - 1}, and fresh ones end at {_EXACT}"
        )
    found = []
    folds = max(_largest(runs, _FOLD), _largest(runs, "data.folds") - 1) + 1
    for number in range(count):
        values = {_SEED: first[_SEED] + number}
        if _SPLIT in repeats:
            values[_SPLIT] = first[_SPLIT] + number
        if _FOLD in repeats:
            values |= {_FOLD: number % folds, _REPEAT: first[_REPEAT] + number // folds}
        elif _REPEAT in repeats:
            values[_REPEAT] = first[_REPEAT] + number
        found.append(values)
    return found


def plan_retests(
    runs: "pd.DataFrame",
    varies: Sequence[str],
    metric: str,
    order: str,
    plan: RetestPlan,
    location: StoreLocation,
    tracking: Tracking,
    composed: Mapping[str, Any],
) -> list[Retest]:
    """Return the runs that are to be made, whether or not an earlier launch has made them.

    A setting's config is the recipe of one of its runs, read from the store as a replay reads it, with other
    seeds. ``composed`` is what the sweep's command says, whose paths of data files are followed.

    Raises
    ------
    InputError
        If no run has a value of the metric on a test part, or a recipe cannot be read.
    """
    if metric not in runs or not runs[metric].notna().any():
        raise InputError(f"no run has a value of {metric}")
    if metric_of_test_part(runs, metric) is None:
        raise InputError(no_test_part(metric))
    varied = told_apart(runs, varies)
    by = of_settings(varied)
    seeds = fresh_seeds(runs, varied, plan.seeds)
    paths = {
        key: value
        for key in path_keys()
        if isinstance(value := composed["data"].get(key), str) and value != "???"
    }
    found = []
    settings, compared = summarize(runs, by, metric, order), compare_settings(runs, metric, order, by)
    for row in settings_to_retest(settings, compared, plan.settings).to_dict("records"):
        stored = load_run(location.read_at, str(row["best_run_id"]))
        with files_of(stored, location) as files:
            config = read_recipe(files, stored, tracking, paths)
        set_here = [f"{name.removesuffix('.name')}={stored.params.get(name, 'null')}" for name in by]
        for values in seeds:
            typed = (*set_here, *(f"{key}={value}" for key, value in values.items()))
            found.append(Retest(_with(config, values), f"retest {run_name(typed)}"[:250], typed))
    return found


def _with(config: TrainConfig, values: Mapping[str, int]) -> TrainConfig:
    """Return the config with other values of these keys."""
    of_data: dict[str, Any] = {
        key.removeprefix("data."): value for key, value in values.items() if key.startswith("data.")
    }
    return replace(
        config, seed=values[_SEED], data=replace(config.data, **of_data) if of_data else config.data
    )


def _largest(runs: "pd.DataFrame", name: str) -> int:
    """Return the largest value of a param; -1 if no run has one."""
    if name not in runs:
        return -1
    return max((int(value) for value in runs[name].dropna().tolist()), default=-1)


# --- what came of it ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Retested:
    """What came of the retests of a sweep.

    Attributes
    ----------
    table
        A row for each setting, as ``load_retest`` returns it.
    winner
        The test part's value of the run that the sweep ranked best; None if unknown.
    """

    table: "pd.DataFrame"
    winner: float | None

    @property
    def metrics(self) -> dict[str, float]:
        """Return the numbers of the best setting as metrics: ``retest/kept/test/accuracy/mean`` and so on."""
        row = self.table.iloc[0]
        named = {
            "mean": row["mean"],
            "ci_low": row["ci_low"],
            "ci_high": row["ci_high"],
            "count": row["count"],
        }
        named |= {"sweep_mean": row["sweep_mean"], "winner": self.winner}
        found = {name: float(value) for name, value in named.items() if value is not None and value == value}
        return {f"retest/{row['metric']}/{name}": value for name, value in found.items()}

    def write(self, folder: Path) -> None:
        """Write ``retest.csv`` into a folder."""
        self.table.to_csv(folder / FILE, index=False)

    def lines(self) -> list[str]:
        """Return a line for each setting, the one that the sweep ranked best first."""
        lines = []
        names = list(map(str, self.table))
        by = names[: names.index("metric")]
        for number, row in enumerate(self.table.to_dict("records")):
            metric, count = str(row["metric"]), int(row["count"])
            said = _interval(metric, row) if count else "has no value"
            seeds = f"{count} fresh seed{'' if count == 1 else 's'}"
            if row["failed"]:
                seeds = f"{count} of {count + int(row['failed'])} fresh seeds"
            line = f"{metric} {said} ({seeds})"
            if number == 0 and self.winner is not None:
                line += f"; the run that ranked best had {formatted(metric, self.winner, '.4f')}"
            if len(self.table) > 1:
                line += "  " + label_of({name: row[name] for name in by})
            lines.append(printable(line))
        return lines


def retested(
    runs: "pd.DataFrame", retests: "pd.DataFrame", varies: Sequence[str], metric: str, order: str
) -> Retested | None:
    """Return what came of the retests; None if there are none that say anything."""
    try:
        table = retests_of(runs, retests, varies, metric, order)
    except InputError:
        return None
    return Retested(table, winner_of(runs, metric, order)) if len(table) else None


def _interval(metric: str, row: Mapping[Any, Any]) -> str:
    mean, low = float(row["mean"]), float(row["ci_low"])
    value = formatted(metric, mean, ".4f")
    return value if low != low else f"{value} ± {formatted(metric, mean - low, '.4f')}"
