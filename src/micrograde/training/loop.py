"""The training loop: epochs of shuffled mini-batches, one record after each epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.training.batches import BatchSampler, Samples
from micrograde.training.divergence import TrainingDiverged, first_nonfinite_parameter
from micrograde.training.early_stopping import BestWeights, EarlyStopping
from micrograde.training.evaluation import evaluate
from micrograde.training.gradient_norms import gradient_norms
from micrograde.training.optimizers import Optimizer


@dataclass(frozen=True)
class TrainingPlan:
    """How to train.

    learning_rates
        (S, R): of every step, for every replica; S is a whole number of epochs.
    """

    num_epochs: int
    batch_size: int
    learning_rates: FloatArray
    drop_last: bool = False
    early_stopping: EarlyStopping | None = None


@dataclass(frozen=True)
class EpochRecord:
    """What is known after an epoch, counted from 1; every metric is an array (R,).

    ``train/loss`` and ``train/accuracy`` are means over the epoch's rows as they were trained on: in
    training mode, each batch before its own update. ``val/*`` are of the validation part in evaluation
    mode after the epoch, ``gradient_norm/*`` of the epoch's last batch. Accuracies are fractions.
    """

    epoch: int
    metrics: dict[str, FloatArray] = field(default_factory=dict)


def train(
    model: MLP,
    optimizer: Optimizer,
    plan: TrainingPlan,
    training: Samples,
    validation: Samples | None,
    shuffling: Sequence[np.random.Generator],
) -> Iterator[EpochRecord]:
    """Train a stack of R replicas in place, yielding a record after each epoch.

    With early stopping the network holds the best weights when the iterator is exhausted.

    Parameters
    ----------
    model
        A stack: its parameters are (R, P).
    shuffling
        One stream a replica.

    Raises
    ------
    TrainingDiverged
        At the step whose loss is not finite.
    """
    sampler = BatchSampler(training, plan.batch_size, shuffling, drop_last=plan.drop_last)
    best = BestWeights(model, plan.early_stopping) if plan.early_stopping else None
    for epoch in range(1, plan.num_epochs + 1):
        # Overflow is no warning here: it shows in the loss, which is checked at every step.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            metrics = _train_epoch(model, optimizer, plan, sampler, epoch)
            if validation is not None:
                metrics["val/loss"], metrics["val/accuracy"] = evaluate(model, validation)
            metrics |= gradient_norms(model)
        yield EpochRecord(epoch, metrics)
        if best and plan.early_stopping and best.update(epoch, metrics[plan.early_stopping.metric]):
            break
    if best:
        best.restore()


def _train_epoch(
    model: MLP, optimizer: Optimizer, plan: TrainingPlan, sampler: BatchSampler, epoch: int
) -> dict[str, FloatArray]:
    """One pass over the training part; its loss and accuracy."""
    replicas = len(model.parameters)
    loss_sum, hits, rows = np.zeros(replicas), np.zeros(replicas), 0
    for batch in sampler.epoch():
        loss = model.forward(batch.features, batch.targets)
        if not np.isfinite(loss).all():
            replica = int(np.argmin(np.isfinite(loss)))
            parameter = first_nonfinite_parameter(model, replica)
            raise TrainingDiverged(epoch, optimizer.steps + 1, float(loss[replica]), parameter)
        model.backward()
        optimizer.step(plan.learning_rates[optimizer.steps])
        size = batch.labels.shape[-1]
        loss_sum += loss * size
        hits += np.count_nonzero(np.argmax(model.logits, axis=-1) == batch.labels, axis=-1)
        rows += size
    return {"train/loss": loss_sum / rows, "train/accuracy": hits / rows}
