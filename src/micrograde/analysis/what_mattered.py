"""What mattered in a recorded sweep, as a data frame and as a line for a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from micrograde.analysis.comparing import known_metric, told_apart, usual_metric
from micrograde.analysis.loading import load_runs
from micrograde.analysis.variance_shares import REST, Share, VarianceShares, variance_shares
from micrograde.core.errors import InputError
from micrograde.store.stored_sweeps import find_sweep

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 4  # runs with a value, of which a line is worth its place


def load_importance(tracking_uri: str, sweep: str = "latest", *, metric: str | None = None) -> "pd.DataFrame":
    """Return how much of the variance of a sweep's metric each swept key, each pair and the seed have.

    This is about the settings of a sweep. What the columns of a table mean to one trained network is another
    question: ``micrograde.load_importances(run)``.

    Columns
    -------
    of
        ``optimizer.learning_rate``; ``optimizer.learning_rate × model.hidden_sizes``; ``seed``; ``the rest``.
    share
        From 0 to 1; together they are 1, unless all runs have the same value: then each is 0. The greatest
        comes first, the rest last.
    kind
        ``key``, ``pair``, ``repeat`` (a seed, a split, a fold) or ``rest``.
    how
        ``exact`` on a full grid, ``forest`` where a random forest was fitted; see ``variance_shares``.

    Parameters
    ----------
    sweep
        ``latest``, a run id or the beginning of one, or a name; see ``find_sweep``.
    metric
        None for the accuracy or the RMSE of the kept models; see ``usual_metric``.

    Raises
    ------
    InputError
        If there is no such sweep, no run has the metric, or it cannot be told: the message says why.
    """
    found = find_sweep(tracking_uri, sweep)
    runs = load_runs(tracking_uri, sweep=found.run_id)
    return importance_of(runs, found.varies, metric or usual_metric(runs))


def importance_of(runs: "pd.DataFrame", varies: Sequence[str], metric: str) -> "pd.DataFrame":
    """Return the frame of ``load_importance`` for runs that have been read.

    Raises
    ------
    InputError
        If no run has the metric, or it cannot be told.
    """
    known_metric(runs, metric)
    found = what_mattered(runs, varies, metric)
    if found.how == "untold":
        raise InputError(f"what mattered for {metric} cannot be told: {found.note}")
    return found.frame()


def what_mattered(runs: "pd.DataFrame", varies: Sequence[str], metric: str) -> VarianceShares:
    """Return the shares of the params that a sweep varied, but for those that follow from a choice."""
    return variance_shares(runs, told_apart(runs, varies), metric)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return for each param the shortest end of its name that no other has: ``learning_rate``.

    A choice is called by its group: ``optimizer`` for ``optimizer.name``.
    """
    whole = {name: name.removesuffix(".name").split(".") for name in names}

    def ending(name: str) -> str:
        parts = whole[name]
        for count in range(1, len(parts) + 1):
            end = parts[-count:]
            if sum(other[-count:] == end for other in whole.values()) == 1:
                return ".".join(end)
        return ".".join(parts)

    return {name: ending(name) for name in names}


def in_words(found: VarianceShares, metric: str, width: int) -> str:
    """Return the greatest shares as one line of at most ``width`` characters; empty if it would say nothing.

    For example ``learning_rate 71 %, seed 19 %, learning_rate × hidden_size 6 %, the rest 4 %``. Shares below
    one percent are left out, and what does not fit, for which an ellipsis stands.
    """
    if found.runs < _FEWEST or not found.of_several:
        return ""
    if found.how == "untold":
        return f"cannot be told: {found.note}"
    if found.note:
        return f"nothing: all {found.runs} runs have the same {metric}"
    short = short_names([key for each in found.shares if each.kind != "pair" for key in each.keys])
    end = " (by a fitted forest)" if found.how == "forest" else ""
    rest = [_called(each, short, 0.01) for each in found.shares if each.kind == "rest"]
    texts = [_called(each, short, 0.01) for each in found.shares if each.kind != "rest"]
    last, texts = "".join(f", {text}" for text in rest if text), [text for text in texts if text]
    line, left_out = "", False
    for text in texts:
        longer = f"{line}, {text}" if line else text
        if line and len(f"{longer}, …{last}{end}") > width:
            left_out = True
        else:
            line = longer
    return f"{line}{', …' * left_out}{last if line else last[2:]}{end}"


def _called(share: Share, short: dict[str, str], least: float) -> str:
    """Return the share as text; empty if it is below ``least``."""
    names = (" × " if share.kind == "pair" else " and ").join(short[key] for key in share.keys)
    return f"{names or REST} {100 * share.share:.0f} %" if share.share >= least else ""
