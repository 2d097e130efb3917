"""Differences between settings, paired by seed, split and fold, and Student's t of them.

A *block* is one seed on one split or fold; blocks that share their rows are a *cluster*, of which the mean is
one observation.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_FINEST = 1e-4  # of the range of values; a finer step is none


@dataclass(frozen=True)
class Blocks:
    """The values of S settings in B blocks.

    Attributes
    ----------
    values
        (S, B); NaN where a setting was not measured in a block.
    cluster
        (B,) the number of the cluster that each block belongs to, from 0.
    overlap
        Rows measured for each row trained on, n_eval / n_train, where the training sets of clusters overlap;
        0 where observations are independent.
    """

    values: FloatArray
    cluster: NDArray[np.intp]
    overlap: float = 0.0

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return int(self.cluster.max(initial=-1)) + 1


@dataclass(frozen=True)
class Differences:
    """Paired differences of P pairs of settings, first minus second.

    Attributes
    ----------
    count
        (P,) observations.
    mean, std
        (P,) of the observations; NaN without any, and std for one.
    error
        (P,) the standard error of the mean; see ``paired_differences``.
    higher, lower
        (P,) the number of observations above and below zero.
    """

    count: NDArray[np.intp]
    mean: FloatArray
    std: FloatArray
    error: FloatArray
    higher: NDArray[np.intp]
    lower: NDArray[np.intp]

    def __neg__(self) -> "Differences":
        """Second minus first."""
        return replace(self, mean=-self.mean, higher=self.lower, lower=self.higher)

    @property
    def p(self) -> FloatArray:
        """The p-values (P,) of two-sided t-tests; 1 if all differences are zero, NaN without two of them."""
        from scipy.special import stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(self.mean == 0, 0.0, self.mean / self.error)
            p = 2 * stdtr(np.maximum(self.count - 1, 1), -np.abs(t))
        return np.where((self.count > 1) & np.isfinite(self.std), p, np.nan)


def paired_differences(blocks: Blocks, first: int, step: float = 0.0) -> Differences:
    """Return the differences of setting ``first`` to each setting, (S,), over the blocks that both have.

    The squared standard error is s² (1/n + overlap). Of independent observations that is the paired t-test.
    Where training sets overlap it is Nadeau and Bengio's correction: the observations are alike, so that s²/n
    is too small (C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52
    (2003), 239-281).

    Parameters
    ----------
    step
        The step that values come in. No s counts for less than half of it: five differences of the same one
        row are no proof that the sixth would be one.
    """
    with np.errstate(invalid="ignore"):  # infinite minus infinite
        each = blocks.values[first] - blocks.values
    has = ~np.isnan(blocks.values[first]) & ~np.isnan(blocks.values)
    if blocks.clusters == each.shape[1]:
        observed, there_is = np.where(has, each, 0.0), has
    else:
        member = np.eye(blocks.clusters)[blocks.cluster]
        of_cluster = has @ member
        there_is = of_cluster > 0
        with np.errstate(invalid="ignore"):
            observed = (np.where(has, each, 0.0) @ member) / np.maximum(of_cluster, 1)
    count = there_is.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = observed.sum(axis=1) / count
        squares = np.where(there_is, (observed - mean[:, None]) ** 2, 0.0).sum(axis=1)
        std = np.sqrt(squares / (count - 1.0))
        std[count < 2] = np.nan
        equal = ~((observed != 0) & there_is).any(axis=1)
        known = np.where(equal, std, np.maximum(std, step / 2))
        error = known * np.sqrt(1 / np.maximum(count, 1) + blocks.overlap)
    return Differences(
        count=count,
        mean=mean,
        std=std,
        error=error,
        higher=((observed > 0) & there_is).sum(axis=1),
        lower=((observed < 0) & there_is).sum(axis=1),
    )


def step_of(values: FloatArray) -> float:
    """Return the step that values come in, as those of a metric that counts rows do; 0 if there is none.

    It is the greatest number of which all differences between values are multiples.
    """
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) < 2 or len(distinct) == np.isfinite(values).sum():
        return 0.0  # where values count rows, some values are the same
    gaps = np.diff(distinct)
    spread = distinct[-1] - distinct[0]
    gaps = gaps[gaps > _FINEST * spread / 10]  # what is less is rounding
    step = float(gaps[0])
    for gap in gaps[1:]:
        step = _common_step(step, float(gap), _FINEST * spread)
        if step < _FINEST * spread:
            return 0.0
    return step


def _common_step(one: float, other: float, nothing: float) -> float:
    """Return the greatest common divisor of two numbers by Euclid, where less than ``nothing`` is zero."""
    while other > nothing / 10:
        one, other = other, abs(one - round(one / other) * other)
    return one
