"""Values of a narrower type than is declared; the test fails if a value is not of it."""

from typing import TypeVar

ValueT = TypeVar("ValueT")


def not_none(value: ValueT | None) -> ValueT:
    """The value, such as a match that has to be found."""
    assert value is not None
    return value


def of_type(kind: type[ValueT], value: object) -> ValueT:
    """The value, such as the one member of a union that has an attribute."""
    assert isinstance(value, kind), f"{value!r} is no {kind.__name__}"
    return value
