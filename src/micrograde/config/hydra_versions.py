"""What differs between Hydra 1.3 and 1.4, which both work without a warning."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import hydra
import hydra.utils
from hydra._internal.callbacks import Callbacks
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

IS_1_4 = tuple(int(part) for part in hydra.__version__.split(".")[:2]) >= (1, 4)

BEHAVIOUR: dict[str, Any] = {} if IS_1_4 else {"version_base": "1.3"}
"""Arguments of ``hydra.main`` and its like; from 1.4 on there is one behaviour, and none is to be named."""


def offer_config(name: str, make: Callable[[], Any], group: str | None = None) -> None:
    """Put an option into Hydra's ConfigStore, in place of one of the same name if there is one.

    It is made when it is loaded first: of the options of all groups a command chooses a few.
    """
    file = f"{name}.yaml"
    options = ConfigStore.instance().repo
    if group is not None:
        options = options.setdefault(group, {})
    options[file] = _Offered(file, group, make)


class _Offered(ConfigNode):
    """A node of Hydra's ConfigStore that makes its config when it is asked for it."""

    def __init__(self, name: str, group: str | None, make: Callable[[], Any]) -> None:
        self.name, self.group, self.package, self.provider = name, group, None, "micrograde"
        self._make = make
        self._config: DictConfig | None = None

    @property
    def node(self) -> DictConfig:
        """The config; Hydra copies it before it changes it."""
        if self._config is None:
            self._config = OmegaConf.structured(self._make())
        return self._config

    @node.setter
    def node(self, config: DictConfig) -> None:
        self._config = config


def building_only(targets: Sequence[str]) -> AbstractContextManager[Any]:
    """Have Hydra build objects of these classes alone, and its plug-ins; 1.3 knows no such list."""
    return hydra.utils.execution_whitelist(targets) if IS_1_4 else nullcontext()  # type: ignore[attr-defined, unused-ignore]


def hydra_context(loader: ConfigLoader, callbacks: Callbacks, targets: Sequence[str]) -> HydraContext:
    """Return what plug-ins are given; they hand the list of what may be built on to their workers."""
    allowed: dict[str, Any] = {"execution_whitelist": tuple(targets)} if IS_1_4 else {}
    return HydraContext(config_loader=loader, callbacks=callbacks, **allowed)


def load_plugins() -> None:
    """Import Hydra's plug-ins without the warnings that they give, chosen or not; what is broken is said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("default", r"\s*Error (importing|loading)")
        Plugins.instance()
