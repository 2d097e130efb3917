"""The training loop: a stack of networks, epochs of shuffled mini-batches, a record after each epoch.

Replicas are independent of each other. One that stops early or diverges leaves the stack; the others are
moved together and go on, and what each computes is the same, bit for bit, as if it trained alone.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics.measuring import named
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training.batches import BatchSampler
from micrograde.training.callbacks import Callback
from micrograde.training.divergence import Divergence, first_nonfinite_parameter
from micrograde.training.evaluation import StepOutputs, measure
from micrograde.training.learned_classes import LearnedClasses
from micrograde.training.optimizers import StackOptimizer
from micrograde.training.plan import TrainingPlan
from micrograde.training.samples import Samples, SampleSets
from micrograde.training.snapshots import ForeignSnapshotError, Snapshot, restore_snapshot, take_snapshot
from micrograde.training.step_log import StepLog, StepRecord

_ResultT = TypeVar("_ResultT")

_STEPS_AT_A_TIME = 4096  # learning rates computed in one call; with fewer, the calls cost more than the rates


@dataclass(frozen=True)
class EpochRecord:
    """The metrics of an epoch, counted from 1.

    ``replicas`` (R,) holds the numbers of the replicas that are still in the stack; every metric is an array
    of the same length. ``train/loss``, ``train/accuracy`` and other metrics are of the epoch's rows as they
    were trained on: in training mode, each batch before its own update. ``val/*`` are of the validation part
    in evaluation mode after the epoch. Accuracies are fractions. Callbacks add others: ``gradient_norm/*``
    and the diagnostics are of the epoch's last step on a whole batch.
    """

    epoch: int
    replicas: IntArray
    metrics: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Departure:
    """A replica has left the stack: at the end, stopped early, diverged, cancelled, or interrupted.

    ``model`` is its network, a stack of one, with the weights that callbacks let it leave with, those of
    ``kept_epoch``; the last ones if that is None, as when it diverged. ``snapshot`` is the replica after the
    epoch; None if it left in the middle of one.
    """

    replica: int
    epoch: int
    model: MLP
    divergence: Divergence | None = None
    cancelled: bool = False
    snapshot: Snapshot | None = None
    kept_epoch: int | None = None


def _quiet() -> np.errstate:
    """Silence NumPy's warnings of overflow: it shows in the loss, which is checked at every step."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def _quietly(
    steps: Generator[StepRecord, None, _ResultT],
) -> Generator[StepRecord, None, _ResultT]:
    """Yield what a generator yields and return what it returns; only its own code is quiet."""
    while True:
        with _quiet():
            try:
                record = next(steps)
            except StopIteration as end:
                result: _ResultT = end.value
                return result
        yield record


class Training:
    """A stack of R replicas in training.

    Parameters
    ----------
    model
        A stack: its parameters are (R, P). It is trained in place, and shrinks as replicas leave.
    training, validation
        The same for all replicas, or a set for each.
    shuffling
        One random stream per replica.
    labels
        What each replica learns instead of the training part's own targets; see ``BatchSampler``.
    callbacks
        Called in this order, but those that change the network after those that only look on.
    classes
        What the replicas learn of classes, in training and in evaluation; None if the classes as they are.
    """

    def __init__(
        self,
        model: MLP,
        optimizer: StackOptimizer,
        plan: TrainingPlan,
        training: Samples | SampleSets,
        validation: Samples | SampleSets | None,
        shuffling: Sequence[np.random.Generator],
        labels: tuple[IntArray, FloatArray] | None = None,
        callbacks: Sequence[Callback] = (),
        classes: LearnedClasses | None = None,
    ) -> None:
        self._model, self._optimizer, self._plan = model, optimizer, plan
        self._validation, self._classes, self._task = validation, classes, plan.task
        self._sampler = BatchSampler(
            training,
            plan.batch_size,
            shuffling,
            drop_last=plan.drop_last,
            least_rows=plan.least_rows,
            labels=labels,
            classes=classes,
        )
        self._rates: FloatArray = np.empty((0, len(model.parameters)))
        self._first_step = 0
        self._replicas: IntArray = np.arange(len(model.parameters))
        self._callbacks = sorted(callbacks, key=lambda callback: callback.changes_network)
        self._every_step = [callback for callback in self._callbacks if callback.every_step]
        self._step_log = StepLog(plan.log_every, plan.metrics, plan.task.part_names)
        self._epoch = 0
        self._to_cancel: set[int] = set()

    def cancel(self, replica: int) -> None:
        """Make this replica leave after the epoch that is in training; may be called from any thread."""
        self._to_cancel.add(replica)

    def resume(self, snapshot: Snapshot) -> None:
        """Make ``run`` continue from a snapshot instead of the beginning; only for a stack of one.

        Raises
        ------
        ForeignSnapshotError
            If the snapshot is not from such a training; nothing has been changed then.
        """
        steps = len(self._sampler.sizes)
        if not 0 < snapshot.epoch <= self._plan.num_epochs or snapshot.steps != snapshot.epoch * steps:
            raise ForeignSnapshotError(
                f"it was taken after epoch {snapshot.epoch} and {snapshot.steps} steps; this training has "
                f"{self._plan.num_epochs} epochs of {steps}"
            )
        restore_snapshot(snapshot, self._model, self._optimizer, self._sampler, self._callbacks)
        self._epoch = snapshot.epoch

    def run(self) -> Iterator[EpochRecord | StepRecord | Departure | Snapshot]:
        """Train; yield a record after each epoch, and a departure for each replica, at the latest at the end.

        Where a callback needs it, a snapshot of each replica follows the record. Records of steps come while
        the epoch goes on, the last of them before the epoch's own.
        """
        yield from self._stop(self._end_epoch({}))  # resumed: a replica may have been about to stop
        while self._epoch < self._plan.num_epochs and len(self._replicas):
            self._epoch += 1
            metrics, diverged = yield from _quietly(self._train_epoch())
            yield from diverged
            rows = np.flatnonzero(~np.isin(self._replicas, [each.replica for each in diverged]))
            if not len(rows):
                self._replicas = self._replicas[:0]
                return
            if diverged:
                metrics = {name: values[rows] for name, values in metrics.items()}
                self._keep(rows)
            with _quiet():
                if self._validation is not None:
                    found = measure(
                        self._model,
                        self._validation,
                        self._plan.metrics,
                        nan_is_a_class=self._plan.nan_is_a_class,
                        task=self._task,
                        classes=self._classes,
                    )
                    metrics |= {f"val/{name}": values for name, values in found.items()}
            stopped = self._end_epoch(metrics)
            yield EpochRecord(self._epoch, self._replicas, metrics)
            yield from self._stop(stopped)
            if self._to_cancel and self._epoch < self._plan.num_epochs:
                leaving = np.isin(self._replicas, list(self._to_cancel))
                yield from (self._departure(row, cancelled=True) for row in np.flatnonzero(leaving).tolist())
                self._keep(np.flatnonzero(~leaving))
            if self._epoch < self._plan.num_epochs and any(each.snapshot_due() for each in self._callbacks):
                yield from (self._snapshot(row) for row in range(len(self._replicas)))
        yield from (self._departure(row) for row in range(len(self._replicas)))
        self._replicas = self._replicas[:0]

    def leave(self) -> Iterator[Departure]:
        """Make all replicas leave as they are, after an interrupt, which may have come in mid-step."""
        yield from (self._departure(row, whole=False) for row in range(len(self._replicas)))
        self._replicas = self._replicas[:0]

    def _end_epoch(self, metrics: dict[str, FloatArray]) -> NDArray[np.bool_]:
        """Tell the callbacks that the epoch is over; return which replicas one of them stops, (R,)."""
        replicas: list[int] = self._replicas.tolist()
        stopped = np.zeros(len(replicas), np.bool_)
        for callback in self._callbacks:
            of_callback = callback.on_epoch(self._epoch, self._model, replicas, metrics)
            if of_callback is not None:
                stopped |= of_callback
        return stopped

    def _stop(self, stopped: NDArray[np.bool_]) -> Iterator[Departure]:
        yield from (self._departure(row) for row in np.flatnonzero(stopped).tolist())
        self._keep(np.flatnonzero(~stopped))

    def _train_epoch(
        self,
    ) -> Generator[StepRecord, None, tuple[dict[str, FloatArray], list[Departure]]]:
        """Make one pass over the training part; yield records of its steps, if they are logged.

        Returns
        -------
        Loss, the plan's and the callbacks' metrics, each (R,), and a departure for each replica that
        diverged, as it was at that step.
        """
        model, optimizer, replicas = self._model, self._optimizer, len(self._replicas)
        sizes = self._sampler.sizes
        rates = self._learning_rates(len(sizes))
        losses, finite = np.zeros((replicas, len(sizes))), np.empty(replicas, np.bool_)
        tallies = [each.tally(replicas, sum(sizes)) for each in self._plan.metrics]
        outputs = StepOutputs(model, self._task)
        diverged: dict[int, Departure] = {}
        measured = self._measured_step()
        of_callbacks: dict[str, FloatArray] = {}
        log, going_on = self._step_log, np.arange(replicas)
        logged = log.places(optimizer.steps, len(sizes))
        for number, batch in enumerate(self._sampler.epoch()):
            loss = model.forward(batch.features, batch.targets, batch.weights, sizes[number])
            outputs.batch = batch
            np.isfinite(loss, out=finite)
            if np.count_nonzero(finite) < replicas:
                before = len(diverged)
                for replica in np.flatnonzero(~finite).tolist():
                    if replica not in diverged:
                        diverged[replica] = self._divergence(replica, float(loss[replica]))
                if len(diverged) > before:
                    yield from log.take(self._replicas, going_on)
                    going_on = np.array([row for row in range(replicas) if row not in diverged], np.intp)
                if len(diverged) == replicas:
                    break
            losses[:, number] = loss
            for tally in tallies:
                tally.add(outputs)
            if number in logged:
                log.add(optimizer.steps + 1, loss, outputs, sizes[number])
            model.backward()
            for callback in self._callbacks if number == measured else self._every_step:
                callback.on_gradients(model)
            optimizer.step(rates[number])
            if number == measured:
                for callback in self._callbacks:
                    of_callbacks |= callback.on_step(model, rates[number])
            if number in logged and log.due():
                yield from log.take(self._replicas, going_on)
        yield from log.take(self._replicas, going_on)
        loss_sum = np.vecdot(losses, np.array(sizes, np.float64))
        metrics = {"train/loss": loss_sum / sum(sizes)}
        if len(diverged) < replicas:
            for each, tally in zip(self._plan.metrics, tallies, strict=True):
                found = named(each, tally.value(), self._plan.task.part_names)
                metrics |= {f"train/{name}": values for name, values in found.items()}
            metrics |= of_callbacks
        return metrics, list(diverged.values())

    def _measured_step(self) -> int:
        """Return the number of the step of an epoch that callbacks look at."""
        sizes, whole = self._sampler.sizes, self._plan.batch_size
        if not self._plan.measures_whole_batches:
            return len(sizes) - 1
        return max(number for number, size in enumerate(sizes) if size >= whole or not number)

    def _learning_rates(self, count: int) -> FloatArray:
        """Return the learning rates of the next ``count`` steps, (count, R); compute many at a time."""
        start = self._optimizer.steps - self._first_step
        if not 0 <= start <= len(self._rates) - count:
            self._first_step, start = self._optimizer.steps, 0
            steps = np.arange(self._first_step, self._first_step + max(count, _STEPS_AT_A_TIME))
            self._rates = self._plan.learning_rates(steps)[:, self._replicas]
        return self._rates[start : start + count]

    def _divergence(self, row: int, loss: float) -> Departure:
        parameter = first_nonfinite_parameter(self._model, row)
        found = Divergence(self._epoch, self._optimizer.steps + 1, loss, parameter)
        return Departure(int(self._replicas[row]), self._epoch, self._copy(row), found)

    def _departure(self, row: int, *, cancelled: bool = False, whole: bool = True) -> Departure:
        snapshot = self._snapshot(row) if whole else None  # before callbacks replace the last weights
        replica, kept = int(self._replicas[row]), None
        for callback in self._callbacks:
            changed = callback.on_end(self._epoch, self._model, row, replica, interrupted=not whole)
            kept = kept if changed is None else changed
        return Departure(
            replica,
            self._epoch,
            self._copy(row),
            cancelled=cancelled,
            snapshot=snapshot,
            kept_epoch=kept,
        )

    def _snapshot(self, row: int) -> Snapshot:
        parts = (self._model, self._optimizer, self._sampler, self._callbacks)
        return take_snapshot(row, int(self._replicas[row]), self._epoch, *parts)

    def _copy(self, row: int) -> MLP:
        """Return a copy of one replica's network, as a stack of one."""
        model = self._model.alone(row)
        for buffer in (model.parameters, model.gradients, model.statistics):
            # The sign bit of a NaN means nothing, and depends on the other replicas of the stack.
            buffer[np.isnan(buffer)] = np.nan
        return model

    def _keep(self, rows: IntArray) -> None:
        """Move the replicas of these rows together; the others have left."""
        if len(rows) == len(self._replicas):
            return
        self._replicas = self._replicas[rows]
        if not len(rows):
            return
        self._model.keep_replicas(rows)
        self._optimizer.keep_replicas(rows, self._model.parameters, self._model.gradients)
        self._sampler.keep_replicas(rows)
        self._task = self._task.keep_replicas(rows)
        if isinstance(self._validation, SampleSets):
            self._validation = self._validation.keep_replicas(rows)
        self._classes = self._classes and self._classes.keep_replicas(rows)
        self._rates = self._rates[:, rows]
        for callback in self._callbacks:
            callback.keep_replicas(rows)
