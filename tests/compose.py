"""What `compose.yaml` starts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)\}")


def services() -> dict[str, Any]:
    """The services, as the file has them."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return found


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A value with its variables filled, as Compose does it; `${NAME:?why}` must be given."""
    return _VARIABLE.sub(lambda found: variables.get(found[1]) or _default(found), text)


def _default(found: "re.Match[str]") -> str:
    if found[2] is None:
        raise KeyError(found[1])
    return found[2]
