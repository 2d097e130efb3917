"""Pictures of a sweep, drawn as SVG: one file for each, found by itself; and what they share.

A file that registers a ``SweepPicture`` is all that a new picture needs. Other files here hold what several
pictures share (``swept``, ``axes``, ``dots``), or draw all of them (``pictures``).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.registry import Registry
from micrograde.drawing.svg import Svg

if TYPE_CHECKING:
    import pandas as pd

SWEEP_PICTURES: "Registry[type[SweepPicture]]" = Registry("picture of a sweep", __name__)


@dataclass(frozen=True)
class Swept:
    """A parameter and its value in each run: a number, a boolean or text; None or NaN if it is missing."""

    name: str
    values: Sequence[object]


@dataclass(frozen=True)
class Curves:
    """A metric of all runs over the epochs.

    Attributes
    ----------
    steps
        (E,), ascending.
    values
        (N, E), NaN where a run has no value.
    """

    metric: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class SweepContents:
    """What a sweep offers to its pictures: N runs, best first.

    Attributes
    ----------
    parameters
        Those that vary, without the seed.
    seeds
        The seed; None if it does not vary.
    metric, lower_is_better
        The metric by which runs are compared, and which of two values is better.
    values
        (N,): the metric of each run; NaN for a run that did not finish.
    best
        The number of the best run; None if no run has a result.
    curves
        The metrics whose history is drawn.
    runs
        The table of all that is known of the runs, as ``load_runs`` returns it.
    """

    parameters: Sequence[Swept]
    seeds: Swept | None
    metric: str
    lower_is_better: bool
    values: NDArray[np.float64]
    best: int | None
    curves: Sequence[Curves]
    runs: "pd.DataFrame"


class SweepPicture(ABC):
    """A picture in a sweep's report; its docstring says what it shows.

    A picture that raises an error is left out, with a line that says so.

    Attributes
    ----------
    place
        Where it stands in the report, the smallest first. Of equal places the order is that of the names.
    """

    name: ClassVar[str]
    place: ClassVar[int] = 100

    def applies(self, sweep: SweepContents) -> bool:  # noqa: ARG002 (what others ask)
        """Return whether the sweep has what the picture shows; every one does unless an entry says which."""
        return True

    @abstractmethod
    def text(self, sweep: SweepContents) -> str:
        """Return a line that says what the picture shows of this sweep; it is the picture's heading."""

    @abstractmethod
    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Return the picture, under a title."""
