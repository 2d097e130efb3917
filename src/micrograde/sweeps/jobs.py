"""The jobs of a sweep: the overrides, composed config and name of each."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from micrograde.analysis.what_mattered import short_names
from micrograde.config.keys import key_of, keys_of_mappings
from micrograde.config.parsing import parse_train_config
from micrograde.config.recipe_versions import VERSION_KEY, without_legacy
from micrograde.config.schema import NAMED_STORES, TrainConfig, as_text, config_digest, flatten
from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.runs.measured import check_measured, measuring
from micrograde.runs.train import PreparedSets, run_name
from micrograde.runs.warm_start import KEY as INIT_FROM
from micrograde.store.stored_sweeps import LATEST

_OF_THE_SWEEP = ("hydra", "sweep", "tracking", "run")  # keys that change no run


@dataclass(frozen=True)
class Job:
    """One combination of the swept values.

    Attributes
    ----------
    overrides
        All overrides of the job, as one would type them.
    name
        A name that distinguishes it from the others: ``learning_rate=0.1 seed=3``.
    container
        The composed config, as nested dictionaries.
    config
        The checked config; None if the combination is invalid.
    reason
        Why the combination is invalid; None if it is not.
    data_digest
        The digest of the data as they are now; empty if the combination is invalid.
    """

    overrides: tuple[str, ...]
    name: str
    container: Mapping[str, Any]
    config: TrainConfig | None
    reason: str | None = None
    data_digest: str = ""

    @cached_property
    def digest(self) -> str:
        """The digest by which the job is recognized when the sweep is started again."""
        if self.config is not None:
            return config_digest(self.config)
        known = without_legacy(self.container, TrainConfig)
        content = {k: v for k, v in known.items() if k not in (*_OF_THE_SWEEP, "experiment_name")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def params(self) -> dict[str, str]:
        """Return every key and its value, as MLflow params, for a job without a config."""
        shown = {
            key: value for key, value in self.container.items() if key not in ("sweep", "run", VERSION_KEY)
        }
        return {key: as_text(value) for key, value in flatten(shown).items() if key not in NAMED_STORES}

    def params_of(self, names: Collection[str]) -> dict[str, str]:
        """Return its values of some params, as texts, of those that it has."""
        values = flatten(self.container)
        return {name: as_text(values[name]) for name in names if name in values}


def make_job(
    overrides: Sequence[str],
    swept: Collection[str],
    container: Mapping[str, Any],
    prepared: PreparedSets,
    metric: str | None = None,
) -> Job:
    """Make a job, named after the keys that are swept, and check it against its data.

    ``metric`` is what the user wants the runs to be ranked by, if anything, which the job has to measure.
    """
    name = run_name([each for each in overrides if key_of(each) in swept])
    container = {key: value for key, value in container.items() if key != "sweep"}
    container = measuring(container, metric)
    try:
        config = parse_train_config(container)
        if config.training.resume is not None:
            raise InputError(
                f"training.resume={config.training.resume}: is for a run alone; "
                "a sweep goes on when its command is given again"
            )
        if config.model.init_from == LATEST:
            run_id = prepared.resolved(config).model.init_from
            raise InputError(
                f"{INIT_FROM}={LATEST}: may be another run when the command of a sweep is given again; "
                f"name the run: {INIT_FROM}={run_id}"
            )
        config = prepared.resolved(config)
        if config.model.init_from:  # which may travel to another machine
            started = {"init_from": config.model.init_from, "init_digest": config.model.init_digest}
            container["model"] = {**container["model"], **started}
        if metric:  # first, for it is among training.metrics now, where the user has not typed it
            check_measured(metric, config, prepared.of(config))
        prepared.check(config)
    except InputError as error:
        return Job(tuple(overrides), name, container, None, " ".join(str(error).split("\n")))
    name = f"{without_password(config.run.name)} {name}"[:250] if config.run.name else name
    digest = prepared.of(config).dataset.digest
    return Job(tuple(overrides), name, container, config, data_digest=digest)


def in_one_experiment(jobs: Sequence[Job], name: str) -> list[Job]:
    """Return the jobs with this experiment's name: MLflow nests runs only within one experiment."""
    return [
        replace(
            job,
            container={**job.container, "experiment_name": name},
            config=replace(job.config, experiment_name=name) if job.config else None,
        )
        for job in jobs
    ]


def varying_params(jobs: Sequence[Job], swept: Sequence[str]) -> list[str]:
    """Return the params that differ between jobs because of the keys that are swept, in their order.

    The choice of a group is represented by the param that names it: ``data=iris`` varies ``data.name``.
    """
    flat = [flatten(job.container) for job in jobs]
    keys: dict[str, None] = {}
    for key in swept:
        if f"{key}.name" in flat[0]:
            keys[f"{key}.name"] = None
        elif key in flat[0] or key in keys_of_mappings():
            keys[key] = None
        else:  # a preset, or a key that only some jobs have: every param that differs
            there_are = dict.fromkeys(name for each in flat for name in each)
            keys |= dict.fromkeys(
                name for name in there_are if len({json.dumps(each.get(name)) for each in flat}) > 1
            )
    keys.pop("experiment_name", None)
    return list(keys)


def sweep_name(swept: Sequence[str]) -> str:
    """Return a name such as ``learning_rate × seed``; ``seed × data.seed`` where two keys end alike."""
    short = short_names(swept)
    return " × ".join(short[key] for key in swept)[:250] or "one run"
