"""The names of metrics in the records: MLflow lists groups of charts alphabetically.

Since recipe version 2 diagnostics are recorded below ``within/``, which comes after ``train/`` and ``val/``:
``activation/layer1.std`` of training is recorded as ``within/activation/layer1.std``. In version 1 both names
are the same.
"""

from collections.abc import Container, Mapping
from typing import TypeVar

from micrograde.metrics import KEPT, PARTS, STEP

WITHIN = "within/"
_SINCE = 2

Value = TypeVar("Value")


def recorded_name(metric: str, recipe_version: int) -> str:
    """Return a metric's name in the records of a recipe version, given its name in any version."""
    plain = plain_name(metric)
    group, slash, _ = plain.partition("/")
    is_diagnostic = bool(slash) and group not in PARTS and not plain.startswith((KEPT, STEP))
    return f"{WITHIN}{plain}" if is_diagnostic and recipe_version >= _SINCE else plain


def plain_name(metric: str) -> str:
    """Return the name of a metric in training, from its recorded name of any version."""
    return metric.removeprefix(WITHIN)


def by_plain_name(history: Mapping[str, Value]) -> dict[str, Value]:
    """Return the same values, keyed by the names that metrics have in training."""
    return {plain_name(metric): values for metric, values in history.items()}


def name_among(metric: str, names: Container[str]) -> str:
    """Return which of ``names`` is this metric, in any recipe version; ``metric`` itself if none is."""
    others = (recorded_name(metric, version) for version in (_SINCE, 1))
    return metric if metric in names else next((name for name in others if name in names), metric)
