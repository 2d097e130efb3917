"""What is told of a training as it goes on, so that the loop knows nothing of who looks on."""

from collections.abc import Sequence

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray


class Callback:
    """Told of a stack of R replicas in training; the methods of this class do nothing.

    A callback reads the network and changes nothing in it. ``replicas`` are the numbers, counted from 0 in
    the stack that set out, of the replicas that are still there: row ``r`` of the stack is the replica
    ``replicas[r]``.
    """

    def on_gradients(self, model: MLP) -> None:
        """In the last step of an epoch, before the optimizer changes the parameters."""

    def on_step(self, model: MLP, learning_rate: FloatArray) -> dict[str, FloatArray]:  # noqa: ARG002
        """Return metrics (R,) of the epoch by name, after its last step, whose learning rate (R,) is given.

        Not called where every replica has diverged.
        """
        return {}

    def on_epoch(self, epoch: int, model: MLP, replicas: Sequence[int]) -> None:
        """After each epoch, and as epoch 0, or the one that was resumed, before the first step."""

    def on_end(self, epoch: int, model: MLP, row: int, replica: int) -> None:
        """A replica leaves after a whole epoch, with its last weights still in this row of the stack."""
