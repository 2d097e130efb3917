"""Hydra's basic sweeper, in whose place the sweep puts this one; see ``stacked.py`` for where it must be."""

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from omegaconf import OmegaConf

from micrograde.core.redaction import redacted


class BasicSweep(BasicSweeper):
    """It leaves the config, ``multirun.yaml``, in the sweep's folder; here without the passwords in it."""

    def sweep(self, arguments: list[str]) -> Any:
        """Launch batch after batch."""
        assert self.config is not None
        folder = self.config.hydra.sweep.dir
        self.config = OmegaConf.create(redacted(OmegaConf.to_container(self.config, resolve=False)))
        self.config.hydra.sweep.dir = folder  # with the time at which it was first read
        return super().sweep(arguments)
