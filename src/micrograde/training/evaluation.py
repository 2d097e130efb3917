"""Evaluate a network on data: loss, metrics, confusion counts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import GivenOutputs, Metric
from micrograde.metrics.accuracy import Accuracy
from micrograde.metrics.measuring import named
from micrograde.nn import MLP, CrossEntropyLoss
from micrograde.nn.arrays import FloatArray, IntArray, blocks_of_rows
from micrograde.tasks import Task
from micrograde.tasks.classification import CLASSES_WITHOUT_NAMES
from micrograde.training.batches import Batch
from micrograde.training.learned_classes import LearnedClasses
from micrograde.training.samples import Samples, SampleSets


def evaluate(
    model: MLP, samples: Samples, *, nan_is_a_class: bool = False, task: Task = CLASSES_WITHOUT_NAMES
) -> tuple[FloatArray, FloatArray]:
    """Return mean loss and accuracy (a fraction) in evaluation mode, each (R,); see ``measure``."""
    found = measure(model, samples, [Accuracy()], nan_is_a_class=nan_is_a_class, task=task)
    return found["loss"], found["accuracy"]


def measure(
    model: MLP,
    samples: Samples | SampleSets,
    metrics: Sequence[Metric],
    *,
    nan_is_a_class: bool = False,
    task: Task = CLASSES_WITHOUT_NAMES,
    logits_of: list[FloatArray] | None = None,
    classes: LearnedClasses | None = None,
) -> dict[str, FloatArray]:
    """Return the mean loss and metrics in evaluation mode by name, each (R,); see ``named`` for classes.

    All replicas are measured on the same samples, or each on those of its set.

    To ``logits_of`` the logits (R, n, C) are added, block by block of n rows. The loss is of the same kind as
    in training: the rows have their weights, and targets are what the replicas learn of ``classes``, if
    these are given. In metrics each row counts the same.

    A row that gets no class, see ``predicted_classes``, makes the loss NaN and counts as wrong; with
    ``nan_is_a_class``, the rule of recipes of version 1, it gets the first class whose logit is NaN.
    """
    loss = np.zeros(len(model.parameters))
    tallies = [each.tally(len(model.parameters), len(samples)) for each in metrics]
    weights = samples.weights if classes is None else classes.row_weights(samples.labels, samples.weights)
    for rows in blocks_of_rows(len(samples)):
        block = samples.at(rows)
        targets = block.targets if classes is None else classes.targets_of(block.labels, block.targets.dtype)
        of_rows = None if weights is None else weights[..., rows]
        logits = model.predict_logits(block.features)
        if logits_of is not None:
            logits_of.append(logits.copy())
        of_block = model.loss.evaluate(logits, targets, of_rows, len(block))
        loss += of_block * len(block)
        # If the mean of the losses is finite, each row has a class, and argmax alone is quicker.
        finite = bool(np.isfinite(of_block).all())
        found = task.predicted(logits, finite=finite or nan_is_a_class)
        outputs = GivenOutputs(task.for_metrics(logits), block.labels, found)
        for tally in tallies:
            tally.add(outputs)
    values: dict[str, FloatArray] = {"loss": loss / len(samples)}
    for each, tally in zip(metrics, tallies, strict=True):
        values |= named(each, tally.value(), task.part_names)
    return values


class StepOutputs:
    """The outputs of the training step that a network has made last; see ``micrograde.metrics.Outputs``."""

    def __init__(self, model: MLP, task: Task = CLASSES_WITHOUT_NAMES) -> None:
        self._loss, self._task = model.loss, task
        self.batch: Batch | None = None  # that of the step, where targets do not tell the labels

    @property
    def logits(self) -> FloatArray:
        """(R, N, C)."""
        return self._task.for_metrics(self._loss.logits)

    @property
    def labels(self) -> NDArray[Any]:
        """(N, ...) or (R, N, ...)."""
        if self.batch is not None and self.batch.labels is not None:
            return self.batch.labels
        return self._task.labels(self._loss.targets)

    @property
    def predicted(self) -> NDArray[Any]:
        """(R, N, ...)."""
        return self._task.predicted(self._loss.logits)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(R, N)."""
        if self.batch is not None and self.batch.labels is not None:
            return self._task.correct(self._loss.logits, self.batch.labels)
        if isinstance(self._loss, CrossEntropyLoss):  # which has computed most of it already
            return self._loss.correct()
        return self._task.correct(self._loss.logits, self.labels)


def confusion_counts(model: MLP, samples: Samples, task: Task = CLASSES_WITHOUT_NAMES) -> IntArray:
    """Count how often each true class (rows) is predicted as each class (columns), (R, C, C).

    ``task`` says which class a row is taken for. Samples that get no class are in none of the cells.
    """
    predicted = _predictions(model, samples, task)
    classes = len(task.class_names) or samples.targets.shape[-1]
    cells = np.where(predicted < 0, classes * classes, samples.labels * classes + predicted)
    counts = [np.bincount(replica, minlength=classes * classes + 1)[:-1] for replica in cells]
    return np.stack(counts).reshape(-1, classes, classes)


def rows_of_no_class(model: MLP, samples: Samples, task: Task = CLASSES_WITHOUT_NAMES) -> IntArray:
    """Count the rows to which the network gives no class, because its numbers overflow for them, (R,)."""
    counts: IntArray = np.count_nonzero(_predictions(model, samples, task) < 0, axis=-1)
    return counts


def rows_without_answer(model: MLP, samples: Samples, task: Task) -> int:
    """Count the rows that a network, a stack of one, gives no class or no number: its numbers overflow."""
    if task.name == CLASSES_WITHOUT_NAMES.name:
        return int(rows_of_no_class(model, samples, task)[0])
    answers = [task.answers(model.predict_logits(block.features)[0]) for block in _blocks(samples)]
    return sum(int(np.count_nonzero(np.isnan(each).any(axis=-1))) for each in answers)


def _predictions(model: MLP, samples: Samples, task: Task) -> IntArray:
    """Return the predicted class of each row, (R, N); -1 for none."""
    blocks = [task.predicted(model.predict_logits(block.features)) for block in _blocks(samples)]
    predicted: IntArray = np.concatenate(blocks, axis=-1)
    return predicted


def _blocks(samples: Samples) -> Iterator[Samples]:
    for rows in blocks_of_rows(len(samples)):
        yield samples.at(rows)
