"""The threshold by which the model that a run keeps tells two classes apart: ``training.threshold``.

The second class is the positive one, as in scikit-learn: a row is taken for it if its probability is above
the threshold. Where that is to be chosen, it is the best one for the validation part; no row of another part
is looked at.
"""

from dataclasses import dataclass

import numpy as np

from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_mapping
from micrograde.data.messages import listed, quoted
from micrograde.metrics.thresholds import (
    EVEN,
    BestThreshold,
    best_threshold,
    f1_of,
    saved_cost_of,
    threshold_text,
)
from micrograde.nn import MLP
from micrograde.nn.arrays import blocks_of_rows
from micrograde.runs.building import PreparedData

_KEY, _COSTS = "training.threshold", "training.error_costs"


@dataclass(frozen=True)
class Decision:
    """How a kept model's probabilities become classes, where that is not by the larger one.

    Attributes
    ----------
    threshold
        The probability of the positive class above which a row is taken for it.
    positive
        That class.
    why
        Where it is from, for the user.
    """

    threshold: float
    positive: str
    why: str

    def __str__(self) -> str:
        return f"{threshold_text(self.threshold)} for {self.positive}, {self.why}"


def check_threshold(config: TrainConfig, data: PreparedData) -> None:
    """Raise ``InputError`` if the run's data can have no threshold, or not the one that is asked for."""
    rule, names = config.training.threshold, data.task.class_names
    if rule == EVEN:
        return
    if len(names) != 2:
        have = f"have {len(names)}" if names else "have no classes"
        raise InputError(f"{_KEY}={rule}: is for data with two classes, and these {have}; leave it out")
    if rule == "cost":
        _costs(config, names)
    if isinstance(rule, str):
        assert data.validation is not None  # the schema sees to it
        counts = np.bincount(data.validation.labels, minlength=2)
        if not counts.all():
            raise InputError(
                f"{_KEY}={rule}: needs rows of both classes in the validation part, which has none of "
                f"{quoted(names[int(counts.argmin())])}"
            )


def unused_costs(config: TrainConfig) -> str | None:
    """Return a line for the user if there are costs of errors, and nothing that goes by them."""
    if config.training.threshold == "cost" or not config.training.error_costs:
        return None
    return f"{_COSTS}: is used with {_KEY}=cost alone"


def decide(config: TrainConfig, data: PreparedData, model: MLP) -> Decision | None:
    """Return the threshold of the model that a finished run keeps, a stack of one; None for the usual one."""
    rule = config.training.threshold
    if rule == EVEN:
        return None
    names = data.task.class_names
    if not isinstance(rule, str):
        return Decision(rule, names[1], f"by {_KEY}")
    samples = data.validation
    assert samples is not None
    with np.errstate(all="ignore"):  # rows may overflow
        blocks = [model.predict_logits(samples.features[rows])[0] for rows in blocks_of_rows(len(samples))]
        scores = data.task.scores(np.concatenate(blocks))
    there, positives = ~np.isnan(scores), int(np.count_nonzero(samples.labels))
    if rule == "f1":
        worth, sign, measure, digits = f1_of(positives), 1.0, "F1", ".4f"
    else:
        of_first, of_second = _costs(config, names)
        worth = saved_cost_of(positives, missed=of_second, alarm=of_first)
        sign, measure, digits = -1.0, "the cost of errors", ".4g"
    best = BestThreshold(EVEN, np.nan, np.nan)
    if there.any():  # a row of no class is wrong with every threshold
        best = best_threshold(scores[there], samples.labels[there] == 1, worth)
    value, instead = (format(sign * each, digits) for each in (best.worth, best.at_even))
    why = f"by {measure} on the validation part: {value}"
    if best.threshold != EVEN:
        why += f" ({instead} at {EVEN})"
    return Decision(best.threshold, names[1], why)


def _costs(config: TrainConfig, names: tuple[str, ...]) -> tuple[float, float]:
    """Return the costs of missing a row of each class.

    Raises
    ------
    InputError
        If a class has none, or something else has one.
    """
    advice = typed_mapping(_COSTS, {names[0]: "1", names[1]: "5"})
    given = {_class_named(name, names): cost for name, cost in config.training.error_costs}
    if not given:
        raise InputError(f"{_KEY}=cost: needs what it costs to miss a row of each class, such as {advice}")
    if foreign := [name for name in given if name not in names]:
        raise InputError(f"{_COSTS}: {quoted(foreign[0])} is none of the classes {listed(names)}")
    if missing := [name for name in names if name not in given]:
        raise InputError(f"{_COSTS}: has none of {quoted(missing[0])}; set both, such as {advice}")
    return given[names[0]], given[names[1]]


def _class_named(name: str, names: tuple[str, ...]) -> str:
    """Return the class that is meant; a truth value, however it was typed, is ``true`` or ``false`` here."""
    if name in ("true", "false") and name not in names:
        return next((each for each in names if each.lower() == name), name)
    return name
