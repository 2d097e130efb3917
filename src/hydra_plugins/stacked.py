"""Where Hydra looks for plugins: it imports what is here at every start, and insists on classes from here.

What they do is in ``micrograde.sweeps``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class StackedSweeper(Sweeper):
    """Hydra's basic sweeper, except that it does not compose every job just to see whether it can."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Remember them, and make the launcher."""
        from hydra.core.plugins import Plugins

        self._context, self._config = hydra_context, config
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Launch a job for each combination of what is swept."""
        from micrograde.sweeps.launching import launch_all

        return launch_all(self._context, self._config, self._launcher, self._params, arguments)


class OptunaSearch(Sweeper):
    """Optuna's sweeper, in whose place the sweep puts it: one in which all trials fail has an end as well."""

    def __init__(self, **options: Any) -> None:
        from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper

        self._optuna = OptunaSweeper(**options)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher."""
        self._folder = Path(config.hydra.sweep.dir)
        self._optuna.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> None:
        """Launch batch after batch."""
        from micrograde.sweeps.search import run_search

        run_search(self._optuna, self._folder, arguments)


class StackedLauncher(Launcher):
    """Trains all jobs of a batch in this process, as stacks."""

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,  # noqa: ARG002
        config: DictConfig,
    ) -> None:
        """Remember them; what a job does is known here, without ``task_function``."""
        self._context, self._config = hydra_context, config

    def launch(
        self,
        job_overrides: Sequence[Sequence[str]],
        initial_job_idx: int,  # noqa: ARG002
    ) -> Sequence[JobReturn]:
        """Train them; each return has the objective, or why there is none."""
        from micrograde.sweeps.launching import launch_stacked

        return launch_stacked(self._context, self._config, job_overrides)
