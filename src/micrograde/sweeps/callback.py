"""Hydra's callback around a sweep: opens it before the sweeper begins, and closes it when it is done."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from hydra.types import HydraContext
from omegaconf import DictConfig

from micrograde.config.exit_lines import leave_with_line
from micrograde.sweeps.session import SweepSession


class SweepCallback(Callback):
    """Holds the sweep of this launch, where the sweeper and the launcher find it."""

    def __init__(self) -> None:
        self.sweep: SweepSession | None = None
        self._handled: BaseException | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the sweep out: other launchers send callbacks to their workers."""
        return {"sweep": None, "_handled": None}

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Open the sweep; the writer process imports MLflow while jobs are composed."""
        from micrograde.sweeps.opening import open_sweep

        self._handled = sys.exception()
        with leave_with_line():
            self.sweep = open_sweep(config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Summarize the sweep, and exit with a status other than 0 if something failed.

        From 1.4 on, Hydra calls this after an error too, which then goes on to whoever says it.
        """
        if self.sweep is None:
            return
        error = sys.exception()
        if error is not None and error is not self._handled:
            self.sweep.abort(error)
            return
        with leave_with_line():
            try:
                status = self.sweep.close(Path(config.hydra.sweep.dir))
            except KeyboardInterrupt as stopped:  # while it runs settings again on fresh seeds
                self.sweep.abort(stopped)
                raise
        if status:
            sys.exit(status)


def sweep_of(context: HydraContext) -> SweepSession:
    """Return the sweep of this launch."""
    for callback in context.callbacks.callbacks:
        if isinstance(callback, SweepCallback) and callback.sweep is not None:
            return callback.sweep
    raise RuntimeError("hydra.callbacks.sweep is missing from the config: see conf/train.yaml")
