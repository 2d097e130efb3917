"""Detect arrays that were changed in place between the forward pass and the backward pass.

A gradient rule that reads an operand's numbers must read those that the output was computed from. Arrays that
an operation made are set read-only. Other arrays are the user's, who may change them from step to step; if a
rule will read such an array, its bytes are kept and compared before the rule runs.
"""

from typing import Any

import numpy as np

from micrograde.autograd.node import Node
from micrograde.autograd.operation import Operation, Rule
from micrograde.autograd.values import FloatArray

_BYTES_SHARED = 1 << 16  # from this size on, all uses share one copy
_WHOLE = {2: np.uint16, 4: np.uint32, 8: np.uint64}

_new = object.__new__

Kept = bytes | FloatArray
"""The content of an array: its bytes, or a copy if it is large."""


def guarded(operation: Operation, a: Node, b: Node | None) -> Operation:
    """Return ``operation`` with rules that first check that the arrays they read are unchanged."""
    out = _new(Operation)
    out.symbol, out.forward, out.reads = operation.symbol, operation.forward, operation.reads
    out.reads_a, out.reads_b = operation.reads_a, operation.reads_b
    if b is None:
        out.gradients = (_checked_rule(operation, 0, _keep(a), None),)
        return out
    left, right = operation.reads
    needed = (left if a.requires_grad else "") + (right if b.requires_grad else "")
    kept_a = _keep(a) if "a" in needed and is_users(a) else None
    if a is b:  # one check is enough
        out.gradients = (_checked_rule(operation, 0, kept_a, None), operation.gradients[1])
        return out
    kept_b = _keep(b) if "b" in needed and is_users(b) else None
    out.gradients = (
        _checked_rule(operation, 0, kept_a if "a" in left else None, kept_b if "b" in left else None),
        _checked_rule(operation, 1, kept_a if "a" in right else None, kept_b if "b" in right else None),
    )
    return out


def is_users(operand: Node) -> bool:
    """Return whether the operand holds an array that no operation has made read-only."""
    unowned = operand._operation is None or not operand.requires_grad
    return unowned and operand._value.__class__ is not float


def _checked_rule(operation: Operation, place: int, kept_a: Kept | None, kept_b: Kept | None) -> Rule | None:
    """Return the rule at ``place``, preceded by a check of the operands whose content was kept."""
    rule = operation.gradients[place]
    if rule is None or (kept_a is None and kept_b is None):
        return rule
    symbol = operation.symbol

    def checked(g: Any, out: Any, *operands: Any) -> Any:
        if kept_a is not None and not _is_as_kept(operands[0], kept_a):
            raise _changed(symbol)
        if kept_b is not None and not _is_as_kept(operands[1], kept_b):
            raise _changed(symbol)
        return rule(g, out, *operands)

    return checked


def _changed(symbol: str) -> RuntimeError:
    return RuntimeError(
        f"backward(): an array was changed in place after {symbol} was computed from it; "
        "change it after backward(), or give the Variable a new array"
    )


def _keep(variable: Node) -> Kept:
    """Return the content of the variable's array; a large array's last copy is reused if still equal."""
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
    """Return whether the array still has the kept content, compared bit by bit, so that NaN equals NaN."""
    if isinstance(kept, bytes):
        return array.tobytes() == kept
    kind = _WHOLE[array.itemsize]
    return bool((array.view(kind) == kept.view(kind)).all())
