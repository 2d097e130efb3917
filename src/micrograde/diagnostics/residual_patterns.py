"""Patterns in residuals: whether the mean error changes with what it is drawn against, more than by chance.

The rows are sorted by some number, such as the prediction or a column, and cut into groups of equally many;
the mean residual of a group is compared with that of all, by Student's t. That of all is no pattern: losses
other than the squared error leave some on skewed targets.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GROUPS = 10
"""The most groups that rows are cut into."""

_ROWS_OF_A_GROUP = 15  # at least: below that a mean is hardly normal
LEAST_ROWS = 4 * _ROWS_OF_A_GROUP
"""Of fewer rows hardly any pattern can be told."""

_SURE = 1e-3  # the chance that a pattern is seen where there is none

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ResidualPattern:
    """The mean residuals of G groups of rows, in the order of what they are drawn against.

    Attributes
    ----------
    edges
        (G - 1,): where a group ends and the next one begins.
    centres, means, errors
        (G,): the mean of what the rows are sorted by, the mean residual less that of all rows, and the
        standard error of that mean.
    overall
        The mean residual of all rows.
    chance
        The chance that so large a difference of any group is seen where there is no pattern.
    """

    edges: Numbers
    centres: Numbers
    means: Numbers
    errors: Numbers
    overall: float
    chance: float

    def is_one_of(self, tested: int) -> bool:
        """Return whether chance alone would hardly make it, if so many were looked at."""
        return self.chance * tested < _SURE

    def corrections(self, against: Numbers) -> Numbers:
        """Return the mean residual of the group that each of other rows (n,) would be in."""
        return self.means[np.searchsorted(self.edges, against, side="right")]


def residual_pattern(against: Numbers, residuals: Numbers, groups: int = GROUPS) -> ResidualPattern | None:
    """Return the pattern of residuals (n,) against numbers (n,); None if there are too few different ones.

    Equal numbers are in one group.
    """
    count = min(groups, len(against) // _ROWS_OF_A_GROUP)
    if count < 2:
        return None
    ordered = np.sort(against)
    cuts = np.unique(ordered[(np.arange(1, count) * len(ordered)) // count])
    edges = cuts[cuts > ordered[0]]
    group = np.searchsorted(edges, against, side="right")
    rows = np.bincount(group, minlength=len(edges) + 1)
    if len(edges) == 0 or rows.min() < 2:
        return None
    with np.errstate(all="ignore"):
        centred = residuals - residuals.mean()
        means = np.bincount(group, centred) / rows
        squares = np.bincount(group, np.square(centred - means[group])) / (rows - 1)
        errors = np.sqrt(squares / rows)
        centres = np.asarray(np.bincount(group, against / rows[group]), np.float64)
    if not np.isfinite([*means, *errors, *centres]).all() or not errors.all():
        return None
    chance = _chance(means / errors, rows)
    return ResidualPattern(edges, centres, means, errors, float(residuals.mean()), chance)


def _chance(t: Numbers, rows: NDArray[np.integer]) -> float:
    """Return the chance of the largest of t values by Bonferroni's bound."""
    from scipy.stats import t as student

    return float(min(1.0, len(t) * (2 * student.sf(np.abs(t), rows - 1)).min()))
