"""Noticing that an array was changed in place between the forward pass and the backward pass.

A rule that looks at an operand's numbers must see those that the output was computed from. What an operation
made, nobody is to change: such arrays are made read-only. Other arrays are the user's, who does change them,
from step to step; of those that a rule will read the bytes are kept, and compared before it does.
"""

from typing import Any

import numpy as np

from micrograde.autograd.node import Node
from micrograde.autograd.operation import Operation, Rule
from micrograde.autograd.values import FloatArray

_BYTES_SHARED = 1 << 16  # from there on a copy is kept once for all uses
_WHOLE = {2: np.uint16, 4: np.uint32, 8: np.uint64}

_new = object.__new__

Kept = bytes | FloatArray
"""What an array held: its bytes, or if it is large a copy."""


def guarded(operation: Operation, a: Node, b: Node | None) -> Operation:
    """The operation for a node with these operands; its rules first see that what they read is as it was."""
    out = _new(Operation)
    out.symbol, out.forward, out.reads = operation.symbol, operation.forward, operation.reads
    out.reads_a, out.reads_b = operation.reads_a, operation.reads_b
    if b is None:
        out.gradients = (_looking(operation, 0, _keep(a), None),)
        return out
    left, right = operation.reads
    needed = (left if a.requires_grad else "") + (right if b.requires_grad else "")
    kept_a = _keep(a) if "a" in needed and is_users(a) else None
    if a is b:  # one look at it is enough
        out.gradients = (_looking(operation, 0, kept_a, None), operation.gradients[1])
        return out
    kept_b = _keep(b) if "b" in needed and is_users(b) else None
    out.gradients = (
        _looking(operation, 0, kept_a if "a" in left else None, kept_b if "b" in left else None),
        _looking(operation, 1, kept_a if "a" in right else None, kept_b if "b" in right else None),
    )
    return out


def is_users(operand: Node) -> bool:
    """Whether it holds an array that no operation has made read-only."""
    unowned = operand._operation is None or not operand.requires_grad
    return unowned and operand._value.__class__ is not float


def _looking(operation: Operation, place: int, kept_a: Kept | None, kept_b: Kept | None) -> Rule | None:
    """A rule of the operation, after a look at what it reads of the operands."""
    rule = operation.gradients[place]
    if rule is None or (kept_a is None and kept_b is None):
        return rule
    symbol = operation.symbol

    def look(g: Any, out: Any, *operands: Any) -> Any:
        if kept_a is not None and not _is_as_kept(operands[0], kept_a):
            raise _changed(symbol)
        if kept_b is not None and not _is_as_kept(operands[1], kept_b):
            raise _changed(symbol)
        return rule(g, out, *operands)

    return look


def _changed(symbol: str) -> RuntimeError:
    return RuntimeError(
        f"backward(): an array was changed in place after {symbol} was computed from it; "
        "change it after backward(), or give the Variable a new array"
    )


def _keep(variable: Node) -> Kept:
    """What its array holds; of a large one the last copy again, if it still holds that."""
    array = variable._value
    if array.nbytes < _BYTES_SHARED or array.itemsize not in _WHOLE:
        written: bytes = array.tobytes()
        return written
    last = variable._x
    if last is None or last.shape != array.shape or last.dtype != array.dtype or not _is_as_kept(array, last):
        variable._x = last = array.copy()
    kept: FloatArray = last
    return kept


def _is_as_kept(array: FloatArray, kept: Kept) -> bool:
    """Bit by bit: NaN is as NaN was."""
    if isinstance(kept, bytes):
        return array.tobytes() == kept
    kind = _WHOLE[array.itemsize]
    return bool((array.view(kind) == kept.view(kind)).all())
