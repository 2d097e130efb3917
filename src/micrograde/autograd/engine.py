"""Reverse-mode differentiation over the graph that variables form, independent of the operations in it.

A node keeps its operation and up to two operands; operands keep no reference to the nodes that use them, and
nothing here recurses. So a graph of any depth is walked with a list and freed by reference counting alone.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from micrograde.autograd.modes import is_detecting_anomalies, watching
from micrograde.autograd.node import Node
from micrograde.autograd.values import Value, describe, unbroadcast

AnyNode = TypeVar("AnyNode", bound=Node)


def backward(root: Node, seed: Value) -> None:
    """Set the gradient of every node that ``root`` depends on; add to the gradients that leaves already have.

    Each node is visited once, after all nodes that use it: the first walk counts its uses, the second visits
    a node when its count has come down to zero (Kahn's order).
    """
    _count_uses(root)
    seen_to_the_end = False
    try:
        _propagate(root, seed)
        seen_to_the_end = True
    finally:
        if not seen_to_the_end:  # a rule raised: the counts must not disturb the next walk
            for node in nodes(root):
                node._pending = 0


def _count_uses(root: Node) -> None:
    """Set each node's ``_pending`` to the number of its uses, and clear gradients of earlier walks."""
    stack = [root] if root._operation is not None else []
    push, pop = stack.append, stack.pop
    while True:  # not `while stack`: CPython 3.11 counts only unconditional jumps when it looks for hot code
        if not stack:
            return
        node = pop()
        node.grad = 0.0  # only leaves accumulate gradients over several walks
        a, b = node._a, node._b
        if a.requires_grad and a._operation is not None:
            if not a._pending:
                push(a)
            a._pending += 1
        if b is not None and b.requires_grad and b._operation is not None:
            if not b._pending:
                push(b)
            b._pending += 1


def _propagate(root: Node, seed: Value) -> None:
    """Apply the chain rule node by node, from ``root`` to the leaves."""
    watch = watching.blocks and is_detecting_anomalies()
    root.grad = root.grad + seed
    stack = [root] if root._operation is not None else []
    push, pop = stack.append, stack.pop
    while True:
        if not stack:
            return
        node = pop()
        operation: Any = node._operation
        gradient, out, a, b, x = node.grad, node._value, node._a, node._b, node._x
        if b is None:
            share = operation.gradients[0](gradient, out, x)
            if watch:
                _check_nan(operation.symbol, share, gradient, x)
            if share.__class__ is float and x.__class__ is float:
                a.grad = a.grad + share
            else:
                _receive(a, share, x)
            pending = a._pending - 1
            if pending >= 0:  # below zero for a leaf, which is not counted and never visited
                a._pending = pending
                if not pending:
                    push(a)
            continue
        left, right = operation.gradients
        y = node._y
        if a.requires_grad:
            share = gradient if left is None else left(gradient, out, x, y)
            if watch:
                _check_nan(operation.symbol, share, gradient, x, y)
            if share.__class__ is float and x.__class__ is float:
                a.grad = a.grad + share
            else:
                _receive(a, share, x)
            pending = a._pending - 1
            if pending >= 0:
                a._pending = pending
                if not pending:
                    push(a)
        if b.requires_grad:
            share = gradient if right is None else right(gradient, out, x, y)
            if watch:
                _check_nan(operation.symbol, share, gradient, x, y)
            if share.__class__ is float and y.__class__ is float:
                b.grad = b.grad + share
            else:
                _receive(b, share, y)
            pending = b._pending - 1
            if pending >= 0:
                b._pending = pending
                if not pending:
                    push(b)


def _receive(node: Node, share: Any, value: Any) -> None:
    """Add a share to a node's gradient, in the shape of ``value``, its value in the forward pass."""
    if value.__class__ is float:
        node.grad = node.grad + float(np.sum(share))
        return
    if share.__class__ is not np.ndarray or share.shape != value.shape:
        share = np.asarray(share)
        share = unbroadcast(share, value.shape) if share.ndim else np.full_like(value, share)
    # The user may change a leaf's gradient in place, so a leaf gets a new array.
    if node.grad.__class__ is float and node._operation is not None:
        node.grad = share
    else:
        node.grad = node.grad + share


def _check_nan(symbol: str, share: Any, gradient: Value, *values: Value) -> None:
    """Raise ``FloatingPointError`` if a rule returned NaN though none of its inputs held one."""
    if np.isnan(share).any() and not any(np.isnan(each).any() for each in (gradient, *values)):
        inputs = " and ".join(describe(each) for each in values)
        raise FloatingPointError(
            f"the backward pass of {symbol} made NaN from the gradient {describe(gradient)} at {inputs}"
        )


def nodes(root: AnyNode) -> Iterator[AnyNode]:
    """Iterate over ``root`` and every node it depends on, constants included, once each and nearest first."""
    seen = {id(root)}
    level = [root]
    while level:
        below: list[AnyNode] = []
        for node in level:
            yield node
            for operand in node._prev:
                if id(operand) not in seen:
                    seen.add(id(operand))
                    below.append(operand)
        level = below
