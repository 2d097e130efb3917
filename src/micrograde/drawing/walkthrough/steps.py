"""The forward and backward steps at each node of a graph, from the engine's own values and rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, assert_never

import numpy as np

from micrograde.autograd import Variable, nodes
from micrograde.autograd.values import Shape, Value, as_value, unbroadcast
from micrograde.drawing.walkthrough.formulas import Formula, formula_of

Kind = Literal["operation", "parameter", "constant", "left out"]
Pass = Literal["given", "forward", "backward"]

_ROUNDING = 1e-9  # relative tolerance; sums of shares in another order differ by 1e-15


@dataclass(frozen=True)
class Share:
    """The part of the gradient that a node passes to one of its operands.

    Attributes
    ----------
    local
        The factor of the node's gradient: the derivative entry by entry, or one number if all entries are
        equal; for a matrix product the other factor, transposed; for softmax the probabilities. None if
        entries are only moved.
    whole
        The share before broadcasting is undone; None if nothing was broadcast.
    value
        The share, in the operand's shape.
    summed
        How ``value`` follows from ``whole``, in words.
    """

    local: Value | None
    whole: Value | None
    value: Value
    summed: str = ""


@dataclass(frozen=True)
class Node:
    """A node with everything that the page shows of it.

    Attributes
    ----------
    number
        Its index in ``Walk.nodes``.
    gradient
        The gradient in the shape of the value; None for a constant.
    operands
        The indices of its operands in ``Walk.nodes``.
    shares
        One for each operand, None for constants.
    has_rest
        Whether the gradient differs from the sum of the shares that the nodes shown pass to it.
    formula
        The formulas of its operation; None for a leaf.
    """

    number: int
    symbol: str
    name: str
    kind: Kind
    value: Value
    gradient: Value | None
    operands: tuple[int, ...]
    shares: tuple[Share | None, ...]
    has_rest: bool
    formula: Formula | None

    @property
    def label(self) -> str:
        """The operation or the kind of leaf, then the name, or the number of a node without a name."""
        first = self.symbol or ("" if self.name else self.kind)
        return f"{first} {self.name or f'#{self.number}'}".strip()

    @property
    def shape(self) -> Shape:
        """The shape of the value; ``()`` for a number."""
        return np.shape(self.value)


@dataclass(frozen=True)
class Walk:
    """The nodes of a graph in forward order, the root last; ``total`` also counts nodes that are left out."""

    nodes: tuple[Node, ...]
    total: int

    @property
    def steps(self) -> tuple[tuple[Pass, int], ...]:
        """The steps: the inputs, every operation, then backward from the end every node with a gradient."""
        end = len(self.nodes) - 1
        forward = [number for number, node in enumerate(self.nodes) if node.kind == "operation"]
        backward = [number for number in range(end, -1, -1) if self.nodes[number].gradient is not None]
        return (
            ("given", end),
            *(("forward", number) for number in forward),
            *(("backward", number) for number in backward),
        )


def walk(root: Variable, limit: int) -> Walk:
    """Return the graph of ``root``, whose ``backward`` has been called.

    A graph of more than ``limit`` nodes is cut: only the nodes nearest to the root are kept, and their direct
    operands.
    """
    total = sum(1 for _ in nodes(root))
    kept = {id(node) for node in islice(nodes(root), limit)}
    order = _forward_order(root, kept)
    numbers = {id(node): number for number, node in enumerate(order)}
    with np.errstate(all="ignore"):  # a run that diverged is shown with its infinities
        shares = [_shares(node) if id(node) in kept else () for node in order]
        received: list[list[Value]] = [[] for _ in order]
        for node, given in zip(order, shares, strict=True):
            for operand, share in zip(node._prev, given, strict=False):
                if share is not None:
                    received[numbers[id(operand)]].append(share.value)
        made = [
            Node(
                number,
                node._op,
                node.name,
                _kind(node, id(node) in kept),
                node.value,
                _gradient(node),
                tuple(numbers[id(operand)] for operand in node._prev) if id(node) in kept else (),
                given,
                node is not root and _has_rest(node, parts),
                formula_of(node) if node._op else None,
            )
            for number, (node, given, parts) in enumerate(zip(order, shares, received, strict=True))
        ]
    return Walk(tuple(made), total)


def _forward_order(root: Variable, kept: set[int]) -> list[Variable]:
    """Return the nodes, operands before their users; without recursion, because a chain may be long."""
    order: list[Variable] = []
    seen = {id(root)}
    stack: list[tuple[Variable, Iterable[Variable]]] = [(root, iter(root._prev))]
    while stack:
        node, operands = stack[-1]
        for operand in operands:
            if id(operand) not in seen:
                seen.add(id(operand))
                stack.append((operand, iter(operand._prev if id(operand) in kept else ())))
                break
        else:
            order.append(node)
            stack.pop()
    return order


def _kind(node: Variable, is_kept: bool) -> Kind:
    if node._op or node._prev:
        return "operation" if is_kept else "left out"
    return "parameter" if node.requires_grad else "constant"


def _gradient(node: Variable) -> Value | None:
    """Return the gradient in the shape of the value; an array that no gradient reached has the number 0."""
    if not node.requires_grad:
        return None
    gradient = as_value(node.grad)
    return gradient if np.shape(gradient) == node.shape else np.broadcast_to(gradient, node.shape)


def _shares(node: Variable) -> tuple[Share | None, ...]:
    """Return the share that a node passes to each of its operands, computed by the engine's own rules."""
    if node._operation is None:
        return tuple(None for _ in node._prev)
    values = [operand.value for operand in node._prev]
    made: list[Share | None] = []
    for position, (operand, rule) in enumerate(zip(node._prev, node._operation.gradients, strict=True)):
        if not operand.requires_grad:
            made.append(None)
            continue
        whole = as_value(node.grad if rule is None else rule(node.grad, node.value, *values))
        value = _in_shape(whole, operand.value)
        local = _local(node, rule, position, values)
        if np.shape(whole) == np.shape(value):
            made.append(Share(local, None, value))
        else:
            made.append(Share(local, whole, value, _summed(np.shape(whole), np.shape(value))))
    return tuple(made)


