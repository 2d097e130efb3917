"""The versions of recipes, and the marks of keys that came, or whose defaults changed, with one of them.

A recipe contains its version; one without is of version 1, which micrograde 0.1 wrote. The annotation of a
field says what its absence meant before it was added, or before its default changed:

>>> dropout: Annotated[Fraction, Later(since=2, legacy=0.0)] = 0.1
>>> momentum: Annotated[Fraction, DefaultBefore(version=2, value=0.0)] = 0.9
"""

from dataclasses import dataclass
from typing import Any

RECIPE_VERSION = 3
"""The version of the recipes that are written now."""

EXACT_LABELS = 2
"""Since this version classes are named as in the table, where reading labels as numbers would merge them."""

ROWS_OF_NO_CLASS = 2
"""Since this version a row for which the network's numbers overflow belongs to no class."""

ROLES_OF_COLUMNS = 3
"""Since this version the columns of a table have roles: dates, identifiers, free text and others."""

SMALL_BATCHES_JOIN = 3
"""Since this version a last batch that is too small to be normalized joins the one before."""

KEPT_VALUES = 3
"""Since this version the values of the model that is kept are recorded: ``kept/val/accuracy`` and so on."""


WHOLE_BATCHES_MEASURED = 3
"""Since this version gradients, updates and layers are measured on a whole batch, not on the last."""

FOLDS = 3
"""Since this version a run may hold out one of several folds."""


@dataclass(frozen=True)
class Later:
    """Mark a key that was added in recipe version ``since``.

    Attributes
    ----------
    legacy
        The value that gives the behaviour from before the key existed; it need not be the default.
    """

    since: int
    legacy: Any


@dataclass(frozen=True)
class DefaultBefore:
    """Mark a key whose default was ``value`` in recipes of versions earlier than ``version``."""

    version: int
    value: Any
