"""What diagnostics are called in the records: MLflow lists groups of charts by the alphabet.

Since recipe version 2 they are recorded below ``within/``, which comes after ``train/`` and ``val/``: what is
``activation/layer1.std`` in training is ``within/activation/layer1.std`` there. Version 1 has one name.
"""

from collections.abc import Container, Mapping
from typing import TypeVar

WITHIN = "within/"
DIAGNOSTICS = ("activation", "batch_norm", "gradient", "gradient_check", "gradient_norm", "update_ratio")
_SINCE = 2

Value = TypeVar("Value")


def recorded_name(metric: str, recipe_version: int) -> str:
    """What a metric is called in the records of a run; a name of another version becomes this one's."""
    plain = plain_name(metric)
    known = plain.partition("/")[0] in DIAGNOSTICS
    return f"{WITHIN}{plain}" if known and recipe_version >= _SINCE else plain


def plain_name(metric: str) -> str:
    """What training calls it."""
    return metric.removeprefix(WITHIN)


def by_plain_name(history: Mapping[str, Value]) -> dict[str, Value]:
    """The same values by the names that training has for them."""
    return {plain_name(metric): values for metric, values in history.items()}


def name_among(metric: str, names: Container[str]) -> str:
    """The name that is there, if it is a metric's name of another version; else the same."""
    others = (recorded_name(metric, version) for version in (_SINCE, 1))
    return metric if metric in names else next((name for name in others if name in names), metric)
