"""Refuse configs, wherever they come from, that would run code of their choice or write outside ``mlruns``.

Hydra builds Python objects from configs: callbacks, launchers, sweepers and handlers of logging. A value on
the command line, or a YAML file from somebody else (``--config-dir``), could make it call anything. So every
config that Hydra composes is checked before Hydra acts on it; choosing one of several remains possible, as
in ``hydra/launcher=joblib``.
"""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from micrograde.config.entries import offer_entries
from micrograde.config.keys import SCHEMAS, key_of, keys_of, shorten
from micrograde.config.mlflow_variables import follow_variables, with_server
from micrograde.config.own_files import Repository, put_first
from micrograde.config.quoting import quote_texts
from micrograde.config.resolvers import limit_resolvers
from micrograde.config.table_choice import with_table
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.redaction import hide_passwords

# The keys from which Hydra builds objects, and which values they may have in which places.
_OF_INSTANTIATION = re.compile(r"_(target|args|partial|recursive|convert|isolate|execution_whitelist)_")
_PLUGIN = r"(hydra_plugins|hydra\._internal\.core_plugins)\.[\w.]+"  # Hydra itself checks that it is one
_CALLBACK = "micrograde.sweeps.callback.SweepCallback"
_OF_SAMPLERS = ("BruteForce", "CmaEs", "GP", "Grid", "MOTPE", "NSGAII", "NSGAIII", "QMC", "Random", "TPE")
_SAMPLERS = tuple(f"optuna.samplers.{name}Sampler" for name in _OF_SAMPLERS)
_SHIPPED = {
    "hydra.launcher._target_": _PLUGIN,
    "hydra.sweeper._target_": _PLUGIN,
    "hydra.sweeper.sampler._target_": "|".join(map(re.escape, _SAMPLERS)),
    "hydra.sweeper.sampler._partial_": "True",
    "hydra.callbacks.sweep._target_": re.escape(_CALLBACK),
}
# Hydra builds objects from these, so that the values that they refer to are checked, too.
_MADE_INTO_OBJECTS = ("callbacks", "launcher", "sweeper", "job_logging", "hydra_logging")
_LOGGING = ("hydra.job_logging.", "hydra.hydra_logging.")
_HANDLERS = ("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler")
_STREAMS = ("sys.stdout", "sys.stderr")
_LOGGED_TO = (*_HANDLERS, *(f"ext://{stream}" for stream in _STREAMS))

EXECUTION_WHITELIST = (_CALLBACK, *_SAMPLERS, *_HANDLERS, *_STREAMS)
"""What Hydra 1.4 may build of a config; plug-ins it knows itself. The guard has checked in which places."""

_ALONE = "hydra.mode=RUN"  # what Hydra adds to a command that is no sweep
_GROUPS = ("data", "model", "optimizer", "schedule", "training", "tracking")  # a run has one choice of each
_HOME = "${oc.env:MICROGRADE_HOME}"


