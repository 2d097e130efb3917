"""The identity of a sweep: what is swept, and a digest that is the same when it is started again."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from micrograde.config.keys import key_of
from micrograde.config.recipe_versions import without_legacy
from micrograde.config.schema import TrainConfig
from micrograde.sweeps.folds import REPEATS, HeldOut, held_out

_NOT_OF_IT = ("tracking", "sweep", "run", "drawing")  # where and how runs are recorded, their names and notes


@dataclass(frozen=True)
class SweepIdentity:
    """The identity of a sweep.

    Attributes
    ----------
    swept
        The keys that vary, in the order in which they were typed.
    space
        The values of each swept key, as they were typed: ``{"seed": "range(10)"}``.
    digest
        SHA-256 of the swept values, of the config that all jobs start from, and of how jobs are chosen.
    """

    swept: tuple[str, ...]
    space: Mapping[str, str]
    digest: str

    def with_folds(self, folds: HeldOut) -> "SweepIdentity":
        """Return it with the repeats and folds that are swept, too, after what was typed."""
        space = {
            **self.space,
            **{key: values for key, values in folds.swept().items() if key not in self.space},
        }
        return replace(self, swept=tuple(space), space=space)


def identify(master: DictConfig, composed: Mapping[str, Any]) -> SweepIdentity:
    """Identify a sweep by the config ``master`` of its launch; ``composed`` is ``resolved(master)``."""
    typed = [str(each) for each in master.hydra.overrides.task]
    sweeper = OmegaConf.to_container(master.hydra.sweeper, resolve=True)
    assert isinstance(sweeper, dict)
    parser = OverridesParser.create()
    space = {str(key): str(value) for key, value in (sweeper.get("params") or {}).items()}
    for text, override in zip(typed, parser.parse_overrides(typed), strict=True):
        if override.is_sweep_override():
            space[key_of(text)] = text.partition("=")[2]
    lasting = {key: value for key, value in composed.items() if key not in _NOT_OF_IT}
    # A sweep of an earlier version is found again.
    lasting = without_legacy(_as_before_defaults_depended_on_data(lasting), TrainConfig)
    jobs = [text for text in typed if key_of(text).split(".")[0] not in _NOT_OF_IT]
    for key in ("n_trials", "n_jobs"):  # a search stays the same when more trials are asked for
        sweeper.pop(key, None)
    # Likewise when more repeats are.
    jobs = [text for text in jobs if key_of(text) != REPEATS]
    lasting["data"] = {key: value for key, value in lasting["data"].items() if f"data.{key}" != REPEATS}
    content = json.dumps([sorted(jobs), lasting, sweeper], sort_keys=True, default=str)
    found = SweepIdentity(tuple(space), space, hashlib.sha256(content.encode()).hexdigest())
    return found.with_folds(held_out(composed["data"]))


def _as_before_defaults_depended_on_data(composed: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with what recipes before version 3 had where null stands for the data's own.

    What is typed in its place is part of the digest in any case.
    """
    found = copy.deepcopy(dict(composed))
    stopping = found.get("training", {}).get("early_stopping", {})
    if stopping.get("enabled", False) is None:
        stopping["enabled"] = False
    if found.get("experiment_name", "") is None:
        found["experiment_name"] = found.get("data", {}).get("name")
    return found
