"""Which metrics a run measures: whoever ranks runs by another one is told before they are trained."""

from collections.abc import Mapping
from typing import Any

from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.metrics import KEPT, METRICS, part_of
from micrograde.runs.building import PreparedData, end_metrics
from micrograde.store.metric_names import plain_name

_ALWAYS = ("train/initial_loss", "gradient_norm", "gradient_check")
_PARTS = {"val": "validation", "test": "test"}


def measuring(container: Mapping[str, Any], metric: str | None) -> dict[str, Any]:
    """Return a composed config with the metric that runs are to be ranked by among its ``training.metrics``.

    A metric of the kept model is measured anyway.
    """
    part, training = part_of(metric or ""), container.get("training")
    name = (metric or "").removeprefix(f"{part}/")
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
    if (group == "val" and data.validation is None) or (group == "test" and data.test is None):
        raise InputError(
            f"{key}={metric}: needs a {_PARTS[group]} part; set data.{_PARTS[group]}_fraction=0.1, say"
        )
    at_end = [each.name for each in end_metrics(config)] if part.startswith(KEPT) else []
    if name not in ("loss", *config.training.measured, *at_end):
        wanted = ",".join([*config.training.metrics, name])
        raise InputError(f"{key}={metric}: is not measured; set training.metrics=[{wanted}]")
