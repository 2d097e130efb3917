"""What the runs that held a row out say of it: rows that most of them miss are hard, or wrongly labelled.

Columns of the table of rows (``out_of_fold``), after those of the setting
---------------------------------------------------------------------------
row
    The row's number in its source, from 1, as in ``predictions.parquet``.
true
    Its class or number; of several numbers or labels ``true_<name>``.
tested
    How many runs held it out.
missed
    The share of these that missed it: predicted another class or, of several labels, one wrong. Missing for
    numbers.
probability
    The mean probability of its class (of several labels, of all its labels' right values). Missing for
    numbers.
predicted
    The class that most of them predict, of equally many the first by name; of numbers the mean.
residual, absolute_error
    Of numbers: the means of true minus predicted, and of its size; ``residual_<name>`` of several.
loss
    The mean loss.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ROW = "row"
_NAMED = 3  # rows in a line


def held_out_rows(predictions: "pd.DataFrame") -> "pd.DataFrame":
    """Return what a run says of the rows that it held out, given ``predictions.parquet``: a row for each.

    ``missed`` and ``probability`` are those of the one run; of numbers ``residual`` and ``absolute_error``.
    """
    import pandas as pd

    part = predictions[predictions["part"] == "test"]
    names = [str(name).removeprefix("true_") for name in part if str(name).startswith("true_")]
    found: dict[str, Any] = {ROW: part[ROW]}
    of_classes = "true" in part and any(str(name).startswith("probability_") for name in part)
    if of_classes:
        found |= {"true": part["true"], "predicted": part["predicted"]}
        found["missed"] = (part["true"] != part["predicted"]).astype("float64")
        found["probability"] = _of_true_class(part)
    elif names and f"probability_{names[0]}" in part:
        right = np.ones(len(part), np.bool_)
        probability = np.ones(len(part))
        for name in names:
            truth, given = part[f"true_{name}"], part[f"probability_{name}"].to_numpy("float64")
            right &= (truth == part[f"predicted_{name}"]).to_numpy()
            probability *= np.where(truth == 1, given, 1 - given)
            found[f"true_{name}"] = truth
        found |= {"missed": 1.0 - right, "probability": probability}
    else:
        pairs = [("true", "predicted", "")] if "true" in part else []
        pairs += [(f"true_{name}", f"predicted_{name}", f"_{name}") for name in names]
        for true, predicted, suffix in pairs:
            residual = part[true].astype("float64") - part[predicted].astype("float64")
            found |= {true: part[true], predicted: part[predicted], f"residual{suffix}": residual}
            found[f"absolute_error{suffix}"] = residual.abs()
    found["loss"] = part["loss"]
    return pd.DataFrame(found).reset_index(drop=True)


def of_rows(runs: "pd.DataFrame", settings: Sequence[str] = ()) -> "pd.DataFrame":
    """Return one row for each row of the data and each setting, what most runs miss first.

    Rows are ordered by the share of runs that miss them, then by the mean loss; of numbers by the loss
    alone. Settings keep the order in which they appear.

    Parameters
    ----------
    runs
        A row for each run and each row that it held out: the columns of ``settings``, and those of
        ``held_out_rows``.
    """
    keys = [*settings, ROW]
    grouped = runs.groupby(keys, sort=False, dropna=False)
    numbers = [
        name
        for name in map(str, runs)
        if name in ("missed", "probability", "loss") or name.startswith(("residual", "absolute_error"))
    ]
    table = grouped[numbers].mean()
    table["tested"] = grouped.size()
    for name in map(str, runs):
        if name == "true" or name.startswith("true_"):
            table[name] = grouped[name].first()
        elif name == "predicted" or name.startswith("predicted_"):
            is_number = runs[name].dtype.kind in "iuf"
            table[name] = grouped[name].mean() if is_number else _most_frequent(runs, keys, name)
    table = table.reset_index()
    first = [
        "row",
        *_columns(table, "true"),
        "tested",
        "missed",
        "probability",
        *_columns(table, "predicted"),
    ]
    order = [*settings, *(name for name in first if name in table)]
    table = table[[*order, *(name for name in map(str, table) if name not in order)]]
    by = [name for name in ("missed", "loss") if name in table]
    if settings:
        table["_setting"] = table.groupby(list(settings), sort=False, dropna=False).ngroup()
        by = ["_setting", *by]
    up = [name == "_setting" for name in by]
    return (
        table.sort_values(by, ascending=up, kind="stable")
        .drop(columns="_setting", errors="ignore")
        .reset_index(drop=True)
    )


def first_setting(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of the first setting, the best one, without the columns that say which it is."""
    settings = settings_in(rows)
    if not settings or rows.empty:
        return rows
    group = rows.groupby(settings, sort=False, dropna=False).ngroup()
    return rows[group == group.iloc[0]].drop(columns=settings).reset_index(drop=True)


def settings_in(rows: "pd.DataFrame") -> list[str]:
    """Return the columns that say of which setting a row is."""
    names = list(map(str, rows))
    return names[: names.index(ROW)]


def words_of_rows(rows: "pd.DataFrame") -> str:
    """Return a line about the rows of the best setting: how many, how often tested, which are most missed."""
    best, several = first_setting(rows), len(settings_in(rows)) > 0
    often = sorted(set(best["tested"].tolist()))
    times = f"{often[0]} times" if len(often) == 1 else f"{often[0]} to {often[-1]} times"
    text = f"{len(best)} rows, each tested {'once' if often == [1] else times}"
    text += " by the best setting" if several else ""
    is_missed = "missed" in best and best["missed"].notna().all()
    worst = (best[best["missed"] > 0] if is_missed else best).head(_NAMED)[ROW].tolist()
    if not worst:
        return f"{text}; none was missed"
    listed = ", ".join(map(str, worst))
    what = "most missed" if is_missed else "largest loss"
    return f"{text}; {what}: row{'s' * (len(worst) > 1)} {listed}"


def _columns(table: "pd.DataFrame", name: str) -> list[str]:
    return [each for each in map(str, table) if each == name or each.startswith(f"{name}_")]


def _of_true_class(part: "pd.DataFrame") -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the probability of each row's own class (n,)."""
    names = [str(name) for name in part if str(name).startswith("probability_")]
    place = {name.removeprefix("probability_"): number for number, name in enumerate(names)}
    columns = part["true"].map(place).to_numpy("int64")
    given = part[names].to_numpy("float64")
    return given[np.arange(len(part)), columns]


def _most_frequent(runs: "pd.DataFrame", keys: list[str], name: str) -> "pd.Series[Any]":
    """Return the most frequent value of each group, of equally many the first by name."""
    counts = runs.groupby([*keys, name], sort=True, dropna=False).size().rename("count").reset_index()
    counts = counts.sort_values("count", ascending=False, kind="stable")
    return counts.groupby(keys, sort=False, dropna=False)[name].first()
