"""Which metrics a run measures: whoever ranks runs by another one is told before they are trained."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.metrics import KEPT, METRICS, GivenOutputs, name_of_entry, part_of
from micrograde.metrics.measuring import measure_outputs, recorded_names
from micrograde.nn import one_hot
from micrograde.runs.building import (
    PreparedData,
    end_metrics,
    measured_names,
)
from micrograde.store.metric_names import plain_name
from micrograde.training.callbacks.early_stopping import EarlyStoppingSettings

_ALWAYS = ("train/initial_loss", "gradient_norm", "gradient_check")
_PARTS = {"train": "training", "val": "validation", "test": "test"}


def measuring(container: Mapping[str, Any], metric: str | None) -> dict[str, Any]:
    """Return a composed config with the metric that runs are to be ranked by among its ``training.metrics``.

    A metric of the kept model is measured anyway.
    """
    part, training = part_of(metric or ""), container.get("training")
    name = name_of_entry((metric or "").removeprefix(f"{part}/"))
    if not part or part.startswith(KEPT) or name not in METRICS or not isinstance(training, Mapping):
        return dict(container)
    listed = training.get("metrics")
    if not isinstance(listed, list) or name in listed:
        return dict(container)
    return {**container, "training": {**training, "metrics": [*listed, name]}}


def check_measured(metric: str, config: TrainConfig, data: PreparedData, key: str = "sweep.metric") -> None:
    """Raise ``InputError`` if the run will not measure this metric, which ``key`` asks for.

    Measures of single layers, such as ``activation/layer3.std``, are known from their group alone.
    """
    plain = plain_name(metric)
    part = part_of(plain)
    if plain in _ALWAYS or plain.partition("/")[0] in _ALWAYS:
        return
    if not part or plain == "train/learning_rate":
        if not config.training.diagnostics:
            raise InputError(f"{key}={metric}: is not measured; set training.diagnostics=true")
        return
    group, name = part.removeprefix(KEPT), plain.removeprefix(f"{part}/")
    samples = {"train": data.training, "val": data.validation, "test": data.test}[group]
    if samples is None:
        raise InputError(
            f"{key}={metric}: needs a {_PARTS[group]} part; set data.{_PARTS[group]}_fraction=0.1, say"
        )
    entry = name_of_entry(name)
    if entry in METRICS and METRICS[entry].task != data.task.name:
        own = [f"{part}/{each}" for each, kind in METRICS.items() if kind.task == data.task.name]
        raise InputError(
            f"{key}={metric}: is for {METRICS[entry].task}, and the data are for {data.task.name}; "
            f"choose {part}/loss or {' or '.join(own)}"
        )
    at_end = [each.name for each in end_metrics(config, data.task)] if part.startswith(KEPT) else []
    if entry not in ("loss", *measured_names(config, data.task), *at_end):
        fitting = (each for each in config.training.metrics if METRICS[each].task == data.task.name)
        wanted = ",".join([*fitting, entry])
        raise InputError(f"{key}={metric}: is not measured; set training.metrics=[{wanted}]")
    if entry == "loss":
        return
    measured = METRICS[entry](name=entry)
    names = recorded_names(measured, data.task.part_names)
    if name not in names:
        raise InputError(f"{key}={metric}: should be one of {', '.join(f'{part}/{each}' for each in names)}")
    if measured.needs and data.task.class_names:
        # Asked of the best that a network could do, with a row of each class that there is.
        there_are = np.flatnonzero(np.bincount(samples.labels))
        best_logits = one_hot(there_are, len(data.task.class_names))
        best = GivenOutputs(best_logits[np.newaxis], there_are, there_are[np.newaxis])
        if np.isnan(measure_outputs(best, [measured], data.task.class_names)[name]).any():
            raise InputError(
                f"{key}={metric}: has no value in the {_PARTS[group]} part, even if all rows are predicted "
                f"right: it needs {measured.needs}"
            )


def check_watched(config: TrainConfig, data: PreparedData) -> None:
    """Raise ``InputError`` if a callback, such as early stopping, goes by a metric that has no value."""
    for name, settings in config.training.callbacks.items():
        for metric in settings.needs_metrics:
            keys = [each.name for each in fields(settings) if getattr(settings, each.name) == metric]
            check_measured(metric, config, data, f"training.{name}.{keys[0] if keys else 'metric'}")
    if config.training.keep == "best":
        metric = config.training.settings_of(EarlyStoppingSettings).metric
        check_measured(metric, config, data, f"training.{EarlyStoppingSettings.name}.metric")