class GuardedLoader(ConfigLoaderImpl):
    """Hydra's config loader, refusing such configs; what cannot be composed is an error of one line.

    Attributes
    ----------
    follows_variables
        Whether the user's MLflow variables apply where nothing was typed; ``--help`` needs none.
    """

    follows_variables: ClassVar[bool] = True

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        put_first(config_search_path)
        limit_resolvers()
        super().__init__(config_search_path)
        self.repository = Repository(config_search_path)
        offer_entries(self.repository.get_sources())
        self._kept: tuple[str | None, list[str], DictConfig] | None = None

    def parse_overrides(
        self, config_name: str | None, overrides: list[str], *others: Any, **named: Any
    ) -> Any:
        """Parse overrides as Hydra does, which from 1.4 on comes before composing."""
        return super().parse_overrides(config_name, quote_texts(overrides), *others, **named)  # type: ignore[misc]

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Return the config of a job as Hydra 1.3 does.

        1.4 refuses jobs whose sweeper has other options than the sweep's, some of which we have filled in.
        """
        # As they are: iterating over the node would resolve what looks like an interpolation.
        overrides = OmegaConf.to_container(master_config.hydra.overrides.hydra, resolve=False)
        assert isinstance(overrides, list)
        overrides = [*map(str, overrides), *sweep_overrides]
        config = self.load_configuration(master_config.hydra.job.config_name, overrides, RunMode.RUN)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def _load_configuration_impl(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
        **others: Any,
    ) -> DictConfig:
        """Return the composed config, after checking it; the parameters are those of Hydra's loader.

        Whichever way Hydra composes a config, it comes through here: in 1.4 commands and sweeps no longer
        call ``load_configuration``.

        A command composes twice: Hydra first looks whether a config says ``hydra.mode``, and takes any config
        for that. So it gets the one that a lone run needs, which is kept for the second time.
        """
        kept, self._kept = self._kept, None
        looks_for_mode = run_mode == RunMode.MULTIRUN and not validate_sweep_overrides
        if looks_for_mode and not others:
            with suppress(InputError, HydraException, OmegaConfBaseException):  # a sweep's, or a wrong one
                alone = self._checked(config_name, overrides, RunMode.RUN, from_shell, True)
                self._kept = config_name, [*overrides], alone
                return alone
        if kept and run_mode == RunMode.RUN and (config_name, overrides) == (kept[0], [*kept[1], _ALONE]):
            config = kept[2]
            config.hydra.mode = RunMode.RUN
            config.hydra.overrides.hydra.append(_ALONE)
            return config
        return self._checked(config_name, overrides, run_mode, from_shell, validate_sweep_overrides, **others)

    def _checked(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool,
        validate_sweep_overrides: bool,
        **others: Any,
    ) -> DictConfig:
        limit_resolvers()  # also in another launcher's worker, where this object has been unpickled
        if "parsed_overrides" in others:
            others["parsed_overrides"] = None  # not all are what is composed
        if config_name is not None and self.follows_variables:
            overrides = with_server(overrides)
        overrides = quote_texts(overrides)
        _refuse_several_choices(overrides)
        _refuse_deletions(overrides, config_name)

        def compose(overrides: list[str]) -> DictConfig:
            return super(GuardedLoader, self)._load_configuration_impl(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides, **others
            )

        try:
            try:
                config = self._with_first_choices(compose, overrides, run_mode)
            except (HydraException, OmegaConfBaseException):
                chosen = with_table(overrides) if config_name == "train" else None
                if chosen is None:
                    raise
                overrides = chosen
                config = self._with_first_choices(compose, overrides, run_mode)
        except (InputError, HydraException, OmegaConfBaseException):
            raise
        except Exception as error:  # such as YAML that cannot be read
            raise InputError(self._why(error, overrides)) from error
        refuse_code(config)
        if config_name is not None:  # without one, Hydra shows its own config
            refuse_other_folders(config)
            if self.follows_variables:
                follow_variables(config, run_mode)
        return config

    def _with_first_choices(
        self, compose: Callable[[list[str]], DictConfig], overrides: list[str], run_mode: RunMode
    ) -> DictConfig:
        """Return the composed config; that of a sweep over choices has the first of each, if it needs one.

        For a sweep, Hydra composes its config without the swept values: keys that only the swept choices
        have, such as ``data.path``, are then unknown.
        """
        try:
            return compose(overrides)
        except (HydraException, OmegaConfBaseException):
            if run_mode != RunMode.MULTIRUN:
                raise
            parsed = OverridesParser.create(config_loader=self).parse_overrides(overrides)
            first = [self._first_choice(each) for each in parsed]
            if first == overrides:
                raise
            config = compose(first)
            config.hydra.overrides.task = [each.input_line for each in parsed if not each.is_hydra_override()]
            return config

    def _first_choice(self, override: Override) -> str:
        """Return an override as it was typed, with only the first of several choices of a group."""
        group = override.key_or_group
        is_ours = override.is_choice_sweep() and not override.is_hydra_override()
        if is_ours and self.get_group_options(group, ObjectType.CONFIG):
            return f"{override.get_key_element()}={next(iter(override.sweep_string_iterator()), '')}"
        return str(override.input_line)

    def _process_config_searchpath(
        self, config_name: str | None, parsed_overrides: list[Override], repo: CachingConfigRepository
    ) -> None:
        """Process the search path as Hydra does, with an error instead of a warning for a missing folder."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super()._process_config_searchpath(config_name, parsed_overrides, repo)
        offer_entries(repo.get_sources())
        for source in repo.get_sources():
            if source.provider.startswith("hydra.searchpath") and not source.available():
                path = hide_passwords(source.path)
                raise InputError(f"hydra.searchpath: there is nothing at {source.scheme()}://{path}")

    def _why(self, error: Exception, overrides: Sequence[str]) -> str:
        """Return the line for an error of Hydra's that names neither the mistake nor its place."""
        reason = hide_passwords(" ".join(str(error).split()))
        if reason.startswith("Config group override must be"):
            for override in overrides:
                group, _, value = override.partition("=")
                choices = self.get_group_options(group) if group else ["?"]
                if choices and value not in choices:
                    break
            if not group:
                return f"{_shown(override)}: has no key; it should read key=value"
            return f"{_shown(override)}: there is no such choice; there are {' '.join(choices)}"
        return f"the config cannot be composed: {reason}"


