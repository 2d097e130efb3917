"""pydantic's validators of the schemas, each built once: a sweep uses the same few hundreds of times."""

from typing import Any

from pydantic import TypeAdapter

_adapters: dict[Any, TypeAdapter[Any]] = {}


def adapter_of(schema: Any) -> TypeAdapter[Any]:
    """Return what validates and dumps values of a data class or an annotation."""
    if schema not in _adapters:
        _adapters[schema] = TypeAdapter(schema)
    return _adapters[schema]
