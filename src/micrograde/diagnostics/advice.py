"""What a finding says to type: keys of the run's config with other values."""

from collections.abc import Mapping

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.findings import Measurements
from micrograde.diagnostics.wording import Sure, because

USUAL_UPDATES = (
    -2.5
)  # log10 of the size of an update over that of the weights, in the first fifth of the epochs

_FEW_STEPS, _MANY_STEPS = 100, 500
_FAR_FROM_USUAL = 1.0  # log10 of an update ratio over the usual one


def number(measured: Measurements, key: str) -> float | None:
    """Return the value of a key of the config that is a number; None if it is none, or if none is known."""
    value = measured.config.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def early_updates(measured: Measurements) -> Mapping[str, float]:
    """Return the median of each layer's update ratio, log10, in the first fifth of the epochs, by its number.

    Later on updates become small because little is left to learn.
    """
    epochs = len(measured.history.get("train/loss", ()))
    return _median_updates(measured, slice(max(1, epochs // 5)))


def late_updates(measured: Measurements) -> Mapping[str, float]:
    """Return the same for the second half of the epochs."""
    epochs = len(measured.history.get("train/loss", ()))
    return _median_updates(measured, slice(epochs // 2, None))


def _median_updates(measured: Measurements, epochs: slice) -> dict[str, float]:
    medians = {}
    for metric, values in measured.history.items():
        chosen = np.asarray(values[epochs], float)
        if metric.startswith("update_ratio/layer") and np.isfinite(chosen).any():
            layer = metric.removeprefix("update_ratio/layer")
            medians[layer] = float(np.median(chosen[np.isfinite(chosen)]))
    return medians


def learning_rate(measured: Measurements, factor: float) -> tuple[str, ...]:
    """Return what to type for ``factor`` times the learning rate; nothing if that is not known."""
    rate = number(measured, "optimizer.learning_rate")
    return (f"optimizer.learning_rate={plain_number(rate * factor, 1)}",) if rate else ()


def epochs(measured: Measurements, factor: float) -> tuple[str, ...]:
    """Return what to type for ``factor`` times as many epochs."""
    planned = number(measured, "training.num_epochs")
    return (f"training.num_epochs={round(planned * factor)}",) if planned else ()


def to_learn_at_all(measured: Measurements) -> str:
    """Return why nothing was learned, and what to type: other steps, or more of them."""
    off = USUAL_UPDATES - max(early_updates(measured).values(), default=USUAL_UPDATES)
    if off > _FAR_FROM_USUAL or (off < -_FAR_FROM_USUAL and measured.steps > _FEW_STEPS):
        return because("probably", "nothing was learned", *learning_rate(measured, 10**off))
    longer = () if measured.stopped_early or measured.steps > _MANY_STEPS else epochs(measured, 4)
    return because("probably", "nothing was learned", *longer)


def large_scale(measured: Measurements, sure: Sure = "probably") -> str:
    """Return why the numbers of an untrained network are large, and what to type."""
    scale = number(measured, "model.initial_scale")
    if measured.config.get("data.standardize") is False and not measured.normalization:
        return because(sure, "features are large", "data.standardize=true")
    smaller = () if scale is None else (f"model.initial_scale={1 if scale > 1 else scale / 10:g}",)
    return because(sure, "the initial scale is too large", *smaller)
