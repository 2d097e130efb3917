"""The rule for missing values in files, ``data.missing``."""

from collections.abc import Collection, Mapping
from typing import Literal

from micrograde.core.errors import InputError
from micrograde.data.messages import counted

MissingRule = Literal["fill", "median", "drop", "error", "mean"]
"""What is done about missing values.

``fill`` fills in training means (and ``median`` medians), ``drop`` removes rows, ``error`` refuses them.
``mean`` is what ``fill`` was called in recipes of versions 1 and 2, which filled numbers alone.
"""


def plain_rule(rule: MissingRule) -> MissingRule:
    """Return the rule as recipes of versions 1 and 2 call it.

    Raises
    ------
    InputError
        If they do not have it.
    """
    if rule == "median":
        raise InputError("data.missing=median: recipes before version 3 fill in means; set data.missing=mean")
    return "mean" if rule == "fill" else rule


NOTHING_LEFT = "no row is left without missing values (data.missing=drop)"


def check_missing(
    counts: Mapping[str, int], fillable: Collection[str], rule: MissingRule, source: str
) -> None:
    """Raise ``InputError`` unless ``rule`` handles every missing value.

    Parameters
    ----------
    counts
        The number of missing values in each column.
    fillable
        The columns that can be filled with a mean: the numeric features.
    rule
        ``data.missing``.
    source
        The config key and its value, with which the error message starts.

    Raises
    ------
    InputError
        If missing values would remain; the message names their columns and counts, and rules that would help.
    """
    stay = {
        name: count for name, count in counts.items() if count and (rule == "error" or name not in fillable)
    }
    if rule == "drop" or not stay:
        return
    if all(name in fillable for name in stay):
        advice = "set data.missing=drop or data.missing=mean"
    else:
        advice = "set data.missing=drop; data.missing=mean fills numeric features only"
    raise InputError(f"{source}: missing values in {counted(stay.items())}; {advice}")
