"""The functions that a config may call as ``${name:...}``: none of them runs code of the config's choice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer

from micrograde.core.errors import InputError

_COERCE = "oc.coerce"
_TYPES = ("bool", "bytes", "float", "int", "str", "pathlib.Path")


def limit_resolvers() -> None:
    """Let ``oc.coerce`` of OmegaConf 2.4 know Python's own types alone.

    OmegaConf's imports whatever module it is given the name of, and with that runs it.
    """
    if OmegaConf.has_resolver(_COERCE):
        register: Any = OmegaConf.register_resolver  # type: ignore[attr-defined, unused-ignore]
        register(_COERCE, _coerce, replace=True, annotation_validation="off")


@contextmanager
def resolvers_left_as_they_were() -> Iterator[None]:
    """Give whoever imports micrograde OmegaConf's own ``oc.coerce`` back at the end."""
    before = BaseContainer._resolvers.get(_COERCE)
    try:
        yield
    finally:
        if before is not None:
            BaseContainer._resolvers[_COERCE] = before


def _coerce(type_name: object, value: object) -> Any:
    from omegaconf.resolvers import oc

    if type_name not in _TYPES:
        raise InputError(
            f"oc.coerce: would run Python code, which no config may do; it takes {' '.join(_TYPES)}"
        )
    return oc.coerce(type_name, value)  # type: ignore[attr-defined, unused-ignore]
