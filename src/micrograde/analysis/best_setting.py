"""The best setting of a sweep: the mean over its seeds, splits and folds, and the run in the middle of them.

The best run of many is also the luckiest one. Settings are therefore ranked by their mean, and the model that
stands for a setting is that of its median run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from micrograde.analysis.comparing import ascending, varying_parameters
from micrograde.analysis.ranking import rank
from micrograde.analysis.repeats import counted, of_settings
from micrograde.analysis.summary import place_of_best, summarize
from micrograde.core.natural_order import is_missing
from micrograde.core.plain_numbers import plain_number
from micrograde.core.printable import printable
from micrograde.metrics import formatted

if TYPE_CHECKING:
    import pandas as pd

_PARAMS = 8  # listed in a line; of more, as a preset may set, the first ones


@dataclass(frozen=True)
class BestSetting:
    """The setting with the best mean among a sweep's runs.

    Attributes
    ----------
    metric
        What settings are ranked by.
    params
        What sets it apart from the others: the params that vary beside seeds, splits and folds. None stands
        for one that its runs do not have.
    mean, std
        Over its finished runs with a value; the sample standard deviation is NaN for a single one.
    ci_low, ci_high
        The 95 % interval of the mean, by Student's t; NaN for a single run.
    count, failed
        How many of its runs have finished with a value, and how many others it has.
    run_id, run_name, value
        The run in the middle, whose model stands for the setting, and its value: the median, or of an even
        number of runs the one of the two in the middle that ranks lower. The id is empty if it is in no
        store.
    run_ids
        Its finished runs with a value, the best first.
    settings
        How many settings the sweep has.
    most
        The number of runs of the setting that has most.
    passed_over
        How many settings rank before it, of so few runs that they do not count; see
        ``place_of_best``.
    """

    metric: str
    params: Mapping[str, object]
    mean: float
    std: float
    ci_low: float
    ci_high: float
    count: int
    failed: int
    run_id: str
    run_name: str
    value: float
    run_ids: tuple[str, ...] = ()
    settings: int = 1
    most: int = 1
    passed_over: int = 0

    @property
    def repeats(self) -> bool:
        """Whether any setting of the sweep was repeated, with another seed, split or fold."""
        return self.most > 1

    @property
    def is_sure(self) -> bool:
        """Whether there is an interval.

        There is none of a single run, of infinite values, or of values that are all alike: that a few small
        parts came out the same is no proof that the next one does.
        """
        return bool(np.isfinite(self.ci_high - self.ci_low)) and self.std > 0

    @property
    def label(self) -> str:
        """Its params as text, ``learning_rate=0.3 optimizer=adam``; empty if it is the only setting."""
        return label_of(self.params)

    @property
    def text(self) -> str:
        """The mean and half of its interval, ``0.9804 ± 0.0012``; where there is none, the mean alone."""
        return self.of(self.mean) + (
            f" ± {self.of((self.ci_high - self.ci_low) / 2)}" if self.is_sure else ""
        )

    @property
    def counted(self) -> str:
        """What the mean is of: ``mean of 4 of 5 runs``, ``mean of 3 runs, all alike``, ``one run``."""
        all_of_it = self.count + self.failed
        share = f"{self.count} of {all_of_it}" if self.failed else f"{self.count}"
        if self.count == 1:
            return f"one of {all_of_it} runs" if self.failed else "one run"
        return f"mean of {share} runs" + (", all alike" if self.std == 0 else "")

    @property
    def interval(self) -> str:
        """The 95 % interval, ``95 % interval 0.9792 to 0.9816``; empty if there is none."""
        return f"95 % interval {self.of(self.ci_low)} to {self.of(self.ci_high)}" if self.is_sure else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before relying on it, a line each."""
        notes = []
        if self.passed_over:
            which = "1 setting ranks" if self.passed_over == 1 else f"{self.passed_over} settings rank"
            notes.append(f"{which} before it, of too few runs to be the best: half of {self.most} or less")
        if not self.repeats:
            notes.append("each setting was run once, so how much of the best is luck is not known")
        return tuple(notes)

    def lines(self) -> list[tuple[str, str]]:
        """Return lines for a terminal: a word, ``best``, ``model`` or ``note``, and the text beside it."""
        found = f"{self.metric} {self.text}"
        notes = [("note", note) for note in self.notes]
        if self.count > 1:
            which = self.label or "the one setting"
            best = f"{found}{' (95 %)' if self.is_sure else ''}, {self.counted}  {which}"
            middle = f"of run {self.run_id}, in the middle with {self.of(self.value)}"
            return [("best", best), *([("model", middle)] if self.run_id else []), *notes]
        whose = f"run {self.run_id}" if self.run_id else ""
        few = self.counted if self.failed else ""
        return [("best", "  ".join(filter(None, (found, self.run_name, whose, few)))), *notes]

    def of(self, value: float) -> str:
        """Return a value of the metric as text."""
        return formatted(self.metric, value, ".4f") if np.isfinite(value) else plain_number(value)

    def __repr__(self) -> str:
        of_what = f"{self.label}: " if self.label else ""
        interval = f", {self.interval}" if self.interval else ""
        whose = f"run {self.run_id}" + (f" in the middle, {self.of(self.value)}" if self.count > 1 else "")
        return printable(
            f"<BestSetting {of_what}{self.metric} {self.text}, {self.counted}{interval}; {whose}>"
        )


