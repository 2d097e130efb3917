"""Runs and sweeps from Python and Jupyter, with the same overrides and records as in the shell.

>>> import micrograde as mg
>>> run = mg.run("data=moons", "optimizer.learning_rate=0.3")
>>> sweep = mg.sweep("data=moons", "seed=range(5)", "optimizer.learning_rate=0.1,0.3")
>>> run = mg.run(frame, target="species", learning_rate=0.3)
>>> sweep = mg.sweep(X, y, seed=range(5), learning_rate=[0.1, 0.3])
"""

import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra._internal.utils import create_config_search_path
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime, setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from packaging.version import Version

from micrograde.api.given_data import GivenData, given_data, split_arguments
from micrograde.api.keywords import overrides_of
from micrograde.api.results import Run, Sweep
from micrograde.config.flags import refuse_endless, refuse_mode
from micrograde.config.guard import EXECUTION_WHITELIST, GuardedLoader
from micrograde.config.hydra_messages import hydra_message
from micrograde.config.hydra_versions import BEHAVIOUR, building_only, hydra_context, load_plugins
from micrograde.config.locations import store_location
from micrograde.config.parsing import parse_sweep_config, parse_train_config
from micrograde.config.quoting import quote_texts
from micrograde.config.resolvers import resolvers_left_as_they_were
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.interrupts import interrupt_in_one_line
from micrograde.core.project import conf_folder, project_home
from micrograde.core.shared_contexts import shared
from micrograde.core.terminal import say
from micrograde.runs.measured import measuring
from micrograde.runs.resuming import resumed_run
from micrograde.runs.train import PreparedSets, default_metric, train_and_record
from micrograde.store import BACKENDS, keeps_runs, tags
from micrograde.store.library_environment import has_matplotlib_folder, keep_caches_in, warnings_stay_warnings
from micrograde.store.metric_names import recorded_name
from micrograde.store.path_kinds import check_home
from micrograde.sweeps.callback import SweepCallback
from micrograde.sweeps.composing import resolved
from micrograde.sweeps.members import run_members
from micrograde.sweeps.opening import open_sweep
from micrograde.sweeps.options import check_alone

_CONFIG = "train"
_HYDRA = threading.RLock()  # a run trains without it; a sweep composes, and launches, until its end


@interrupt_in_one_line()
def run(*given: Any, target: str | Sequence[str] | None = None, **hyperparameters: Any) -> Run:
    """Train and record one run, as ``pipelines/train.py`` does.

    >>> mg.run("data=moons", "optimizer.learning_rate=0.3")
    >>> mg.run(frame, target="species", learning_rate=0.3, hidden_size=[32, 32])
    >>> mg.run(X, y, "data.missing=drop")

    Parameters
    ----------
    given
        Data, if what comes first is no text: a table, or features (N, ...) and N labels, or (N, K) numbers to
        be predicted. It may be a data frame of pandas, a NumPy array, or anything with
        ``__arrow_c_stream__``, as of polars, pyarrow and duckdb. The rows are kept in ``mlruns/data`` by
        their digest, once for all runs that train on them.

        Then overrides, as they are typed in the shell, without its quotes:
        ``"model.hidden_size=[16,16]"``.
    target
        The column of the table with what is to be learned, classes or numbers; or a list of several columns
        of numbers.
    hyperparameters
        The same as overrides, by the names of ``MLPClassifier``'s arguments, such as ``learning_rate=0.1``
        and ``hidden_size=[32, 32]``, or by the last part of any other key: ``label_noise=0.1``.

    Returns
    -------
    Run
        Also if it FAILED or was stopped with Ctrl-C (or Jupyter's stop button): see its ``status``.

    Raises
    ------
    InputError
        If an override or the data is wrong; the message is the line that the shell shows. Nothing has been
        started.
    TrackingError
        If the run could not be recorded.
    """
    data, overrides = _arguments(given, target, hyperparameters, sweeps=False)
    with _composing(overrides) as loader:
        with _hydra_globals():
            config = _config_of_run(loader, overrides)
        location, prepared = store_location(config.tracking), PreparedSets()
        if data:
            prepared.give(data.digest, data.rows)
            prepared.check(config)
            if location:
                data.keep(location)
        with resumed_run(config, overrides) as resumption:
            config = resumption.config if resumption else config
            (result,) = train_and_record([config], overrides, resumption=resumption, prepared=prepared)
        for warning in result.warnings:
            say(warning, sys.stderr)
        return Run.load(result.run_id, location) if location and result.run_id else Run.of_result(result)


