"""A replacement for Hydra's basic sweeper that saves no passwords; ``stacked.py`` says why it is here."""

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from omegaconf import OmegaConf

from micrograde.core.redaction import redacted


class BasicSweep(BasicSweeper):
    """Hydra's basic sweeper, which saves the config as ``multirun.yaml``; here without its passwords."""

    def sweep(self, arguments: list[str]) -> Any:
        """Launch the jobs, batch after batch."""
        assert self.config is not None
        folder = self.config.hydra.sweep.dir
        self.config = OmegaConf.create(redacted(OmegaConf.to_container(self.config, resolve=False)))
        self.config.hydra.sweep.dir = folder  # its name holds the time: keep the first one
        return super().sweep(arguments)
