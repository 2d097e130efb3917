"""``Node``, the part of a variable that the engine uses: its gradient, and how it was computed."""

from typing import Any

from micrograde.autograd.operation import Operation


class Node:
    """A node of the graph: the base class of ``Variable``, without its operators and methods.

    Attributes
    ----------
    grad
        The derivative of the root with respect to this node's value, in the shape of the value.
    requires_grad
        Whether ``backward`` computes a gradient for this node.
    """

    __slots__ = ("_a", "_b", "_operation", "_pending", "_value", "_x", "_y", "grad", "requires_grad")

    _a: Any
    _b: Any
    _operation: Operation | None
    _pending: int  # how many nodes have still to add their share to its gradient
    _value: Any
    _x: Any  # the operands' values in the forward pass; in a leaf the copy that ``guards`` keeps
    _y: Any
    grad: Any
    requires_grad: bool

    @property
    def _prev(self) -> tuple[Any, ...]:
        """The operands."""
        raise NotImplementedError