@interrupt_in_one_line()
def sweep(*given: Any, target: str | Sequence[str] | None = None, **hyperparameters: Any) -> Sweep:
    """Train and record a sweep, as ``pipelines/train.py -m`` does; the same call again continues it.

    >>> mg.sweep("data=moons", "seed=range(5)", "optimizer.learning_rate=0.1,0.3")
    >>> mg.sweep(X, y, seed=range(5), learning_rate=[0.1, 0.3], hidden_size=[[32], [32, 32]])

    Parameters
    ----------
    given
        Data, if what comes first is no text, as for ``run``. Then overrides, with any of Hydra's syntax for
        sweeps: ``"seed=range(5)"``, ``"optimizer.learning_rate=0.1,0.3"``.
    target
        The column of the table with what is to be learned, classes or numbers; or a list of several columns
        of numbers.
    hyperparameters
        The same as overrides, by name as for ``run``. A list is several values, of which each makes runs. Of
        ``hidden_size``, one value of which may be a list, a list of lists is.

    Returns
    -------
    Sweep
        Its runs are read from the store, including FAILED ones.

    Raises
    ------
    InputError
        If an override or the data is wrong, or ``tracking=disabled``; nothing has been started.
    TrackingError
        If the sweep could not be recorded.
    RunFailedError
        If the store cannot be reached: the records are kept, and a line says how to send them.
    """
    data, overrides = _arguments(given, target, hyperparameters, sweeps=True)
    with _composing(overrides) as loader, _hydra_globals():
        master = loader.load_configuration(_CONFIG, list(overrides), RunMode.MULTIRUN)
        if not keeps_runs(master.tracking.name):
            others = " or ".join(filter(keeps_runs, BACKENDS))
            raise InputError(
                f"tracking={master.tracking.name}: a sweep is read from its store; choose {others}"
            )
        launched = open_sweep(master, data)
        callback, callbacks = SweepCallback(), Callbacks()
        callback.sweep, callbacks.callbacks = launched, [callback]
        try:
            sweeper = Plugins.instance().instantiate_sweeper(
                config=master,
                hydra_context=hydra_context(loader, callbacks, EXECUTION_WHITELIST),
                task_function=_job,
            )
            sweeper.sweep([str(each) for each in master.hydra.overrides.task])
            launched.close(Path(master.hydra.sweep.dir))
        except BaseException as error:
            launched.abort(error)
            raise
        if launched.run_id is None or launched.location is None:
            raise RunFailedError("the sweep cannot be read from its store yet; sync sends its kept records")
        return Sweep.load(launched.run_id, launched.location, launched.metric, launched.options.order)


def _config_of_run(loader: GuardedLoader, overrides: Sequence[str]) -> TrainConfig:
    for override in OverridesParser.create(config_loader=loader).parse_overrides(quote_texts(overrides)):
        if override.is_sweep_override():
            raise InputError(f"{override.input_line}: is several values; mg.sweep makes a run of each")
    container = resolved(loader.load_configuration(_CONFIG, list(overrides), RunMode.RUN))
    check_alone(parse_sweep_config(container))
    return parse_train_config(container)


def _arguments(
    given: Sequence[object], target: object, hyperparameters: Mapping[str, Any], *, sweeps: bool
) -> tuple[GivenData | None, list[str]]:
    """Return the data that were given, if any, and all overrides, those of the data first."""
    first, second = ([hyperparameters[name]] if name in hyperparameters else [] for name in ("X", "y"))
    given = [*first, *given]
    given[1:1] = second
    named = {name: value for name, value in hyperparameters.items() if name not in ("X", "y")}
    table, overrides, column = split_arguments(given, target, "sweep" if sweeps else "run")
    if column is not None:
        named["target"] = column
    overrides += overrides_of(named, overrides, sweeps=sweeps)
    if table is None:
        return None, overrides
    data = given_data(table, overrides)
    return data, [*data.overrides, *overrides]


def _job(config: DictConfig) -> object:
    """Train what another launcher's job is given: several runs of a sweep in stacks, or one run."""
    composed: Any = OmegaConf.to_container(config, resolve=True)
    options = parse_sweep_config(composed)
    if options.members:
        return run_members(options.members)
    recipe = parse_train_config(measuring(composed, options.metric))
    nested = {tags.PARENT: options.parent_run_id} if options.parent_run_id else None
    (result,) = train_and_record([recipe], HydraConfig.get().overrides.task, tags=nested)
    if result.status != "FINISHED":
        raise RunFailedError(f"the run {result.status}: {result.reason}")
    metric = options.metric or default_metric(recipe.data.has_validation, result.task)
    return result.last_metrics().get(recorded_name(metric, recipe.recipe_version))


@contextmanager
def _composing(overrides: Sequence[str]) -> Iterator[GuardedLoader]:
    """Yield Hydra's loader for ``conf/``, with its errors as ``InputError``; leave Hydra as it was."""
    for override in overrides:
        if override.startswith("-"):
            raise InputError(f"{override}: should be text such as data=moons; flags are for the shell")
    refuse_endless(overrides)
    refuse_mode(overrides)
    here = project_home()
    check_home(here)
    if not has_matplotlib_folder():
        keep_caches_in(here / "mlruns" / "cache")
    try:
        with _surroundings(), building_only(EXECUTION_WHITELIST):
            with _hydra_globals():
                load_plugins()
                loader = GuardedLoader(create_config_search_path(str(conf_folder())))
            yield loader
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(hydra_message(error, _CONFIG, overrides)) from None


@shared
@contextmanager
def _surroundings() -> Iterator[None]:
    """Say to all of this process where the project is, and keep warnings from being errors."""
    home = os.environ.get("MICROGRADE_HOME")
    os.environ["MICROGRADE_HOME"] = str(project_home())
    try:
        with warnings_stay_warnings():
            # Optuna imports tqdm, which in a notebook would rather have widgets; none of its bars is shown.
            warnings.filterwarnings("ignore", "IProgress not found")
            yield
    finally:
        if home is None:
            os.environ.pop("MICROGRADE_HOME", None)
        else:
            os.environ["MICROGRADE_HOME"] = home


@contextmanager
def _hydra_globals() -> Iterator[None]:
    """Set what Hydra keeps for the whole process, one thread at a time, and then restore it.

    ``hydra.initialize`` is not used: it refuses to be called within the user's own.
    """
    with _HYDRA:
        hydra, base, job = HydraConfig.instance(), VersionBase.instance(), JobRuntime.instance()
        before = hydra.cfg, base.version_base, job.get("name")
        setup_globals()
        if version_base := BEHAVIOUR.get("version_base"):
            base.setbase(Version(version_base))
        job.set("name", _CONFIG)
        try:
            with resolvers_left_as_they_were():
                yield
        finally:
            hydra.cfg, base.version_base, name = before
            job.set("name", name)
