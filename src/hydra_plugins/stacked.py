"""Hydra's plugins of micrograde: the sweepers and the launcher.

Hydra imports the modules of ``hydra_plugins`` when it starts, and uses only plugin classes from there. What
they do is in ``micrograde.sweeps``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class StackedSweeper(Sweeper):
    """A sweeper like Hydra's basic one that does not compose every job with Hydra to validate it."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep context and config, and make the launcher."""
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
    """A replacement for Optuna's sweeper: a search in which all trials fail ends like any other."""

    def __init__(self, **options: Any) -> None:
        from hydra.utils import instantiate
        from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper

        if OmegaConf.is_config(options.get("sampler")):  # Hydra 1.4 leaves it as it is in the config
            options["sampler"] = instantiate(options["sampler"])
        self._optuna = OptunaSweeper(**options)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Set up Optuna's sweeper, which makes the launcher."""
        self._folder = Path(config.hydra.sweep.dir)
        self._optuna.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> None:
        """Launch the trials, batch after batch."""
        from micrograde.sweeps.search import run_search

        run_search(self._optuna, self._folder, arguments)


class BatchLauncher(Launcher):
    """What launchers of a whole batch share; Hydra takes no abstract class for a plug-in."""

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,  # noqa: ARG002
        config: DictConfig,
    ) -> None:
        """Keep context and config; ``task_function`` is not needed, as a batch is run as a whole."""
        self._context, self._config = hydra_context, config


class StackedLauncher(BatchLauncher):
    """Trains all jobs of a batch in this process, as stacks."""

    def launch(
        self,
        job_overrides: Sequence[Sequence[str]],
        initial_job_idx: int,  # noqa: ARG002
    ) -> Sequence[JobReturn]:
        """Train all jobs of a batch; each return holds the objective, or the reason why there is none."""
        from micrograde.sweeps.launching import launch_stacked

        return launch_stacked(self._context, self._config, job_overrides)


class RayLauncher(BatchLauncher):
    """Trains the jobs of a batch on a Ray cluster, as stacks."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def launch(
        self,
        job_overrides: Sequence[Sequence[str]],
        initial_job_idx: int,  # noqa: ARG002
    ) -> Sequence[JobReturn]:
        """Train all jobs of a batch; each return holds the objective, or the reason why there is none."""
        from micrograde.sweeps.launching import launch_on_ray

        options: Any = OmegaConf.to_container(OmegaConf.create(self._options), resolve=True)
        return launch_on_ray(self._context, self._config, job_overrides, options)
