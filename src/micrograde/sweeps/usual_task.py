"""Which task's metric the runs of a sweep are ranked by, unless the user names a metric."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.runs.train import PreparedSets
from micrograde.sweeps.folds import first_run
from micrograde.tasks import TASKS
from micrograde.tasks.classification import Classification


def usual_task(
    prepared: PreparedSets, configs: Sequence[TrainConfig], composed: Mapping[str, Any] | None = None
) -> str:
    """Return the name of the task that most of the configs have, of equally many the first.

    Without configs, as before a search's first trial, it is that of the config which all jobs start from; if
    its data cannot be read, of which the jobs will say why, it is classification.

    Parameters
    ----------
    composed
        The config that all jobs start from, as nested dictionaries.
    """
    if configs:
        counts = Counter(prepared.of(config).task.name for config in configs)
        return counts.most_common(1)[0][0]
    asked = (composed or {}).get("task")
    if asked in TASKS:
        return str(asked)
    if not composed:
        return Classification.name
    try:
        recipe = {key: value for key, value in (composed or {}).items() if key != "sweep"}
        return prepared.of(parse_train_config(first_run(recipe))).task.name
    except InputError:
        return Classification.name
