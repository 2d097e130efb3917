"""The rule for missing values in files, ``data.missing``."""

from collections.abc import Collection, Mapping
from typing import Literal

from micrograde.core.errors import InputError
from micrograde.data.messages import counted

MissingRule = Literal["error", "drop", "mean"]
"""``error`` refuses missing values, ``drop`` leaves out their rows, ``mean`` fills in the training mean."""

NOTHING_LEFT = "no row is left without missing values (data.missing=drop)"


def check_missing(
    counts: Mapping[str, int], fillable: Collection[str], rule: MissingRule, source: str
) -> None:
    """Raise unless ``rule`` says what to do about every missing value.

    Parameters
    ----------
    counts
        The missing values of each column.
    fillable
        The columns that have a mean: the numeric features.
    rule
        ``data.missing``.
    source
        What the error line starts with.

    Raises
    ------
    InputError
        Naming the columns, their counts, and the rules that would help.
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