def refuse_code(config: DictConfig) -> None:
    """Raise ``InputError`` if Hydra or ``logging`` would call a function or class that the config names."""
    container = OmegaConf.to_container(config, resolve=False)
    assert isinstance(container, dict)
    for name in _MADE_INTO_OBJECTS:
        node = config.hydra.get(name)
        if OmegaConf.is_config(node):
            container["hydra"][name] = _resolved(node)
    for path, key, value in _entries(container, ""):
        if _OF_INSTANTIATION.fullmatch(key) and not re.fullmatch(_SHIPPED.get(path, ""), str(value)):
            raise InputError(f"{path}: would run Python code, which no config may do; leave it out")
        if path == "hydra.sweeper.custom_search_space" and value is not None:
            raise InputError(f"{path}: would run Python code, which no config may do; leave it out")
        if path.startswith(_LOGGING) and _reaches_code(key, value):
            raise InputError(f"{path}: would run Python code, which no config may do; leave it out")


def refuse_other_folders(config: DictConfig) -> None:
    """Raise ``InputError`` if a run would write outside ``mlruns``, or change its environment."""
    hydra = config.hydra
    written = "a run writes below mlruns alone; the variable MICROGRADE_HOME says where that is"
    folder = OmegaConf.to_container(hydra.run, resolve=False)
    assert isinstance(folder, dict)
    if folder["dir"] != _HOME:
        raise InputError(f"hydra.run.dir={folder['dir']}: {written}")
    if hydra.output_subdir is not None:
        raise InputError(f"hydra.output_subdir={hydra.output_subdir}: {written}")
    if hydra.job.chdir:
        raise InputError("hydra.job.chdir=true: a run stays in the folder where it is started")
    for name in hydra.job.env_set:
        if name not in hydra.job.env_copy:
            raise InputError(f"hydra.job.env_set.{name}: no config may set it; set it before the command")


def _refuse_several_choices(overrides: Sequence[str]) -> None:
    """Raise ``InputError`` for several choices of a group, which Hydra would merge into a mixture of them."""
    for override in overrides:
        group, _, value = override.partition("=")
        if group in _GROUPS and value.startswith("["):
            raise InputError(
                f"{_shown(override)}: should be one choice; for a run of each: -m {group}=one,other"
            )


def _refuse_deletions(overrides: Sequence[str], config_name: str | None) -> None:
    """Raise ``InputError`` for a key that is removed (``~key``): it would silently have its default again."""
    known = keys_of(config_name if config_name in SCHEMAS else "train")
    for override in overrides:
        key = key_of(override)
        if override.startswith("~") and any(each == key or each.startswith(f"{key}.") for each in known):
            raise InputError(
                f"{_shown(override)}: cannot be removed, because every key has a value; "
                "set it, or leave it out of the command to keep its default"
            )


def _shown(override: str) -> str:
    """Return what was typed, shortened to one line."""
    return printable(shorten(override))


def _resolved(node: Any) -> Any:
    """Return plain containers, interpolations resolved; a log's ``filename`` may be unknown yet: left out."""
    if not OmegaConf.is_config(node):
        return node
    found = {}
    for key in range(len(node)) if isinstance(node, ListConfig) else node:
        if OmegaConf.is_missing(node, key):
            continue
        try:
            found[str(key)] = _resolved(node[key])
        except OmegaConfBaseException:
            if key != "filename":
                raise
    return found


def _entries(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Yield the dotted path, the key and the value of every entry of nested containers."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        here = f"{path}.{key}" if path else str(key)
        yield here, str(key), inner
        yield from _entries(inner, here)


def _reaches_code(key: str, value: object) -> bool:
    """Return whether ``logging.config`` would import and call something other than its own handlers."""
    if key == "()":
        return True
    named = key == "class" or (isinstance(value, str) and value.startswith("ext://"))
    return named and str(value) not in _LOGGED_TO
