"""``Operation``: a forward function, and one gradient rule for each operand.

The operations are defined in ``arithmetic``, ``elementwise``, ``reductions``, ``shapes`` and ``softmax``.
They are functions of plain values, independent of ``Variable`` and graphs.
"""

from collections.abc import Callable
from typing import Any

from micrograde.autograd.values import Value

Rule = Callable[..., Any]

UNCHANGED: Rule | None = None


class Operation:
    """A differentiable function of values.

    Parameters
    ----------
    symbol
        Its name in graphs and messages, such as ``+`` or ``tanh``.
    forward
        ``forward(a, b, ...)`` computes the output from the operands' values.
    gradients
        For each operand a rule ``rule(g, out, a, b, ...)``: its share of the gradient, from the
        gradient ``g`` of the output, the output ``out`` and the operands' values. This is a
        vector-Jacobian product: ``g`` has the shape of ``out``, and the result that of the operand,
        or a shape to which the operand broadcasts; the engine then undoes the broadcasting.
        ``UNCHANGED`` stands for a rule that gives ``g`` itself, and saves the call.
    reads
        For each rule the operands whose numbers it reads, ``"a"``, ``"b"``, ``"ab"`` or ``""``; reading the
        shape alone does not count. By default all operands. An operation whose output may be a view of its
        operand must name it: a change of the one changes the other.
    """

    __slots__ = ("forward", "gradients", "reads", "reads_a", "reads_b", "symbol")

    def __init__(
        self,
        symbol: str,
        forward: Callable[..., Value],
        *gradients: Rule | None,
        reads: tuple[str, ...] | None = None,
    ) -> None:
        self.symbol = symbol
        self.forward = forward
        self.gradients = gradients
        self.reads = reads or ("ab"[: len(gradients)],) * len(gradients)
        self.reads_a, self.reads_b = (any(name in each for each in self.reads) for name in "ab")

    def __repr__(self) -> str:
        return f"Operation({self.symbol!r})"
