"""Findings: sentences about what stands out in a run's measurements.

Each rule depends on the measurements alone, so that a run gives the same findings whether it was resumed or
not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, log

import numpy as np
from numpy.typing import NDArray

from micrograde.nn import Activation

_MUCH_SATURATED = 0.2
_LARGE_START = 1.0  # nats above log(C); logits of unit variance, as batch norm makes them, are 0.5 above
_LARGE_UPDATES, _SMALL_UPDATES = -1.5, -4.5  # log10; about -3 is usual
_VANISHING = 100.0  # times smaller from one end of the network to the other
_STILL_FALLING = 0.15  # share of the loss by which it fell in the last fifth of the epochs
_OVERFITTED = 1.1  # the last validation loss divided by the lowest
_EPOCHS_FOR_A_TREND = 10


@dataclass(frozen=True)
class Measurements:
    """The measurements of a run at its end.

    Attributes
    ----------
    history
        Each metric's value after every epoch.
    initial_loss
        The loss of the first batch, before the first step.
    classes
        The number of classes.
    majority
        The share of the most frequent class in the training part.
    activation
        The activation of the hidden layers.
    early_stopping
        Whether the run uses early stopping, which keeps its best weights.
    stopping_metric
        The metric by which early stopping chooses them.
    rows_of_no_class
        For each part (``validation``, ``test``) that has such rows: how many rows get no class, because the
        network's numbers overflow for them, and how many rows the part has.
    """

    history: Mapping[str, Sequence[float]]
    initial_loss: float
    classes: int
    majority: float
    activation: Activation
    early_stopping: bool = False
    stopping_metric: str = "val/loss"
    rows_of_no_class: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def of_layers(self, group: str, measure: str = "") -> dict[str, NDArray[np.float64]]:
        """Return the finite values of a metric of layers, by the layer's number.

        For example, ``activation`` and ``.saturated`` give ``activation/layer1.saturated`` as ``"1"``.
        """
        found = {}
        for metric, values in self.history.items():
            if metric.startswith(f"{group}/layer") and metric.endswith(measure):
                array = np.asarray(values, float)
                if (finite := array[np.isfinite(array)]).size:
                    found[metric.removeprefix(f"{group}/layer").removesuffix(measure)] = finite
        return found


def find_findings(measured: Measurements) -> list[str]:
    """Return a sentence for each thing that stands out, the start of training first."""
    rules = [_start]
    if measured.history.get("train/loss"):
        rules += [_not_finite, _saturation, _cancelled_biases, _vanishing, _updates, _not_learning, _trend]
    return [sentence for rule in rules for sentence in rule(measured)]


def _start(measured: Measurements) -> Iterator[str]:
    """Check the initial loss: an untrained network should give each class the same chance, so log(C)."""
    expected = log(measured.classes)
    if isfinite(measured.initial_loss) and measured.initial_loss > expected + _LARGE_START:
        yield (
            f"loss starts at {measured.initial_loss:.2f}, log({measured.classes}) = {expected:.2f} expected: "
            "the initial scale is too large"
        )


def _not_finite(measured: Measurements) -> Iterator[str]:
    """Report a validation loss that is not finite, its effect on early stopping, and rows without a class."""
    validation = np.asarray(measured.history.get("val/loss", []), float)
    wrong = ~np.isfinite(validation)
    if wrong.any() and np.isfinite(measured.history["train/loss"]).all():
        first = int(wrong.argmax()) + 1
        when = f"after {np.count_nonzero(wrong)} of {len(wrong)} epochs, first after epoch {first}"
        if wrong.all():
            when = "after any epoch"
        elif wrong[first - 1 :].all():
            when = f"from epoch {first} on"
        sentence = f"validation loss is not finite {when}"
        if measured.early_stopping and measured.stopping_metric == "val/loss":
            sentence += (
                "; early stopping had nothing to go by, and the last weights are kept"
                if wrong.all()
                else "; early stopping kept the best weights of the epochs in which it was"
            )
        yield sentence
    for part, (lost, rows) in measured.rows_of_no_class.items():
        yield (
            f"the network's numbers overflow for {lost} of {rows} {part} rows: they are of no class and "
            "count as wrong; look for a feature with values far beyond those trained on"
        )


def _saturation(measured: Measurements) -> Iterator[str]:
    for layer, shares in measured.of_layers("activation", ".saturated").items():
        if shares[-1] <= _MUCH_SATURATED:
            continue
        if measured.activation.saturation == "units":
            yield f"layer {layer}: {_percent(shares[-1])} of its units are dead, 0 for every row of a batch"
        elif shares[0] > _MUCH_SATURATED:
            yield f"layer {layer}: {_percent(shares[-1])} saturated from the start: initial scale too large"
        else:
            yield (
                f"layer {layer}: {_percent(shares[-1])} saturated, {_percent(shares[0])} after epoch 1: "
                "its weights have grown; a smaller learning rate or weight decay would hold them"
            )


def _cancelled_biases(measured: Measurements) -> Iterator[str]:
    """Report biases that never move: batch norm subtracts the mean, and with it what is added to all rows."""
    norms = measured.of_layers("gradient_norm", ".biases")
    still = [layer for layer, each in norms.items() if not each.any()]
    if still:
        yield f"the biases of {_layers(still)} never move: batch norm cancels them"


def _vanishing(measured: Measurements) -> Iterator[str]:
    of_layers = measured.of_layers("gradient_norm", ".weights")
    norms = {layer: float(np.median(each)) for layer, each in of_layers.items()}
    if len(norms) < 2:
        return
    first, *_, last = norms.values()
    if first and last / first > _VANISHING:
        yield f"gradients vanish: {last / first:.3g} times smaller in layer 1 than in layer {len(norms)}"
    if last and first / last > _VANISHING:
        yield f"gradients explode: {first / last:.3g} times larger in layer 1 than in layer {len(norms)}"


def _updates(measured: Measurements) -> Iterator[str]:
    medians = {layer: float(np.median(each)) for layer, each in measured.of_layers("update_ratio").items()}
    large = {layer: median for layer, median in medians.items() if median > _LARGE_UPDATES}
    small = {layer: median for layer, median in medians.items() if median < _SMALL_UPDATES}
    if large:
        yield (
            f"each step changes the weights of {_layers(large)} by {_percent(10 ** max(large.values()))}; "
            "about 0.1 % is usual: learning rate too large"
        )
    if small:
        yield (
            f"each step changes the weights of {_layers(small)} by {10 ** min(small.values()):.0e} "
            "of their size; about 1e-03 is usual: learning rate too small, or gradients too weak"
        )


def _not_learning(measured: Measurements) -> Iterator[str]:
    accuracy = measured.history["train/accuracy"][-1]
    if accuracy <= measured.majority + 0.01:
        yield (
            f"training accuracy {accuracy:.2f} is what always saying the most frequent class would give "
            f"({measured.majority:.2f}): nothing was learned"
        )


def _trend(measured: Measurements) -> Iterator[str]:
    """Report training that was too long (overfitting) or too short (a loss that is still falling)."""
    loss = np.asarray(measured.history["train/loss"], float)
    validation = np.asarray(measured.history.get("val/loss", loss), float)
    epochs = len(loss)
    if epochs < _EPOCHS_FOR_A_TREND or not np.isfinite([*loss, *validation]).all():
        return
    best = int(validation.argmin())
    if measured.early_stopping:
        return
    if best < 0.8 * epochs and validation[-1] > _OVERFITTED * validation[best] > 0:
        yield (
            f"overfitting: validation loss was lowest after epoch {best + 1} ({validation[best]:.4g}) and "
            f"ended at {validation[-1]:.4g}; training.early_stopping.enabled=true keeps the best weights"
        )
        return
    before = loss[-1 - epochs // 5]
    if loss[-1] < (1 - _STILL_FALLING) * before:
        yield (
            f"not done yet: the last {epochs // 5} epochs took {_percent(1 - loss[-1] / before)} off the "
            "training loss; more epochs would take more"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _layers(numbers: Sequence[str] | Mapping[str, float]) -> str:
    """Return ``layer 1``, ``layers 1 and 2`` or ``layers 1, 2 and 3``."""
    *others, last = numbers
    return f"layers {', '.join(others)} and {last}" if others else f"layer {last}"
