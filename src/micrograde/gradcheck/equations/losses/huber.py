"""The Huber loss; the equations of docs/backward/numbers.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.gradcheck.equations.losses.by_output import LossByOutput


class _Huber(LossByOutput):
    """The part of an error that is beyond delta is written with relu; it has no kink of its own there."""

    def of(self, logit: Variable, target: Variable, *, delta: float = 1.0, **_: float) -> Variable:
        size = (logit - target).abs()
        beyond = (size - delta).relu()
        return (size - beyond) ** 2 / 2 + delta * beyond  # (N3)


LOSS_EQUATIONS.register("huber")(_Huber())
