"""The project's own config files, in ``conf/`` beside ``micrograde.yaml``: options that win over ours.

A file that leaves keys out has their defaults. A file that has a key too many, or that would stand in for a
whole command's config, is an error that names it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf, open_dict

from micrograde.config.entries import defaults_of, defaults_of_callbacks, groups
from micrograde.config.keys import SCHEMAS, keys_of, unknown_key_message
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.project import conf_folder, own_conf_folder

_PROVIDER = "micrograde-project"
_SHIPPED = {"model": "mlp", "training": "default"}
"""The options of the groups that are no registries."""


def put_first(search_path: ConfigSearchPath) -> None:
    """Let Hydra look for config files in the project's own folder first, if the project has one."""
    folder = own_conf_folder()
    if folder and not any(each.provider == _PROVIDER for each in search_path.get_path()):
        search_path.prepend(_PROVIDER, f"file://{folder}")


class Repository(ConfigRepository):
    """Hydra's repository of config files, which completes and checks the project's own."""

    def load_config(self, config_path: str) -> ConfigResult | None:
        """Return a config file, or None; raise ``InputError`` if it is the project's own and wrong."""
        found = super().load_config(config_path)
        if found is not None and found.provider == _PROVIDER:
            group, _, option = config_path.removesuffix(".yaml").rpartition("/")
            if not group and option in SCHEMAS:
                raise InputError(
                    f"conf/{option}.yaml: would stand in for the whole config; delete it, and put what you "
                    "change into a preset, conf/experiment/NAME.yaml, for experiment=NAME"
                )
            if group in (*groups(), *_SHIPPED):
                _complete(found, group, option)
        return found


def _complete(found: ConfigResult, group: str, option: str) -> None:
    """Fill in the keys that the file of an option leaves out; raise ``InputError`` for one too many."""
    path = printable(f"conf/{group}/{option}.yaml")
    container = OmegaConf.to_container(found.config, resolve=False)
    if not isinstance(container, dict) or not isinstance(found.config, DictConfig):
        raise InputError(f"{path}: should hold keys and values, such as learning_rate: 0.1")
    own = {str(key): value for key, value in container.items()}
    others = [each for each in found.defaults_list or () if not each.is_self()]
    if group in groups() and not others:
        name = own.setdefault("name", option)
        if name not in groups()[group]:
            raise InputError(
                f"{path}: name={printable(str(name)[:80])}: should be one of {', '.join(groups()[group])}"
            )
    _check_keys(own, group, path)
    if not others:  # what it builds on has all keys
        with open_dict(found.config):
            found.config = OmegaConf.merge(_defaults(group, own), OmegaConf.create(own))


def _check_keys(own: Mapping[str, Any], group: str, path: str) -> None:
    known = [name for name in keys_of("train") if name.startswith(f"{group}.")]
    for key in _leaves(own, f"{group}."):
        if any(part.startswith("_") for part in key.split(".")):  # Hydra's: the guard sees to them
            continue
        below = (name.startswith(f"{key}.") or key.startswith(f"{name}.") for name in known)
        if key not in known and not any(below):
            typed = [f"{group}={own['name']}"] if "name" in own else []
            raise InputError(f"{path}: {printable(unknown_key_message(key, typed=typed))}")


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _defaults(group: str, own: Mapping[str, Any]) -> dict[str, Any]:
    if group in groups():
        return defaults_of(groups()[group][own["name"]])
    path = conf_folder() / group / f"{_SHIPPED[group]}.yaml"
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    values.pop("defaults", None)
    callbacks = defaults_of_callbacks() if group == "training" else {}
    return {**callbacks, **values}