def _in_shape(share: Value, value: Value) -> Value:
    """Return a share in the shape of the operand's value, as the engine does."""
    if isinstance(value, float):
        return float(np.sum(share))
    return np.full_like(value, share) if isinstance(share, float) else unbroadcast(share, value.shape)


def _summed(copied: Shape, shape: Shape) -> str:
    """Return in words over which axes the copies made by broadcasting were summed."""
    leading = len(copied) - len(shape)
    axes = [*range(leading), *(leading + at for at, size in enumerate(shape) if size != copied[leading + at])]
    copies = int(np.prod([copied[axis] for axis in axes])) if axes else 1
    named = "axes" if len(axes) > 1 else "axis"
    over = f"{named} {', '.join(map(str, axes))}"
    return f"summed over {over}: broadcasting had made {copies:,} copies of each entry"


def _local(node: Variable, rule: Any, position: int, values: Sequence[Any]) -> Value | None:
    """Return the factor of the gradient: a rule is linear in it, so the rule at 1 is the derivative."""
    match formula_of(node).way:
        case "matrix":
            other = values[1 - position]
            return as_value(other.swapaxes(-1, -2) if other.ndim > 1 else other)
        case "softmax":
            return as_value(node.value if node._op == "softmax" else np.exp(node.value))
        case "move" | "unknown":
            return None
        case "factor":
            if rule is None:
                return 1.0
            one = 1.0 if isinstance(node.value, float) else np.ones_like(node.value)
            return _as_number(as_value(rule(one, node.value, *values)))
        case way:
            assert_never(way)


def _as_number(value: Value) -> Value:
    """Return an array of equal entries as one number, any other value as it is."""
    if isinstance(value, float) or not value.size or not (value == value.flat[0]).all():
        return value
    return float(value.flat[0])


def _has_rest(node: Variable, parts: Sequence[Value]) -> bool:
    """Return whether a gradient differs from the sum of its parts; False if any is not finite."""
    gradient = _gradient(node)
    if gradient is None:
        return False
    rest = np.asarray(gradient) - sum(parts, start=np.zeros(node.shape))
    scale = max([float(np.max(np.abs(part), initial=0.0)) for part in (gradient, *parts)])
    return bool(np.max(np.abs(rest), initial=0.0) > _ROUNDING * scale)
