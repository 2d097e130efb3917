"""Trajectory: copies of a network's parameters along its training, for pictures of how it learns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.training.callbacks import Callback

POINTS = 50
"""The most copies that are kept, besides the first and the last."""
_BYTES = 64 * 2**20  # memory for all copies: of a large network fewer are kept


@dataclass
class Trajectory:
    """A network's parameters along its training: before the first step, and after evenly spaced epochs.

    The number of epochs is not known beforehand. So every epoch is kept at first; when there are too many
    copies, every second one is dropped, and from then on only every second epoch is kept, and so on.

    Attributes
    ----------
    epochs
        The epoch after which each copy was made, ascending; 0 is before the first step.
    parameters
        The copies of the parameters, each (P,).
    statistics
        The copies of the running statistics, each (S,).
    stride
        Every how many epochs a copy is kept.
    """

    epochs: list[int] = field(default_factory=list)
    parameters: list[FloatArray] = field(default_factory=list)
    statistics: list[FloatArray] = field(default_factory=list)
    stride: int = 1

    def take(self, epoch: int, model: MLP, row: int = 0) -> None:
        """Keep a copy of a row of a stack, if the stride includes this epoch."""
        if epoch % self.stride and self.epochs:
            return
        most = max(2, min(POINTS, _BYTES // model.parameters[row].nbytes))
        while len(self.epochs) > most:
            self.stride *= 2
            self._thin()
        if epoch % self.stride == 0 or not self.epochs:
            self._add(epoch, model, row)

    def finish(self, epoch: int, model: MLP, row: int = 0) -> None:
        """Keep a copy of the last state, whatever the stride."""
        if self.epochs[-1:] != [epoch]:
            self._add(epoch, model, row)

    def _add(self, epoch: int, model: MLP, row: int) -> None:
        self.epochs.append(epoch)
        self.parameters.append(model.parameters[row].copy())
        self.statistics.append(model.statistics[row].copy())

    def _thin(self) -> None:
        """Drop the copies that the stride does not include, except the first."""
        kept = [at for at, epoch in enumerate(self.epochs) if epoch % self.stride == 0 or at == 0]
        self.epochs = [self.epochs[at] for at in kept]
        self.parameters = [self.parameters[at] for at in kept]
        self.statistics = [self.statistics[at] for at in kept]


class TrajectoryKeeper(Callback):
    """Fills the trajectory of each replica; ``trajectories`` has one for each replica of the whole stack."""

    def __init__(self, trajectories: Sequence[Trajectory]) -> None:
        self._trajectories = trajectories

    def on_epoch(
        self,
        epoch: int,
        model: MLP,
        replicas: Sequence[int],
        metrics: dict[str, FloatArray],  # noqa: ARG002
    ) -> None:
        """Keep a copy of every replica's parameters, if its stride includes this epoch."""
        for row, replica in enumerate(replicas):
            self._trajectories[replica].take(epoch, model, row)

    def on_end(self, epoch: int, model: MLP, row: int, replica: int, *, interrupted: bool) -> None:
        """Keep a copy of the last parameters, whatever the epoch, if it is a whole one."""
        if not interrupted:
            self._trajectories[replica].finish(epoch, model, row)
