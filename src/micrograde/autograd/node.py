"""What the engine sees of a variable: its gradient, and how it was made."""

from typing import Any

from micrograde.autograd.operation import Operation


class Node:
    """A node of the graph: what ``Variable`` is to the engine, which knows no operators.

    Attributes
    ----------
    grad
        The derivative of the root by this node's value, in the shape of the value.
    requires_grad
        Whether a gradient is wanted.
    """

    __slots__ = ("_a", "_b", "_operation", "_pending", "_value", "_x", "_y", "grad", "requires_grad")

    _a: Any
    _b: Any
    _operation: Operation | None
    _pending: int  # how many nodes have still to hand it a share of its gradient
    _value: Any
    _x: Any  # the operands' values, as the operation saw them; of a leaf what ``guards`` keeps
    _y: Any
    grad: Any
    requires_grad: bool

    @property
    def _prev(self) -> tuple[Any, ...]:
        """The operands."""
        raise NotImplementedError
