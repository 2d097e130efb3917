"""Callbacks of the training loop: what follows a training, stops it, or changes its gradients.

The loop knows none of them; it calls them in the order of its list. Those that a config turns on are entries
of ``CALLBACKS``, one file of this folder each: the settings at ``training.<name>.<field>``, and the callback
that they make. How to use them is in docs/callbacks.md.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Self

from numpy.typing import NDArray

from micrograde.core.hyperparameters import hyperparameters_of, program_of
from micrograde.core.registry import Registry
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.plan import TrainingPlan

CALLBACKS: "Registry[type[CallbackSettings]]" = Registry("callback", __name__)


class Callback:
    """Base class of callbacks: called while a stack of R replicas trains; its methods do nothing.

    Row ``r`` of the stack is the replica ``replicas[r]``, counted from 0 as they were at the start. What a
    callback computes for a row must not depend on the others.

    Attributes
    ----------
    every_step
        Whether ``on_gradients`` is called at every step, or only in the one that is measured: an epoch's last
        one on a whole batch.
    changes_network
        Whether it changes the gradients in ``on_gradients``, or weights in ``on_end``. Such callbacks are
        called after those that only look on, which therefore see the loss's own gradients and the last
        weights. Nothing else may be changed, and nothing at all by others.
    """

    every_step: ClassVar[bool] = False
    changes_network: ClassVar[bool] = False

    def on_gradients(self, model: MLP) -> None:
        """Called in a step after the backward pass, before the optimizer changes the parameters."""

    def on_step(self, model: MLP, learning_rate: FloatArray) -> dict[str, FloatArray]:  # noqa: ARG002
        """Return metrics (R,) of the epoch by name.

        Called after the step that is measured, the epoch's last one on a whole batch, whose learning rate
        (R,) is given. In recipes before version 3 it is the last one, however small its batch.
        """
        return {}

    def on_epoch(
        self,
        epoch: int,  # noqa: ARG002
        model: MLP,  # noqa: ARG002
        replicas: Sequence[int],  # noqa: ARG002
        metrics: dict[str, FloatArray],  # noqa: ARG002
    ) -> NDArray[Any] | None:
        """Return which replicas stop now, (R,) of bool; None is none.

        Called after each epoch, and before the first step as epoch 0, or as the epoch resumed from.
        ``metrics`` are the epoch's, each (R,), those of the validation part, too; empty before the first
        step. More may be added to them.
        """
        return None

    def on_end(self, epoch: int, model: MLP, row: int, replica: int, *, interrupted: bool) -> int | None:  # noqa: ARG002
        """Called when a replica leaves, unless it diverged; its last weights are in this row of the stack.

        ``interrupted`` if that is not after a whole epoch. Return the epoch whose weights it has put in their
        place, and None if it lets the last ones be.
        """
        return None

    def snapshot_due(self) -> bool:
        """Return whether it needs a snapshot of each replica now; asked after each epoch but the last."""
        return False

    def buffers(self) -> Mapping[str, FloatArray]:
        """Return the arrays like the parameters, (R, P), that its next call depends on.

        By the prefix of their names in a snapshot; what is like the statistics, (R, S), has a prefix that
        ends in ``statistics``. They are read and, when training is resumed, written in place.
        """
        return {}

    def numbers(self) -> Mapping[str, NDArray[Any]]:
        """Return further arrays (R, ...) that its next call depends on, by their name in a snapshot."""
        return {}

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the replicas in these rows of the stack; the others have left."""


class _Switch:
    """Mark a bool that is true or false, and nothing that could be taken for it, such as ``yes`` or 1."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return pydantic's schema; pydantic asks for it."""
        return {**handler(source), "strict": True}


Switch = Annotated[bool, _Switch()]
"""The type of a setting that is true or false."""


@dataclass(frozen=True, kw_only=True)
class CallbackSettings:
    """Base class of the settings of a callback that a config turns on; its fields are the keys.

    With the defaults of all fields it is off. Fields are marked as hyperparameters: what is PER_REPLICA may
    differ within a stack, but None for all or for none.

    Attributes
    ----------
    name
        The group of its keys: ``training.<name>.<field>``.
    since
        The recipe version in which the group was added.
    """

    name: ClassVar[str]
    since: ClassVar[int] = 2

    @property
    def needs_validation(self) -> str:
        """The setting, as typed below its group, that needs a validation part; empty if none does."""
        return ""

    @property
    def needs_metrics(self) -> tuple[str, ...]:
        """The metrics, such as val/roc_auc, that are measured for it after each epoch."""
        return ()

    @classmethod
    def start(cls, settings: Sequence[Self], model: MLP, plan: TrainingPlan) -> Callback | None:
        """Return the callback of a stack, or None if it is off; ``settings`` are one for each replica.

        ``plan`` says how the stack is trained, by the rules of which recipe version, too.
        """
        raise NotImplementedError(f"{cls.__name__}.start")

    def program(self) -> Hashable:
        """Return a key of the settings that is equal for those that can train in one stack."""
        kind: type = type(self)
        marked = hyperparameters_of(kind)
        rest = tuple(getattr(self, each.name) for each in fields(self) if each.name not in marked)
        return (*program_of(self), *rest, *(each.of(self) is None for each in marked.values()))


def start_callbacks(
    replicas: Sequence[Mapping[str, CallbackSettings]], model: MLP, plan: TrainingPlan
) -> list[Callback]:
    """Return the callbacks of a stack that are on, by the settings of each replica by name."""
    started = (
        entry.start([settings[name] for settings in replicas], model, plan)
        for name, entry in CALLBACKS.items()
    )
    return [callback for callback in started if callback is not None]
