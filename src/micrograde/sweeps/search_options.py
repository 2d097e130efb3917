"""Check the options of a search before it begins: Optuna would complain late."""

import math
from collections.abc import Mapping

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf

from micrograde.config.keys import shorten
from micrograde.core.errors import InputError
from micrograde.sweeps.options import MOST_RUNS_OF_SWEEP, check_count

_LARGEST = 2**53  # up to here every integer is exact in float64, which samplers use


def check_options(sweeper: DictConfig, space: Mapping[str, str]) -> None:
    """Raise ``InputError`` if Optuna cannot search with these options.

    Parameters
    ----------
    sweeper
        The config of Hydra's sweeper for Optuna.
    space
        The values of each swept key, as they were typed: ``{"seed": "range(10)"}``.
    """
    if not space:
        raise InputError(
            "hydra/sweeper=optuna: there is nothing to search; add search=sgd, or a range such as "
            "'optimizer.learning_rate=interval(0.01,1)'"
        )
    for key in ("n_trials", "n_jobs"):
        if sweeper[key] is not None and sweeper[key] < 1:
            raise InputError(f"hydra.sweeper.{key}={sweeper[key]}: should be greater than 0")
    if sweeper.n_jobs is not None and sweeper.n_jobs > MOST_RUNS_OF_SWEEP:
        raise InputError(
            f"hydra.sweeper.n_jobs={shorten(str(sweeper.n_jobs))}: should be at most {MOST_RUNS_OF_SWEEP}"
        )
    if not 0 <= sweeper.max_failure_rate <= 1:
        raise InputError(f"hydra.sweeper.max_failure_rate={sweeper.max_failure_rate}: should be from 0 to 1")
    direction = getattr(sweeper.direction, "name", sweeper.direction)
    if isinstance(direction, ListConfig) or direction not in ("minimize", "maximize"):
        raise InputError(f"hydra.sweeper.direction={direction}: should be minimize or maximize")
    endless = [key for key, text in space.items() if not _has_steps(key, text)]
    is_grid = "GridSampler" in str(OmegaConf.select(sweeper, "sampler._target_", default=""))
    if is_grid and endless:
        raise InputError(
            "hydra/sweeper/sampler=grid: tries every value, which is endless for "
            f"{' '.join(endless)}; name them, as in {endless[0]}=1,2,5, "
            "or leave out hydra/sweeper/sampler=grid"
        )
    if is_grid:
        check_count(space)


def open_storage(url: str) -> None:
    """Raise ``InputError`` if a database for studies cannot be opened or created at this address."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(url)
        engine.connect().close()
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        reason = (str(getattr(error, "orig", None) or error).splitlines() or ["no reason given"])[0]
        # Without the address, which may hold a password.
        raise InputError(f"hydra.sweeper.storage: cannot be opened ({reason})") from None


def _has_steps(key: str, text: str) -> bool:
    """Return whether a key's values can be counted; raise ``InputError`` if they cannot be searched."""
    from hydra_plugins.hydra_optuna_sweeper import _impl
    from optuna import distributions

    override = OverridesParser.create().parse_override(f"{key}={text}")
    try:
        values = _impl.create_optuna_distribution_from_override(override)
        low, high = getattr(values, "low", 0), getattr(values, "high", 0)
        if not math.isfinite(float(high) - float(low)):
            raise ValueError("its ends, and how far they are apart, should be finite")
        if isinstance(low, int) and max(abs(low), abs(high)) > _LARGEST:
            raise ValueError("its ends should be within 2**53")
    except (ValueError, OverflowError, AssertionError, NotImplementedError) as error:
        raise InputError(f"{key}={text}: cannot be searched ({' '.join(str(error).split())})") from None
    endless = ("UniformDistribution", "LogUniformDistribution", "IntLogUniformDistribution")
    return not isinstance(values, tuple(getattr(distributions, name) for name in endless))
