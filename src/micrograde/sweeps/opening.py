"""Open the sweep of this launch from the config that Hydra composed for ``-m``."""

from omegaconf import DictConfig, OmegaConf

from micrograde.config.hydra_messages import GONE_LAUNCHERS
from micrograde.config.parsing import parse_sweep_config
from micrograde.core.errors import InputError
from micrograde.core.project import pip_install
from micrograde.store import keeps_runs
from micrograde.sweeps.composing import resolved
from micrograde.sweeps.identity import identify
from micrograde.sweeps.lost_jobs import in_short
from micrograde.sweeps.options import check_count, check_options, check_retest, check_swept
from micrograde.sweeps.search import is_search, prepare_search
from micrograde.sweeps.session import Given, SweepSession
from micrograde.tracking import WriterProcess

_RAY = "hydra_plugins.stacked.RayLauncher"
_BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def open_sweep(master: DictConfig, given: Given | None = None) -> SweepSession:
    """Check the options of a sweep and open it; its parent run begins with the first jobs.

    If neither the sweeper nor the launcher is micrograde's, the parent run begins at once, and each job gets
    its id in an override.

    Parameters
    ----------
    given
        The table that the runs train on, if Python gave one: it is kept when the parent run begins.
    """
    composed = resolved(master)
    identity = identify(master, composed)
    check_swept(identity.space)
    if not is_search(master.hydra.sweeper):
        check_count(identity.space)
    options, tracking = parse_sweep_config(composed), composed["tracking"]["name"]
    check_options(options)
    _check_launcher(str(master.hydra.launcher._target_))
    check_retest(options, tracking, keeps=keeps_runs(tracking))
    writer = WriterProcess(ahead=True) if keeps_runs(tracking) else None
    try:
        return _prepared(master, SweepSession(identity, composed, writer, given))
    except BaseException:
        if writer:
            writer.discard()
        raise


def _check_launcher(target: str) -> None:
    """Raise ``InputError`` for a launcher that is not installed, or that is here no more."""
    if target == _RAY:
        _check_ray()
    for plugin, line in GONE_LAUNCHERS.items():
        if f".{plugin}." in target:
            raise InputError(line)


def _check_ray() -> None:
    """Raise ``InputError`` if Ray is not installed, or cannot be imported."""
    try:
        import ray
    except Exception as error:  # also of what it needs, whose versions may not fit together
        if isinstance(error, ModuleNotFoundError) and error.name == "ray":
            raise InputError(f"hydra/launcher=ray: is not installed; {pip_install('ray')}") from None
        raise InputError(
            f"hydra/launcher=ray: Ray cannot be imported ({in_short(error)}); {pip_install('ray')}"
        ) from None
    if not hasattr(ray, "init"):  # Python takes any folder of that name for a module
        raise InputError(f"hydra/launcher=ray: is not installed; {pip_install('ray')}")


def _prepared(master: DictConfig, sweep: SweepSession) -> SweepSession:
    """Adapt Hydra's config to the sweep, and return the sweep."""
    for part in ("launcher", "sweeper", "sweeper.sampler"):  # from Hydra 1.4 on they cannot be written to
        node = OmegaConf.select(master.hydra, part)
        if OmegaConf.is_config(node):
            OmegaConf.set_readonly(node, False)
    sweep.searches = searching = is_search(master.hydra.sweeper)
    if sweep.folds.space and not is_ours(master.hydra.launcher):
        key, wanted = ("hydra/launcher", "a search") if searching else ("hydra/sweeper", "this sweeper")
        if searching or not is_ours(master.hydra.sweeper):
            raise InputError(
                f"data.folds={sweep.folds.folds}: {wanted} has a run for each job of another launcher, and "
                f"folds make several; leave out {key}, or name a fold, such as data.fold=0"
            )
    if searching:
        prepare_search(master, sweep)
    if str(master.hydra.sweeper._target_) == _BASIC:
        master.hydra.sweeper._target_ = "hydra_plugins.basic_sweep.BasicSweep"
    if not (is_ours(master.hydra.sweeper) or is_ours(master.hydra.launcher)):
        sweep.begin([], run_by_others=True)
        parent = sweep.parent_run_id()
        if parent:
            master.hydra.overrides.hydra.append(f"sweep.parent_run_id={parent}")
    return sweep


def is_ours(plugin: DictConfig) -> bool:
    """Return whether the config is that of micrograde's sweeper or launcher."""
    return str(plugin._target_).startswith("hydra_plugins.stacked.")
