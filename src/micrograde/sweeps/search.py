"""A search by Optuna that can be resumed: its study, and the trials that are left to do."""

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, OmegaConf

from micrograde.analysis.comparing import ascending
from micrograde.config.keys import key_of
from micrograde.core.errors import InputError
from micrograde.core.project import project_home
from micrograde.metrics import name_in_history
from micrograde.runs.train import default_metric
from micrograde.sweeps.composing import has_validation
from micrograde.sweeps.search_options import check_options, open_storage
from micrograde.sweeps.session import SweepSession, remove_empty
from micrograde.tasks.classification import Classification

if TYPE_CHECKING:
    from optuna import Study

_NO_RESULT = ("No trials are completed yet.", "Record does not exist.")  # what Optuna says, by storage
_TRIALS, _BATCH = 64, 16  # in all, and chosen and trained at a time
_METRIC = "metric"  # the attribute of a study that names the metric of its values
_SEEDS = 2**32  # how many seeds a sampler accepts, from 0
_TAKEN_UP = "taken up"  # marks a trial that was interrupted and has been queued again


def is_search(sweeper: DictConfig) -> bool:
    """Return whether the sweeper is Optuna's, which chooses trials one after another."""
    return "hydra_optuna_sweeper" in str(sweeper._target_)


def prepare_search(master: DictConfig, sweep: SweepSession) -> None:
    """Fill in what was not typed, open the study, and compute how many trials are left.

    The direction follows the sweep's metric, batches of trials are large enough for stacks to pay, and trials
    that fail do not end the search. The sampler's seed is the config's ``seed`` plus the number of trials in
    the study, so that a search that is not interrupted is reproducible.

    Raises
    ------
    InputError
        If the options are invalid, or another launch is running the same search.
    """
    sweeper = master.hydra.sweeper
    space = sweep.identity.space  # of which folds are no part of what is searched: a trial has all of them
    check_options(sweeper, {key: values for key, values in space.items() if key not in sweep.folds.space})
    if sweeper.storage is not None:
        open_storage(str(sweeper.storage))
    import optuna

    # The sweep's table says what failed.
    optuna.logging.set_verbosity(logging.WARNING)
    logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.ERROR)
    sweeper._target_ = "hydra_plugins.stacked.OptunaSearch"
    typed = {key_of(each) for each in master.hydra.overrides.hydra}
    former = name_in_history(default_metric(has_validation(master.data), Classification.name))
    if not sweep.metric:
        sweep.metric = default_metric(has_validation(master.data), sweep.usual_task())
    metric = sweep.options.metric or sweep.metric
    ours = {
        "direction": "minimize" if ascending(metric, sweep.options.order) else "maximize",
        "n_trials": _TRIALS,
        "n_jobs": _BATCH,
        "max_failure_rate": 1.0,
    }
    for key, value in ours.items():
        if f"hydra.sweeper.{key}" not in typed:
            sweeper[key] = value
    before = 0
    if sweep.location:
        sweep.hold()
        study = _open_study(sweeper, sweep, metric, former=former)
        sweeper.n_trials = max(0, sweeper.n_trials - _take_up(study))
        before = len(study.trials)
    if OmegaConf.select(sweeper, "sampler.seed", default=0) is None and isinstance(master.seed, int):
        sweeper.sampler.seed = (master.seed + before) % _SEEDS
    if not sweeper.n_trials:
        sweep.begin([])  # nothing more is launched; the results so far are shown


def _open_study(sweeper: DictConfig, sweep: SweepSession, metric: str, former: str) -> "Study":
    """Open the search's study: in ``mlruns/search.db``, unless the config names another.

    Its name is a digest of the sweep, the metric and the direction: values of two metrics in one study would
    mislead the sampler. By ``former``, the usual metric before there were values of the kept model, and
    upward, it is the sweep's digest alone.

    Raises
    ------
    InputError
        If a study that the config names was made for another metric or direction.
    """
    import optuna

    direction = str(getattr(sweeper.direction, "name", sweeper.direction))
    our_own = sweeper.storage is None and sweeper.study_name is None
    if sweeper.storage is None:
        sweeper.storage = f"sqlite:///{project_home() / 'mlruns' / 'search.db'}"
    if sweeper.study_name is None:
        name = sweep.identity.digest
        if (metric, direction) != (former, "maximize"):
            name = hashlib.sha256(f"{name} {metric} {direction}".encode()).hexdigest()
        sweeper.study_name = name[:32]
    _make_storage(sweeper.storage)
    if our_own and not sweep.options.resume:
        names = [each.study_name for each in optuna.get_all_study_summaries(sweeper.storage)]
        if sweeper.study_name in names:
            optuna.delete_study(sweeper.study_name, sweeper.storage)
    try:
        study = optuna.create_study(
            study_name=sweeper.study_name, storage=sweeper.storage, direction=direction, load_if_exists=True
        )
    except ValueError:
        study = optuna.load_study(study_name=sweeper.study_name, storage=sweeper.storage)
    made_for = f"{study.user_attrs.get(_METRIC, metric)} ({study.direction.name.lower()})"
    if made_for != f"{metric} ({direction})":
        raise InputError(
            f"hydra.sweeper.study_name={sweeper.study_name}: is a study of {made_for}, not of {metric} "
            f"({direction}); leave it out or give another name"
        )
    study.set_user_attr(_METRIC, metric)
    return study


def run_search(sweeper: Sweeper, folder: Path, arguments: list[str]) -> None:
    """Run all trials; it is no error if none of them has a result.

    Parameters
    ----------
    folder
        A folder, which is created, where Optuna's sweeper writes the best trial's parameters at its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        sweeper.sweep(arguments)
    except BaseException as error:
        remove_empty(folder)
        if not (isinstance(error, ValueError) and str(error) in _NO_RESULT):
            raise


def _make_storage(url: str) -> None:
    """Record the version of Optuna's schema in a study's database, if it is missing.

    Optuna 2, which Hydra's sweeper needs, records it without committing under SQLAlchemy 2, and then refuses
    to open the database that it has created.
    """
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from optuna.storages import _rdb
    from sqlalchemy import create_engine

    engine = create_engine(url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        if context.get_current_revision() is None:
            context.stamp(ScriptDirectory(str(Path(_rdb.__file__).parent / "alembic")), "head")
    engine.dispose()


def _take_up(study: "Study") -> int:
    """Queue the trials again that were interrupted, and return how many are done."""
    from optuna.trial import TrialState

    done = 0
    for trial in study.get_trials(deepcopy=False):
        if _TAKEN_UP in trial.user_attrs or trial.state == TrialState.WAITING:
            continue
        if trial.state != TrialState.RUNNING:
            done += 1
            continue
        if trial.params:
            study.enqueue_trial(trial.params)
        study._storage.set_trial_user_attr(trial._trial_id, _TAKEN_UP, True)
        study.tell(trial.number, state=TrialState.FAIL)
    return done
