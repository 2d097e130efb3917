"""How each setting stands to the best one: differences paired by seed, corrected p-values, and words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.best_setting import label_of
from micrograde.analysis.comparing import ascending, known_metric, usual_metric, varying_parameters
from micrograde.analysis.corrections import step_down
from micrograde.analysis.paired_differences import Blocks, Differences, paired_differences, step_of
from micrograde.analysis.repeated_rows import Repetition, repetition_of
from micrograde.analysis.repeats import counted, of_settings
from micrograde.analysis.seeds_needed import seeds_needed
from micrograde.analysis.summary import place_of_best, summarize
from micrograde.analysis.verdict_words import Standing

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

Verdict = Literal["best", "equal", "as_good", "worse", "better", "untold"]
"""How a setting stands to the best; see ``compare_settings``."""
_IN_SHORT: dict[Verdict, str] = {
    "better": "better",
    "equal": "equal",
    "as_good": "as good as the best",
    "untold": "not to be told from it",
    "worse": "worse",
}
NOT_WORSE: tuple[Verdict, ...] = ("best", "equal", "as_good", "better", "untold")
LEVEL = 0.05
"""A corrected p-value below this tells two settings apart."""


def compare_settings(
    runs: "pd.DataFrame",
    metric: str | None = None,
    order: str = "auto",
    by: Sequence[str] | None = None,
    margin: float | None = None,
) -> "pd.DataFrame":
    """Return how each setting stands to the best one: one row for each, best mean first.

    A setting is what varies beside seeds, splits and folds. Only runs that finished and have the metric
    count, and no retests beside them (``sweep.retest``). The best setting is that of ``best_setting``, and so
    the one with the best mean unless that mean is of too few runs.

    Columns
    -------
    the params of the setting
        As they are in ``runs``.
    count, failed, mean, std, ci_low, ci_high
        See ``summarize``. The interval is of this setting's mean alone; two that overlap say nothing about
        the difference, which is paired.
    difference
        The mean of this setting's value minus the best one's over the seeds, splits and folds that both have.
    difference_low, difference_high
        Its confidence interval, 95 % for all settings together: it leaves out 0 just if ``p`` is below 0.05.
    p
        The p-value of a paired t-test, corrected for the comparison of each setting with each other one
        (``step_down``): the best was chosen by these values. NaN where there are less than two pairs.
    probability_of_improvement
        The share of pairs in which this setting has the better value; ties count half. It estimates how
        likely it beats the best one on another seed.
    pairs
        The number of pairs: of seeds, or of splits or folds if these vary.
    enough_seeds
        How many pairs find the difference that was observed with 80 % power; infinite if more than 1,000, NaN
        if it has been told or cannot be said.
    verdict
        ``best``; ``equal`` if all differences are zero; ``worse`` or ``better`` if ``p`` is below 0.05;
        ``as_good`` if the interval of the difference lies within the margin; else ``untold``. A difference
        that is told and within a ``margin`` that was given is ``as_good``.
    words
        The same as text: ``worse by 0.012 ± 0.004``, where ± is half the interval.

    Parameters
    ----------
    runs
        As returned by ``load_runs``.
    metric, order
        As of ``order_runs``; None for ``usual_metric``.
    by
        The params of a setting; None for those that vary.
    margin
        A difference that does not matter, in the unit of the metric; None for the standard deviation of the
        best setting: what another seed may do.

    Raises
    ------
    InputError
        If no run has the metric, or a column of ``by`` is missing.
    """
    import pandas as pd

    if runs.empty:
        return runs
    runs = counted(runs, by or ())
    metric = metric or usual_metric(runs)
    column = known_metric(runs, metric)
    if by is None:
        by = of_settings(varying_parameters(runs)) or ["experiment_name"]
    table = summarize(runs, by, metric, order)
    repetition = repetition_of(runs, column)
    blocks = _blocks(runs, column, table["run_ids"].tolist(), repetition)
    table = table.drop(columns=["best", "best_run_id", "run_ids"])
    best = place_of_best(table)
    settings = len(table)
    compared = compared_with_best(best, blocks) if best is not None else _nothing(settings)
    difference, factors = compared
    low, high = _interval(difference, factors)
    up = ascending(metric, order)
    p = np.minimum(difference.p * factors, 1.0)
    better, worse = (difference.lower, difference.higher) if up else (difference.higher, difference.lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        ties = difference.count - better - worse
        probability = (better + ties / 2) / difference.count
    given = margin is not None
    within = margin if margin is not None else float(table["std"].iloc[best or 0])
    verdicts: list[Verdict] = []
    for row in range(settings):
        if row == best:
            verdicts.append("best")
        else:
            close = bool(low[row] >= -within and high[row] <= within) and difference.count[row] > 1
            verdicts.append(_verdict(difference, row, float(p[row]), close, given, up))
    told = np.array([each != "untold" for each in verdicts])
    needed = seeds_needed(
        difference.mean,
        difference.error / np.sqrt(1 / np.maximum(difference.count, 1) + blocks.overlap),
        LEVEL / factors,
        blocks.overlap,
    )
    of_best = np.arange(settings) == best
    columns: dict[str, Any] = {
        "difference": np.where(of_best, 0.0, difference.mean),
        "difference_low": np.where(of_best, np.nan, low),
        "difference_high": np.where(of_best, np.nan, high),
        "p": np.where(of_best, np.nan, p),
        "probability_of_improvement": np.where(of_best, np.nan, probability),
        "pairs": difference.count,
        "enough_seeds": np.where(told, np.nan, needed),
        "verdict": pd.Series(verdicts, dtype="str"),
    }
    standings = zip(table["count"].tolist(), *(each.tolist() for each in columns.values()), strict=True)
    words = [Standing(*each).in_words(column, repetition.unit) for each in standings]
    return pd.concat([table, pd.DataFrame(columns | {"words": pd.Series(words, dtype="str")})], axis=1)


def are_compared(settings: "pd.DataFrame") -> bool:
    """Return whether ``compare_settings`` had anything to compare: two settings with two pairs or more."""
    return len(settings) > 1 and bool((settings.loc[settings["verdict"] != "best", "pairs"] > 1).any())


def in_short(settings: "pd.DataFrame") -> tuple[str, str] | None:
    """Return how the other settings stand to the best one, in a line: a word and what stands beside it.

    ``others``, and how many of them are told apart; or ``other``, its name and the verdict on it. None if
    nothing was compared.
    """
    if not are_compared(settings):
        return None
    others = settings[settings["verdict"] != "best"]
    if len(others) == 1:
        names = list(map(str, settings))
        (row,) = others[[*names[: names.index("count")], "words"]].to_dict("records")
        words = row.pop("words")
        return "other", f"{label_of({str(name): value for name, value in row.items()})}: {words}"
    counts = others["verdict"].value_counts()
    return "others", ", ".join(
        f"{counts[verdict]:,} {said}" for verdict, said in _IN_SHORT.items() if verdict in counts
    )


def with_verdicts(table: "pd.DataFrame", settings: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table of settings, such as that of ``group_over_seeds``, with the columns of a comparison.

    Parameters
    ----------
    settings
        What ``compare_settings`` returned for the same runs.
    """
    names = list(map(str, settings))
    by = names[: names.index("count")]
    added = [name for name in names[len(by) :] if name not in ("count", "failed", "mean", "std")]
    return table.merge(settings[[*by, *added]], how="left", on=by, validate="1:1")