def label_of(params: Mapping[str, object]) -> str:
    """Return the params of a setting as text, in the words of a command: ``learning_rate=1 optimizer=adam``.

    One that is None is ``null``; where the choice of its group is named, as ``data``, which need not have
    it, it is left out. So are those behind the first few.
    """
    there_are = {
        name: value
        for name, value in params.items()
        if not _is_missing(value) or f"{name.rpartition('.')[0]}.name" not in params
    }
    short = {name: name.removesuffix(".name").rpartition(".")[2] for name in there_are}
    alike = [each for each in short.values() if list(short.values()).count(each) > 1]
    shown = [
        f"{name if short[name] in alike else short[name]}={_as_typed(value)}"
        for name, value in list(there_are.items())[:_PARAMS]
    ]
    return " ".join(shown) + (" …" if len(there_are) > _PARAMS else "")


def _is_missing(value: object) -> bool:
    return value is None or value != value


def _as_typed(value: object) -> str:
    if _is_missing(value):
        return "null"
    if isinstance(value, float) and float(short := f"{value:g}") == value:
        return short
    return str(value)


def best_setting(
    runs: "pd.DataFrame", metric: str, order: str = "auto", varies: Iterable[str] | None = None
) -> BestSetting | None:
    """Return the setting with the best mean over its finished runs; None if no run has a value.

    Settings of few runs do not count, see ``place_of_best``. Ties of means go by the mean loss, then by the
    params, as in ``summarize``.

    Parameters
    ----------
    runs
        As returned by ``load_runs``.
    metric, order
        What settings are ranked by, and which end of it is best; see ``summarize``.
    varies
        The params in which the runs were meant to differ; None for those in which they do. Seeds, splits
        and folds among them are repetitions of a setting (``REPEATS``).
    """
    runs = counted(runs)
    if runs.empty or metric not in runs:
        return None
    names = varying_parameters(runs) if varies is None else dict.fromkeys(varies)
    by = of_settings(name for name in names if name in runs)
    table = summarize(runs, by, metric, order)
    place = place_of_best(table)
    if place is None:
        return None
    best = table.iloc[place]
    own = runs[runs["run_id"].isin(best["run_ids"])]
    own = own[(own["status"] == "FINISHED") & own[metric].notna()]
    own = own.iloc[rank(own, metric, ascending=ascending(metric, order))]
    middle = own.iloc[len(own) // 2]
    params = {name: table[name].iloc[[place]].tolist()[0] for name in by}
    return BestSetting(
        metric=metric,
        params={name: None if is_missing(value) else value for name, value in params.items()},
        mean=float(best["mean"]),
        std=float(best["std"]),
        ci_low=float(best["ci_low"]),
        ci_high=float(best["ci_high"]),
        count=int(best["count"]),
        failed=int(best["failed"]),
        run_id=str(middle["run_id"]),
        run_name=str(middle["run_name"]),
        value=float(middle[metric]),
        run_ids=tuple(map(str, own["run_id"])),
        settings=len(table),
        most=int((table["count"] + table["failed"]).max()),
        passed_over=int((table["count"].iloc[:place] > 0).sum()),
    )
