"""The entries of registries as options of Hydra's config groups, so that no entry needs a YAML file.

The keys of callbacks are one config, ``callbacks``, which ``conf/training/default.yaml`` includes, and the
keys of data sets that name a file are another, ``data_paths``, which ``conf/replay.yaml`` includes.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.config_source import ConfigSource

from micrograde.config.choices import choice_of
from micrograde.config.hydra_versions import offer_config
from micrograde.config.schema import TrainConfig
from micrograde.core.hyperparameters import default_of
from micrograde.data.sets import path_keys
from micrograde.training import CALLBACKS


@cache
def groups() -> dict[str, Mapping[str, Any]]:
    """Return the entries of each config group whose options are entries: ``optimizer``, ``schedule``."""
    choices = {field.name: choice_of(field.type) for field in dataclasses.fields(TrainConfig)}
    return {name: choice.entries for name, choice in choices.items() if choice and not choice.by_name}


def offer_entries(sources: Sequence[ConfigSource] = ()) -> None:
    """Give the entries to Hydra's ConfigStore, but those of which one of the ``sources`` has a file.

    A file wins; Hydra would also merge it with a stored option of the same name, and warn.
    """
    store = ConfigStore.instance()
    offer_config("callbacks", defaults_of_callbacks)
    offer_config("data_paths", _no_paths)
    files = [source for source in sources if source.scheme() != "structured" and source.available()]
    for group, registry in groups().items():
        for name, entry in registry.items():
            if any(source.is_config(f"{group}/{name}") for source in files):
                store.repo.get(group, {}).pop(f"{name}.yaml", None)
            else:
                offer_config(name, partial(defaults_of, entry), group)


def _no_paths() -> dict[str, None]:
    return dict.fromkeys(path_keys())


def defaults_of_callbacks() -> dict[str, dict[str, Any]]:
    """Return the keys of all callbacks with their defaults, by the callback's name."""
    return {name: defaults_of(entry) for name, entry in CALLBACKS.items()}


def defaults_of(entry: type) -> dict[str, Any]:
    """Return an entry's hyperparameters with their defaults; ``???`` stands for one that must be given."""
    defaults = {field.name: default_of(field) for field in dataclasses.fields(entry)}
    return {name: "???" if value is dataclasses.MISSING else value for name, value in defaults.items()}