def not_worse(settings: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of ``compare_settings`` that were measured and are not worse than the best."""
    return settings[settings["verdict"].isin(NOT_WORSE) & (settings["count"] > 0)]


def _blocks(
    runs: "pd.DataFrame", column: str, run_ids: Sequence[Sequence[str]], repetition: Repetition
) -> Blocks:
    """Return the values of the settings whose runs are given; of runs of one block, their mean."""
    row_of = {run_id: row for row, run_id in enumerate(runs["run_id"])}
    setting = np.empty(len(runs), np.intp)
    for number, ids in enumerate(run_ids):
        setting[[row_of[run_id] for run_id in ids]] = number
    values = runs[column].to_numpy("float64")
    has = (runs["status"] == "FINISHED").to_numpy() & ~np.isnan(values)
    shape = (len(run_ids), len(repetition.cluster))
    place = setting[has] * shape[1] + repetition.block[has]
    count = np.bincount(place, minlength=shape[0] * shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(place, values[has], shape[0] * shape[1]) / count
    return Blocks(means.reshape(shape), repetition.cluster, repetition.overlap)


def compared_with_best(best: int, blocks: Blocks) -> tuple[Differences, FloatArray]:
    """Return the differences of each setting to the best (S,), and what their p-values are multiplied by.

    Each pair of settings is compared, because the best was chosen by the same values.
    """
    settings = len(blocks.values)
    step = step_of(blocks.values) * blocks.clusters / max(blocks.values.shape[1], 1)
    p = [paired_differences(blocks, first, step).p[first + 1 :] for first in range(settings)]
    pairs = np.concatenate(p)
    testable = ~np.isnan(pairs)
    factors = np.full(len(pairs), np.nan)
    factors[testable] = step_down(pairs[testable], settings)
    starts = np.cumsum([0, *(len(each) for each in p)])
    of_best = np.full(settings, np.nan)
    for first in range(best):
        of_best[first] = factors[starts[first] + best - first - 1]
    of_best[best + 1 :] = factors[starts[best] : starts[best + 1]]
    return -paired_differences(blocks, best, step), of_best


def _nothing(settings: int) -> tuple[Differences, FloatArray]:
    """Return the differences where no run has finished."""
    unknown, none = np.full(settings, np.nan), np.zeros(settings, np.intp)
    return Differences(none, unknown, unknown, unknown, none, none), unknown


def _interval(difference: Differences, factors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends (S,) of the intervals at the level at which the differences were tested."""
    from scipy.special import stdtrit

    freedom = np.maximum(difference.count - 1, 1)
    half = stdtrit(freedom, 1 - LEVEL / 2 / factors) * difference.error
    return difference.mean - half, difference.mean + half


def _verdict(
    difference: Differences, row: int, p: float, close: bool, margin_given: bool, ascending: bool
) -> Verdict:
    """Return how a setting that is not the best stands to it."""
    mean = difference.mean[row]
    if difference.count[row] and not difference.higher[row] and not difference.lower[row]:
        return "equal"
    if close and (margin_given or not p < LEVEL):
        return "as_good"
    if p < LEVEL:
        return "worse" if (mean > 0) == ascending else "better"
    return "untold"


assert set(NOT_WORSE) | {"worse"} == set(get_args(Verdict))
