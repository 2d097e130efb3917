"""What the model that a run keeps does on whole parts, for findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micrograde.diagnostics.layers import saturated_share
from micrograde.metrics.accuracy import Accuracy
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, blocks_of_rows
from micrograde.tasks import Task
from micrograde.tasks.classification import CLASSES_WITHOUT_NAMES
from micrograde.training import Samples, confusion_counts, measure

_ROWS_LOOKED_AT = 4096
_BATCHES_LOOKED_AT = 32


@dataclass(frozen=True, eq=False)
class PredictedNumbers:
    """What a network says of n rows of a part for which K numbers are to be predicted, scaled.

    Attributes
    ----------
    targets, predicted
        (n, K): in standard deviations of the training part from its mean; always saying the mean is 0.
    losses
        (n,), the rows' losses, weighted if they are in training.
    features
        (n, D), what the network sees of the rows.
    """

    targets: NDArray[np.float64]
    predicted: NDArray[np.float64]
    losses: NDArray[np.float64]
    features: FloatArray

    @property
    def residuals(self) -> NDArray[np.float64]:
        """True less predicted, scaled, (n, K)."""
        return self.targets - self.predicted


@dataclass(frozen=True)
class KeptModel:
    """What a network does in evaluation mode, unless it says otherwise.

    Attributes
    ----------
    confusion
        (C, C) for each part: how often each true class (rows) is predicted as each class (columns); empty
        without classes.
    saturated
        For each hidden layer, the share of saturated values, or of dead units, on training rows; empty if
        its activation has no such measure. See ``saturated_share``.
    batch_by_batch
        Loss and accuracy on training rows, batch by batch in training mode, and
    evaluated
        on the same rows in evaluation mode. None without a normalization, which alone makes a difference;
        without classes the accuracy is NaN.
    threshold
        The probability of the second of two classes above which a row is taken for it in ``confusion``; None
        for its most probable class.
    numbers
        For each part, some of its rows with the numbers that are predicted; empty with classes. Of several
        labels the targets are 0 and 1, and the numbers logits.
    label_thresholds
        Of several labels, the probability of each above which a row is said to have it, (K,); empty for a
        half.
    """

    confusion: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    saturated: tuple[float, ...] = ()
    batch_by_batch: tuple[float, float] | None = None
    evaluated: tuple[float, float] | None = None
    threshold: float | None = None
    numbers: Mapping[str, PredictedNumbers] = field(default_factory=dict)
    label_thresholds: tuple[float, ...] = ()


def look_at_kept_model(
    model: MLP,
    parts: Mapping[str, Samples | None],
    batch_size: int,
    task: Task = CLASSES_WITHOUT_NAMES,
) -> KeptModel:
    """Evaluate a network, a stack of one, on the parts of its data, of which one is ``training``.

    ``task`` says which class a row is taken for. Of a large training part, some thousand rows are looked at
    for its layers and its training mode. The network is not changed.
    """
    there = {name: samples for name, samples in parts.items() if samples is not None}
    rows = _some(there["training"])
    with np.errstate(all="ignore"):  # rows may overflow
        classes = task.name == CLASSES_WITHOUT_NAMES.name
        modes = _both_modes(model, rows, batch_size, task) if model.normalization else (None, None)
        counted = there if classes else {}
        numbers = (
            {} if classes else {name: _numbers(model, _some(part), task) for name, part in there.items()}
        )
        return KeptModel(
            {name: confusion_counts(model, samples, task)[0] for name, samples in counted.items()},
            saturated_layers(model, rows.features),
            *modes,
            threshold=task.threshold,
            numbers=numbers,
            label_thresholds=task.thresholds,
        )


def saturated_layers(model: MLP, features: FloatArray) -> tuple[float, ...]:
    """Return ``saturated_share`` of each hidden layer of a stack of one for rows (N, D), evaluated."""
    if model.activation.saturation == "none":
        return ()
    hidden: list[object] = [*model.hidden_activations]
    shares, out = [], np.asarray(features, model.dtype)[np.newaxis]
    for layer in model.layers.values():
        out = layer.evaluate(out)
        if layer in hidden:
            shares.append(float(saturated_share(out, model.activation)[0]))
    return tuple(shares)


def _numbers(model: MLP, samples: Samples, task: Task) -> PredictedNumbers:
    blocks = [model.predict_logits(samples.features[rows])[0] for rows in blocks_of_rows(len(samples))]
    predicted, targets = np.concatenate(blocks).astype(np.float64), samples.targets.astype(np.float64)
    losses = np.asarray(task.loss.value(predicted, targets), np.float64)
    if samples.weights is not None:
        losses = losses * samples.weights
    return PredictedNumbers(targets, predicted, losses, samples.features)


def _some(samples: Samples) -> Samples:
    """Return rows from the whole part, in random order: it may be sorted by class."""
    chosen = np.random.default_rng(0).permutation(len(samples))[:_ROWS_LOOKED_AT]
    return samples.at(chosen)


def _both_modes(
    model: MLP, samples: Samples, batch_size: int, task: Task
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Return loss and accuracy batch by batch in training mode, and in evaluation mode, on whole batches."""
    count = min(len(samples) // batch_size, _BATCHES_LOOKED_AT) if batch_size else 0
    if not count:
        return None, None
    metrics = [Accuracy()] if task.name == CLASSES_WITHOUT_NAMES.name else []
    copy, losses, right = model.alone(0), [], []  # a forward pass in training mode moves the statistics
    for number in range(count):
        batch = samples.at(slice(number * batch_size, (number + 1) * batch_size))
        arrays = batch.features[np.newaxis], batch.targets[np.newaxis]
        losses.append(float(copy.forward(*arrays, batch.weights, len(batch))[0]))
        if metrics:
            right.append(float(np.mean(task.correct(copy.logits, batch.labels))))
    found = measure(model, samples.first(count * batch_size), metrics, task=task)
    accuracy = float(found["accuracy"][0]) if metrics else np.nan
    of_batches = float(np.mean(right)) if metrics else np.nan
    return (float(np.mean(losses)), of_batches), (float(found["loss"][0]), accuracy)
