"""Recipes as YAML has them, changed by dotted keys."""

import copy
from collections.abc import Mapping
from typing import Any


def with_keys(recipe: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """A copy of a recipe with these values at dotted keys, such as ``optimizer.learning_rate``."""
    changed = copy.deepcopy(dict(recipe))
    for key, value in changes.items():
        here = changed
        *groups, last = key.split(".")
        for group in groups:
            here = here.setdefault(group, {})
        here[last] = value
    return changed
