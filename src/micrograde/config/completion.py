"""What a shell is offered to complete a command line with; Hydra finds what begins as the word does."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hydra.core.object_type import ObjectType
from omegaconf import DictConfig, OmegaConf

from micrograde.config.guard import GuardedLoader
from micrograde.config.keys import UNTYPED
from micrograde.core.project import conf_folder


class CompletionLoader(GuardedLoader):
    """A loader with only the groups and keys that the command takes; lists are as they are typed.

    Hydra knows the groups of ``conf/``, which are those of all commands.

    Attributes
    ----------
    command
        The name of the command's config, such as ``compare``.
    """

    follows_variables: ClassVar[bool] = False
    command: ClassVar[str] = "train"

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        *others: Any,
        **named: Any,
    ) -> list[str]:
        """Return what a group has, or, for no group, the groups; none of another command's."""
        foreign = groups_of("train") - groups_of(self.command)
        if group_name.partition("/")[0] in foreign:
            return []
        options = super().get_group_options(group_name, results_filter, *others, **named)
        return options if group_name else [each for each in options if each not in foreign]

    def load_configuration(self, *arguments: Any, **named: Any) -> DictConfig:
        """Return the composed config to choose keys and values from."""
        composed = OmegaConf.to_container(super().load_configuration(*arguments, **named), resolve=False)
        return DictConfig(_as_typed(composed))


def groups_of(command: str) -> set[str]:
    """Return the groups that a command has a choice of."""
    defaults = OmegaConf.to_container(OmegaConf.load(conf_folder() / f"{command}.yaml").defaults)
    assert isinstance(defaults, list)
    return {str(group) for each in defaults if isinstance(each, dict) for group in each}


def _as_typed(value: Any, path: str = "") -> Any:
    if isinstance(value, Mapping):
        keys = [str(key) for key in value if path + str(key) not in UNTYPED]
        return {key: _as_typed(value[key], f"{path}{key}.") for key in keys}
    if isinstance(value, list):
        return f"[{','.join(str(_as_typed(each)) for each in value)}]"
    return value
