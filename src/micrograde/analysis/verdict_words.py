"""A verdict in words: ``worse by 0.012 ± 0.004``."""

import math
from collections.abc import Mapping
from typing import Any

from micrograde.analysis.seeds_needed import MOST
from micrograde.metrics import formatted


def words_of(row: Mapping[str, Any], metric: str, unit: str) -> str:
    """Return the words of a row of ``compare_settings``.

    Parameters
    ----------
    unit
        What its pairs are, in the plural.
    """
    pairs = int(row["pairs"])
    of_pairs = f"{pairs} {unit.removesuffix('s') if pairs == 1 else unit}"
    match row["verdict"]:
        case "best":
            return "the best"
        case "equal":
            return "equal" if pairs > 1 else f"equal with {of_pairs}"
        case "as_good":
            return "as good as the best"
        case ("worse" | "better") as way:
            return f"{way} by {_amount(row, metric)}"
    if not row["count"]:
        return "no run has finished"
    if not pairs:
        return f"no {unit.removesuffix('s')} in common with the best"
    if not math.isfinite(row["difference"]):
        return "not to be told: a value is infinite"
    needed = row["enough_seeds"]
    if math.isnan(needed):
        return f"not to be told with {of_pairs}"
    enough = f"about {needed:.0f}" if math.isfinite(needed) else f"more than {MOST:,}"
    return f"not to be told with {of_pairs}; {enough} would"


def _amount(row: Mapping[str, Any], metric: str) -> str:
    half = (row["difference_high"] - row["difference_low"]) / 2
    return f"{formatted(metric, abs(row['difference']), '.4g')} ± {formatted(metric, half, '.4g')}"
