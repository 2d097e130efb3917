"""Residuals with a pattern: what the columns say, and the network has not learned."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.diagnostics.advice import USUAL_UPDATES, epochs, late_updates, learning_rate
from micrograde.diagnostics.baseline_of_numbers import is_no_better
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.kept_model import PredictedNumbers
from micrograde.diagnostics.residual_patterns import GROUPS, ResidualPattern, residual_pattern
from micrograde.diagnostics.wording import because
from micrograde.nn.normalizations.batch_norm import BatchNorm

_WORTH_IT = 0.05  # share of the validation part's squared errors that taking the pattern off saves
_SURE = 2.0  # standard errors of that
_MOST_INPUTS = 100
_NOISY = -1.8  # log10 of the update ratio in the second half of the epochs
_LATE = 0.7  # of the epochs: if the kept one is later, more of them would have been better
_LEAST_UNITS = 32


@dataclass(frozen=True)
class FoundPattern:
    """A pattern of a number's residuals, against what, and the share of the squared errors it is worth."""

    pattern: ResidualPattern
    target: int
    against: str
    worth: float


@FINDINGS.register
class PatternedResiduals(Finding):
    """The mean residual depends on the predicted number or on a column, in training and in validation.

    The training rows are sorted by it and cut into ten groups; the means of the groups differ more than
    chance would make them, and taking them off the residuals of the validation part takes off a twentieth of
    their squares or more. Not without a validation part, nor of less than 30 training rows; of a
    predicted number that is no better than the mean only against the columns.
    """

    name: ClassVar[str] = "patterned_residuals"
    task: ClassVar[str | None] = "regression"
    place: ClassVar[int] = 83

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for the pattern that is worth most."""
        found = patterns(measured)
        if not found:
            return
        assert measured.of_kept_model
        numbers = measured.of_kept_model.numbers
        most = max(found, key=lambda each: each.worth)
        scale = measured.target_scales[most.target]
        residuals = numbers["validation"].residuals[:, most.target]
        rmse = scale * np.sqrt(np.mean(residuals**2))
        means = scale * (most.pattern.means + most.pattern.overall)
        name = quoted(measured.target_names[most.target])
        groups = f"{len(means)} groups of training rows by {most.against}"
        less = f"{plain_number(rmse * np.sqrt(1 - most.worth))}, and not {plain_number(rmse)}"
        yield (
            f"residuals have a pattern: in {groups} the mean residual "
            f"of {name} is between {plain_number(means.min(), 3)} "
            f"and {plain_number(means.max(), 3)}; without it the validation rmse would be {less}"
        ) + _why(measured)


def patterns(measured: Measurements) -> list[FoundPattern]:
    """Return the patterns of the training part that the validation part has, too."""
    numbers = measured.of_kept_model.numbers if measured.of_kept_model else {}
    if not {"training", "validation"} <= numbers.keys() or len(measured.columns) > _MOST_INPUTS:
        return []
    with np.errstate(all="ignore"):  # numbers may overflow
        return _patterns(measured, numbers["training"], numbers["validation"])


def _patterns(
    measured: Measurements, training: PredictedNumbers, validation: PredictedNumbers
) -> list[FoundPattern]:
    inputs = [(f"column {quoted(name)}", place.start) for name, place in measured.columns]
    looked_at = (1 + len(inputs)) * len(measured.target_names)
    found = []
    for target, name in enumerate(measured.target_names):
        of_training, of_validation = training.residuals[:, target], validation.residuals[:, target]
        pairs = [
            (f"the predicted {quoted(name)}", training.predicted[:, target], validation.predicted[:, target]),
            *(
                (said, training.features[:, at].astype(float), validation.features[:, at].astype(float))
                for said, at in inputs
            ),
        ]
        if is_no_better(validation, training, target):
            pairs = pairs[1:]  # where predicted numbers say nothing, errors follow from them
        for against, known, unknown in pairs:
            pattern = residual_pattern(known, of_training, GROUPS)
            if pattern is None or not pattern.is_one_of(looked_at):
                continue
            corrected = of_validation - pattern.corrections(unknown)
            gains = of_validation**2 - corrected**2
            error = gains.std() / np.sqrt(len(gains))
            worth = float(gains.sum() / np.sum(of_validation**2))
            if worth > _WORTH_IT and gains.mean() > _SURE * error:
                found.append(FoundPattern(pattern, target, against, worth))
    return found


def _why(measured: Measurements) -> str:
    """Return a cause, and what to type: smaller steps, no batch norm, more steps, or a larger network."""
    largest = max(late_updates(measured).values(), default=USUAL_UPDATES)
    if largest > _NOISY:
        rate = learning_rate(measured, 10 ** (USUAL_UPDATES - largest))
        return because("probably", "the steps are too large for the network to settle", *rate)
    if measured.normalization == BatchNorm.label:
        noise = f"the noise of {measured.normalization}, whose rows depend on their batch, hides it"
        return because("perhaps", noise, "model.batch_norm=false")
    done = len(measured.history["train/loss"])
    if not measured.stopped_early and measured.kept.get("kept/epoch", done) > _LATE * done:
        return because("probably", "training was too short", *epochs(measured, 4))
    return because("probably", "the network is too small", *_larger(measured))


def _larger(measured: Measurements) -> tuple[str, ...]:
    """Return what to type for twice as many units, 32 at least, in two layers."""
    given = measured.config.get("model.hidden_size")
    sizes = [given] if isinstance(given, int) else given
    if not isinstance(sizes, list | tuple) or not all(isinstance(size, int) for size in sizes):
        return ()
    size = max([_LEAST_UNITS, *(2 * size for size in sizes)])
    return (f"model.hidden_size=[{size},{size}]",)
