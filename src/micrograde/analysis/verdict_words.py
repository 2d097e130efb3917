"""A verdict in words: ``worse by 0.012 ± 0.004``."""

import math
from typing import NamedTuple

from micrograde.analysis.seeds_needed import MOST
from micrograde.metrics import formatted


class Standing(NamedTuple):
    """How a setting stands to the best one; see ``compare_settings`` for the fields.

    ``runs`` is its ``count``.
    """

    runs: int
    difference: float
    difference_low: float
    difference_high: float
    p: float
    probability_of_improvement: float
    pairs: int
    enough_seeds: float
    verdict: str

    def in_words(self, metric: str, unit: str) -> str:
        """Return the verdict in words; ``unit`` is what the pairs are, in the plural: ``seeds``."""
        single = unit.removesuffix("s")
        of_pairs = f"{self.pairs} {single if self.pairs == 1 else unit}"
        if self.verdict == "best":
            return "the best"
        if self.verdict == "equal":
            return "equal" if self.pairs > 1 else f"equal with {of_pairs}"
        if self.verdict == "as_good":
            return "as good as the best"
        if self.verdict in ("worse", "better"):
            half = (self.difference_high - self.difference_low) / 2
            amount = formatted(metric, abs(self.difference), ".4g")
            return f"{self.verdict} by {amount} ± {formatted(metric, half, '.4g')}"
        if not self.runs:
            return "no run has finished"
        if not self.pairs:
            return f"no {single} in common with the best"
        if not math.isfinite(self.difference):
            return "not to be told: a value is infinite"
        if math.isnan(self.enough_seeds):
            return f"not to be told with {of_pairs}"
        enough = (
            f"about {self.enough_seeds:.0f}" if math.isfinite(self.enough_seeds) else f"more than {MOST:,}"
        )
        return f"not to be told with {of_pairs}; {enough} would"
