"""From what Hydra composed for ``-m`` to the sweep of this launch."""

from omegaconf import DictConfig, OmegaConf

from micrograde.sweeps.composing import resolved
from micrograde.sweeps.identity import identify
from micrograde.sweeps.session import Sweep
from micrograde.tracking import WriterProcess

_OURS = "hydra_plugins.stacked."


def open_sweep(master: DictConfig) -> Sweep:
    """The sweep; its parent run begins with its first jobs.

    Where neither the sweeper nor the launcher is ours, it begins at once, and each job is told its parent.
    """
    composed = resolved(master)
    writer = None if composed["tracking"]["name"] == "disabled" else WriterProcess()
    sweep = Sweep(identify(master, composed), composed, writer)
    if not any(
        str(part._target_).startswith(_OURS) for part in (master.hydra.sweeper, master.hydra.launcher)
    ):
        sweep.begin([])
        parent = sweep.parent_run_id()
        if parent:
            master.hydra.overrides.hydra.append(f"sweep.parent_run_id={parent}")
    if OmegaConf.select(master, "hydra.sweeper.n_trials") is not None:
        master.hydra.sweeper.n_trials = sweep.trials_left(master.hydra.sweeper.n_trials)
    return sweep
