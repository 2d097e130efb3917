"""Pictures of a run: one file for each, found by itself; and what they share.

A file that registers a ``RunPicture`` is all that a new picture needs. Other files here hold what several
pictures share (``layer_curves``, ``class_regions``), or draw a few runs side by side.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from micrograde.core.registry import Registry

if TYPE_CHECKING:
    from micrograde.data import Dataset, Preprocessing
    from micrograde.diagnostics import Importances, Measurements, Trajectory
    from micrograde.nn import MLP
    from micrograde.nn.arrays import FloatArray, IntArray
    from micrograde.tasks import Task
    from micrograde.training import Samples

FoundT = TypeVar("FoundT")

PICTURES: "Registry[type[RunPicture]]" = Registry("picture", __name__)


@dataclass(frozen=True)
class RunContents:
    """What a run offers to its pictures when it has ended.

    Attributes
    ----------
    title
        The run's name.
    measurements
        Its metrics after every epoch, those of the test part, and what is known of its config and data.
    model
        The trained network, a stack of one, which pictures do not change.
    trajectory
        The parameters at some of the epochs; empty if only light pictures are drawn.
    dataset, preprocessing
        The data as they were read, and how the features were transformed.
    training, validation, test
        The parts, transformed; None for a part that does not exist.
    confusion
        Confusion counts (C, C) of the test part; None if there is none, or the run did not finish.
    logits
        What the trained network says of the rows of each part, (n, C), by the part's name in the records:
        ``train``, ``val`` and ``test``; empty if the run did not finish.
    task
        What was learned, with its loss.
    rows
        The numbers that the rows of each part, (n,), have in the source, by the same names.
    importances
        What shuffling each column costs the network; None if it was not measured.
    learned
        The training part with the targets and weights that the loss is of; None if they are its own.
    batch
        The first rows of that: a batch, or part of a huge one.
    batch_size
        The rows of a training batch.
    """

    title: str
    measurements: "Measurements"
    model: "MLP"
    trajectory: "Trajectory"
    dataset: "Dataset"
    preprocessing: "Preprocessing"
    training: "Samples"
    validation: "Samples | None"
    test: "Samples | None"
    confusion: "IntArray | None"
    batch: "Samples"
    batch_size: int
    task: "Task"
    logits: "Mapping[str, FloatArray]" = field(default_factory=dict)
    rows: "Mapping[str, IntArray]" = field(default_factory=dict)
    importances: "Importances | None" = None
    learned: "Samples | None" = None
    _found: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def history(self) -> Mapping[str, Sequence[float]]:
        """Each metric's value after every epoch, by its plain name; empty before the first epoch's end."""
        return self.measurements.history

    def once(self, measure: "Callable[[RunContents], FoundT]") -> FoundT:
        """Return ``measure(self)``, computed once for all pictures that ask for it."""
        if measure not in self._found:
            self._found[measure] = measure(self)
        found: FoundT = self._found[measure]
        return found


class Drawing(Protocol):
    """Anything that can be saved: ``Svg``, ``Gif``, ``Page``, or whatever writes its own file."""

    def save(self, path: Path) -> None:
        """Write the file."""


class RunPicture(ABC):
    """A picture that a run leaves among its files; its docstring says what it shows.

    A picture that raises an error is left out, with a line that says so; the run goes on. Slow libraries
    are imported inside ``draw``.

    Attributes
    ----------
    files
        Its paths among the run's files, such as ``figures/learning_curves.svg``. Several are written at once:
        ``save`` is called with their common path, without the suffix. An SVG is converted where
        ``drawing.format`` says so.
    light
        Whether it takes only milliseconds, and is drawn for every run of a sweep.
    needs_epochs
        Whether it is drawn only of runs that have completed an epoch.
    task
        The name of the task of the runs that it is drawn of; None if it is drawn of any.
    """

    name: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    light: ClassVar[bool] = False
    needs_epochs: ClassVar[bool] = True
    task: ClassVar[str | None] = None

    @classmethod
    def path(cls) -> str:
        """Return the path that it is saved at and known by: its file, or what is common to its files."""
        first, *others = cls.files
        return first.rpartition(".")[0] if others else first

    def applies(self, run: RunContents) -> bool:  # noqa: ARG002 (what others ask)
        """Return whether the run has what the picture shows; every run does unless an entry says which."""
        return True

    @abstractmethod
    def draw(self, run: RunContents) -> Drawing | None:
        """Return the picture; None if it turns out that there is nothing to show."""
