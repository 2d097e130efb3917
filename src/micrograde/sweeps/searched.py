"""Whether a search chose the runs of a recorded sweep: to it a swept seed would be one more key to choose."""

from math import prod

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep
from hydra.errors import HydraException

from micrograde.core.errors import InputError
from micrograde.store import tags
from micrograde.store.records import RunDetails
from micrograde.sweeps.options import length_of


def is_of_a_search(parent: RunDetails, runs: int) -> bool:
    """Return whether a search chose the runs of a sweep, as far as is known.

    Sweeps that earlier versions recorded do not say so. They have the values of each swept key as they were
    typed: a search's may be an interval, and it leaves out most combinations, where a sweep over a grid has a
    run for each. One that was stopped cannot be told from a search, and counts as one.

    Parameters
    ----------
    runs
        How many runs the sweep has, without retests.
    """
    if (said := parent.tags.get(tags.SEARCH)) is not None:
        return said == "true"
    try:
        counts = [_count(key, values) for key, values in parent.params.items()]
    except (HydraException, InputError, RecursionError):  # no grid: of one each value is parsed at its launch
        return True
    return None in counts or runs < prod(count for count in counts if count)


def _count(key: str, values: str) -> int | None:
    """Return how many values were typed; None if they are those of an interval."""
    swept = OverridesParser.create().parse_override(f"{key}={values}").value()
    if isinstance(swept, IntervalSweep):
        return None
    if isinstance(swept, RangeSweep):
        return length_of(swept, f"{key}={values}")
    return len(swept.list) if isinstance(swept, ChoiceSweep) else 1
