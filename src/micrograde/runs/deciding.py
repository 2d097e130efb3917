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
from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import listed, quoted
from micrograde.metrics.class_names import recorded_class_names
from micrograde.metrics.thresholds import (
    EVEN,
    BestThreshold,
    best_threshold,
    f1_of,
    saved_cost_of,
    thresholds_text,
)
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, blocks_of_rows
from micrograde.runs.building import PreparedData
from micrograde.tasks import Decided
from micrograde.tasks.multilabel import Multilabel
from micrograde.training import Samples

_KEY, _COSTS = "training.threshold", "training.error_costs"
_RECORDED = "threshold"


@dataclass(frozen=True)
class Decision:
    """How a kept model's probabilities become classes or labels, where that is not by a half.

    Attributes
    ----------
    thresholds
        The probability of the positive class above which a row is taken for it, (1,); or of each label that
        above which a row is said to have it, (K,).
    names
        That class, or the labels.
    why
        Where they are from, for the user.
    of_labels
        Whether they are of labels.
    """

    thresholds: tuple[float, ...]
    names: tuple[str, ...]
    why: str
    of_labels: bool = False

    @property
    def decided(self) -> Decided:
        """What the task is decided at."""
        return self.thresholds if self.of_labels else self.thresholds[0]

    def values(self) -> dict[str, float]:
        """Return what is recorded of the kept model, by its name there."""
        if not self.of_labels:
            return {_RECORDED: self.thresholds[0]}
        recorded = recorded_class_names(self.names)
        return {f"{_RECORDED}/{name}": value for name, value in zip(recorded, self.thresholds, strict=True)}

    def __str__(self) -> str:
        return f"{thresholds_text(self.thresholds, self.names)}, {self.why}"


def check_threshold(config: TrainConfig, data: PreparedData) -> None:
    """Raise ``InputError`` if the run's data can have no threshold, or not the one that is asked for."""
    rule, names = config.training.threshold, data.task.class_names
    if rule == EVEN:
        return
    if isinstance(data.task, Multilabel):
        if rule == "cost":
            _costs_of_missing(config, data.task.target_names)
        return
    if len(names) != 2:
        have = f"have {len(names)}" if names else "have no classes"
        raise InputError(
            f"{_KEY}={rule}: is for two classes or several labels, and these data {have}; leave it out"
        )
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
    """Return the threshold of the model that a finished run keeps, a stack of one; None for the usual one.

    Of several labels each has its own.
    """
    rule = config.training.threshold
    if rule == EVEN:
        return None
    if isinstance(data.task, Multilabel):
        return _decide_labels(config, data, data.task, model)
    names = data.task.class_names
    if not isinstance(rule, str):
        return Decision((rule,), names[1:], f"by {_KEY}")
    samples, scores = _scored_validation(data, model)
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
    return Decision((best.threshold,), names[1:], why)


def _scored_validation(data: PreparedData, model: MLP) -> tuple[Samples, FloatArray]:
    """Return the validation part, and what is compared with thresholds of its rows, (N,) or (N, K)."""
    samples = data.validation
    assert samples is not None  # the schema sees to it
    with np.errstate(all="ignore"):  # rows may overflow
        blocks = [model.predict_logits(samples.features[rows])[0] for rows in blocks_of_rows(len(samples))]
        return samples, data.task.scores(np.concatenate(blocks))


def _decide_labels(config: TrainConfig, data: PreparedData, task: Multilabel, model: MLP) -> Decision:
    """Return the threshold of each label; a half for those that all rows of validation have, or none."""
    rule, names = config.training.threshold, task.target_names
    if not isinstance(rule, str):
        return Decision((rule,) * len(names), names, f"by {_KEY}", of_labels=True)
    samples, scores = _scored_validation(data, model)
    there = ~np.isnan(scores).any(axis=1)
    costs = _costs_of_missing(config, names) if rule == "cost" else {}
    found: list[BestThreshold] = []
    untold: list[str] = []
    for place, name in enumerate(names):
        true = samples.labels[:, place] == 1
        positives = int(np.count_nonzero(true))
        if not there.any() or positives in (0, len(true)):
            untold.append(name)
            found.append(BestThreshold(EVEN, np.nan, np.nan))
            continue
        worth = f1_of(positives) if rule == "f1" else saved_cost_of(positives, missed=costs[name], alarm=1.0)
        found.append(best_threshold(scores[there, place], true[there], worth))
    told = [each for each in found if not np.isnan(each.worth)]
    thresholds = tuple(each.threshold for each in found)
    if not told:
        why = "as no label has rows of both kinds in the validation part"
        return Decision(thresholds, names, why, of_labels=True)
    reached = np.array([(each.worth, each.at_even) for each in told])  # (K, 2)
    if rule == "f1":
        said = [format(mean, ".4f") for mean in reached.mean(axis=0).tolist()]
        why = "by the F1 of each label on the validation part: mean"
    else:
        said = [plain_number(-total) for total in reached.sum(axis=0).tolist()]
        why = "by the cost of errors on the validation part:"
    why += f" {said[0]} ({said[1]} at {EVEN})"
    if untold:
        kind = "has" if len(untold) == 1 else "have"
        why += f"; {listed(untold, limit=3)} {kind} no rows of both kinds there"
    return Decision(thresholds, names, why, of_labels=True)


def _costs_of_missing(config: TrainConfig, names: tuple[str, ...]) -> dict[str, float]:
    """Return what it costs to miss each label, where saying it of a row that has it not costs 1.

    Raises
    ------
    InputError
        If none has a cost, or something else has one.
    """
    given = dict(config.training.error_costs)
    if not given:
        advice = typed_mapping(_COSTS, {names[0]: "5"})
        raise InputError(
            f"{_KEY}=cost: needs what it costs to miss a label, such as {advice}; "
            "saying one of a row that has it not costs 1"
        )
    if foreign := [name for name in given if name not in names]:
        raise InputError(f"{_COSTS}: {quoted(foreign[0])} is none of the labels {listed(names)}")
    return {name: given.get(name, 1.0) for name in names}


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
