"""Callbacks of the training loop, by which others follow a training without the loop knowing them."""

from collections.abc import Sequence

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray


class Callback:
    """Base class of callbacks: called while a stack of R replicas trains; its methods do nothing.

    A callback reads the network and must not change it. ``replicas`` holds the numbers of the replicas that
    are still in the stack, counted from 0 as they were at the start: row ``r`` of the stack is the replica
    ``replicas[r]``.
    """

    def on_gradients(self, model: MLP) -> None:
        """Called in the last step of an epoch, before the optimizer changes the parameters."""

    def on_step(self, model: MLP, learning_rate: FloatArray) -> dict[str, FloatArray]:  # noqa: ARG002
        """Return metrics (R,) of the epoch by name.

        Called after the last step of the epoch, whose learning rate (R,) is given; not if every replica has
        diverged.
        """
        return {}

    def on_epoch(self, epoch: int, model: MLP, replicas: Sequence[int]) -> None:
        """Called after each epoch, and before the first step as epoch 0, or as the epoch resumed from."""

    def on_end(self, epoch: int, model: MLP, row: int, replica: int) -> None:
        """Called when a replica leaves after a whole epoch; its last weights are in this row of the stack."""
