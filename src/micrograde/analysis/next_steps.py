"""What to try next after a sweep: sentences about what its runs leave open, each with what to type."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from micrograde.analysis.best_setting import BestSetting
from micrograde.analysis.repeats import SEED
from micrograde.core.natural_order import is_missing

if TYPE_CHECKING:
    import pandas as pd

_FEW = 5  # seeds that are advised where nothing was repeated
_FRESH = 20
_MOST_RUNS = 2000  # more than that are not advised


def next_steps(
    runs: "pd.DataFrame",
    settings: "pd.DataFrame | None",
    best: BestSetting | None,
    repeats: Sequence[str],
    *,
    retested: bool,
    tested: bool,
    searched: bool = False,
) -> list[str]:
    """Return what a sweep leaves open, a sentence each, the most important first.

    Parameters
    ----------
    settings
        What ``compare_settings`` returned; None where nothing was compared.
    repeats
        The seeds, splits and folds that vary.
    retested
        Whether the best settings have been run on fresh seeds.
    tested
        Whether runs have a test part.
    searched
        Whether a search chose the runs. To it a swept seed would be one more key to choose values of, so that
        none is advised.
    """
    found = list(_steps(runs, settings, best, repeats, searched=searched))
    if tested and best is not None and not retested:
        found.append(
            f"For a number to publish, give the same command with sweep.retest={_FRESH}: the best settings "
            "run again on seeds that took no part in choosing them."
        )
    return found


def _steps(
    runs: "pd.DataFrame",
    settings: "pd.DataFrame | None",
    best: BestSetting | None,
    repeats: Sequence[str],
    *,
    searched: bool,
) -> Iterator[str]:
    unfinished = int((runs["status"] != "FINISHED").sum())
    if unfinished:
        have = "run has" if unfinished == 1 else "runs have"
        yield f"{unfinished:,} {have} not finished; the same command trains those that were stopped."
    if best is None:
        return
    if not best.repeats and not searched:
        yield f"Each setting was run once: add 'seed=range({_FEW})' to see how much of a difference is luck."
    elif settings is not None and (step := _more_seeds(settings, repeats, searched)):
        yield step
    yield from _at_the_edge(runs, best)


def _more_seeds(settings: "pd.DataFrame", repeats: Sequence[str], searched: bool) -> str:
    """Return how many seeds would tell the settings apart that are not; empty if none, or none would."""
    untold = settings[settings["verdict"] == "untold"]
    needed = [float(each) for each in untold["enough_seeds"] if math.isfinite(each)]
    if not needed:
        return ""
    fewest, most = math.ceil(min(needed)), math.ceil(max(needed))
    many = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    which = "1 setting is" if len(untold) == 1 else f"{len(untold):,} settings are"
    said = f"{which} not told apart from the best; about {many} repetitions would."
    if not searched and list(repeats) == [SEED] and fewest * len(settings) <= _MOST_RUNS:
        return f"{said} Give the command with 'seed=range({fewest})'."
    return said


def _at_the_edge(runs: "pd.DataFrame", best: BestSetting) -> Iterator[str]:
    """Yield the keys of numbers whose best value is the smallest or largest that was tried."""
    for name, value in best.params.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        tried = {each for each in runs[name].tolist() if not is_missing(each)}
        if len(tried) < 3 or not all(isinstance(each, int | float) for each in tried):
            continue
        if value in (min(tried), max(tried)):
            end, beyond = ("smallest", "smaller") if value == min(tried) else ("largest", "larger")
            yield f"The best {name}, {value:g}, is the {end} that was tried; {beyond} ones may be better."
