"""What differs between Hydra 1.3 and 1.4, which both work without a warning."""

import inspect
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore

IS_1_4 = tuple(int(part) for part in hydra.__version__.split(".")[:2]) >= (1, 4)

BEHAVIOUR: dict[str, Any] = {} if IS_1_4 else {"version_base": "1.3"}
"""Arguments of ``hydra.main`` and its like; from 1.4 on there is one behaviour, and none is to be named."""

_REPLACING: dict[str, Any] = (
    {"replace": True} if "replace" in inspect.signature(ConfigStore.store).parameters else {}
)


def store_config(name: str, node: Any, group: str | None = None) -> None:
    """Put an option into Hydra's ConfigStore, in place of one of the same name if there is one."""
    ConfigStore.instance().store(name, node, group=group, provider="micrograde", **_REPLACING)
