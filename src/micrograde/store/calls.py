"""How a call to a store is made: at once, or by something that repeats it (``Retrying``)."""

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
Caller = Callable[[Callable[[], Any]], Any]
"""A function that makes a call and returns its result: ``at_once``, or ``Retrying``, which repeats it."""


def at_once(call: Callable[[], Result]) -> Result:
    """Make a call once; its errors are not caught."""
    return call()
