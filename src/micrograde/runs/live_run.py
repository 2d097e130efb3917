"""A run while it trains: what is recorded of it, from its first line to its last file."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.config.schema import (
    ModelConfig,
    TrainConfig,
    as_params,
    config_digest,
    flatten,
    to_container,
)
from micrograde.config.used_plugins import used_plugins
from micrograde.core.atomic_files import synchronise
from micrograde.core.recipe_versions import KEPT_VALUES
from micrograde.core.redaction import without_password
from micrograde.core.working import working
from micrograde.data import DataSet
from micrograde.diagnostics import Importances, Measurements, Trajectory, find_findings, measure_importances
from micrograde.diagnostics.kept_model import look_at_kept_model, saturated_layers
from micrograde.diagnostics.permutation_importance import why_not_measured
from micrograde.drawing import RunContents, left_out
from micrograde.gradcheck import GradientMismatch, check_network, require_agreement
from micrograde.metrics import KEPT, name_of_entry, part_of
from micrograde.models.trained_network import describe_model, write_network
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.runs.artifacts import RunLog, write_evidence, write_recipe
from micrograde.runs.building import (
    PreparedData,
    end_metrics,
    learned_classes,
    least_rows,
    logged_steps,
    measured_names,
    nan_is_a_class,
    one_batch_line,
    rows_of_batch,
    task_to_learn,
)
from micrograde.runs.checkpoints import FOLDER, Checkpoint, write_checkpoint
from micrograde.runs.column_importances import FILE as IMPORTANCES
from micrograde.runs.column_importances import write_importances
from micrograde.runs.deciding import Decision, decide, unused_costs
from micrograde.runs.model_card import CardContents, write_model_card
from micrograde.runs.pictures import write_pictures
from micrograde.runs.progress_lines import progress_line
from micrograde.runs.resuming import Resumption
from micrograde.runs.row_predictions import write_predictions
from micrograde.runs.step_history import StepHistory, log_steps
from micrograde.runs.table_words import table_description, write_table_words
from micrograde.store import same_value, tags
from micrograde.store.metric_names import by_plain_name, recorded_name
from micrograde.store.mlmodel import CARD
from micrograde.tracking import DatasetInput, RunRecorder
from micrograde.training import (
    Departure,
    ForeignSnapshotError,
    Samples,
    Snapshot,
    Training,
    measure,
    rows_without_answer,
    steps_per_epoch,
)
from micrograde.training.callbacks.early_stopping import EarlyStoppingSettings

Status = Literal["FINISHED", "FAILED", "KILLED"]
STOPPED = "stopped with Ctrl-C"
"""Why a run is KILLED that somebody has stopped."""

_ROWS_LOOKED_AT = 1024


@dataclass(frozen=True)
class RunRequest:
    """A run that is to be trained and recorded.

    Attributes
    ----------
    overrides
        What the user typed to get this config; it is kept among the run's files.
    parent
        The recorder's number of the run that it is nested under.
    tags
        Tags in addition to those that every run has.
    resumption
        The recorded run to resume; None for a new one.
    """

    config: TrainConfig
    name: str
    overrides: Sequence[str] = ()
    parent: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    resumption: Resumption | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", without_password(self.name))  # it is shown, logged and drawn

    @property
    def in_sweep(self) -> bool:
        """Whether the run is part of a sweep, nested under the sweep's parent run."""
        return self.parent is not None or tags.PARENT in self.tags

    @property
    def all_pictures(self) -> bool:
        """Whether every picture is drawn, or only those that take almost no time."""
        wanted = self.config.tracking.pictures
        return wanted == "all" or (wanted == "auto" and not self.in_sweep)


@dataclass
class LiveRun:
    """A run that is in training, or has just ended.

    Attributes
    ----------
    place
        The index of its request in the list given to ``train_runs``.
    number
        The recorder's number of the run.
    history
        Each metric's value after every epoch.
    steps
        What was measured every ``training.log_every`` steps.
    kept
        Of a finished run, the metrics of the model that is saved, by their names in the records:
        ``kept/epoch``, and ``kept/train/loss`` and so on of every part.
    test
        ``test/loss``, ``test/accuracy`` and other metrics of a finished run, if there is a test part.
    kept_epoch
        The epoch whose weights its network has, if a callback has kept them; else None.
    decision
        Of a finished run, the threshold by which its network tells two classes apart, if it has one.
    reason
        Why the run did not finish; None if it did.
    warnings
        Messages for the user, a line each.
    findings
        What stands out in the measurements at the end, a sentence each.
    importances
        What shuffling each column costs the network; None if it was not measured.
    trajectory
        The parameters at some of the epochs, if pictures need them.
    """

    request: RunRequest
    place: int
    number: int
    data: PreparedData
    recorder: RunRecorder
    history: dict[str, list[float]] = field(default_factory=dict)
    steps: StepHistory = field(default_factory=StepHistory)
    kept: dict[str, float] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    kept_epoch: int | None = None
    decision: Decision | None = None
    status: Status = "FINISHED"
    reason: str | None = None
    ended: bool = False
    warnings: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    importances: Importances | None = None
    trajectory: Trajectory = field(default_factory=Trajectory)
    initial_loss: float = float("nan")
    differs: bool = False

    def __post_init__(self) -> None:
        self.task = task_to_learn(self.config, self.data)
        self._at_start: dict[str, float] = {}
        self._saturated_at_start: tuple[float, ...] = ()
        self._classes = learned_classes([self.config], [self.data])
        self._copied = ""
        self._is_on_disk = False
        self._diverged_at: int | None = None
        self.log = RunLog(self.folder, self.resumption.log if self.resumption else "")
        stored = self.resumption.stored.tags if self.resumption else {}
        # A resumed run keeps its digest, though its data file may have another path now.
        self._digest = stored.get(tags.CONFIG_DIGEST) or config_digest(self.config)

    @classmethod
    def start(cls, request: RunRequest, place: int, data: PreparedData, recorder: RunRecorder) -> "LiveRun":
        """Begin the run in the records, or resume it there."""
        resumption = request.resumption
        words = request.config.run
        if resumption:
            number = recorder.adopt_run(resumption.run_id)
            if said := own_words(words.tags, words.note, words.name):
                recorder.set_tags(number, said)
        else:
            number = recorder.start_run(
                experiment_name=request.config.experiment_name,
                run_name=request.name,
                params=as_params(request.config) | _params_of_task(request.config, data),
                tags={
                    **own_words(words.tags, words.note),
                    tags.CONFIG_DIGEST: config_digest(request.config),
                    tags.DATA_DIGEST: data.dataset.digest,
                    **({tags.PLUGINS: " ".join(request.config.plugins)} if request.config.plugins else {}),
                    **_init_tags(request.config.model),
                    **request.tags,
                },
                dataset=_dataset_input(request.config.data, data),
                parent=request.parent,
            )
        run = cls(request, place, number, data, recorder)
        wanted = request.config.training.log_every
        if wanted is not None and not logged_steps(request.config, len(data.training)):
            run._warn(f"training.log_every={wanted}: logs no step, as the run has fewer")
        if data.tested:
            run.log.add(data.tested)
        for note in data.notes:
            if data.dataset.summary is None:
                run._warn(note)
            else:  # it has been said with the table
                run.log.add(f"note: {note}")
        if line := one_batch_line(request.config.training, len(data.training)):
            run._warn(line)
        if unused := unused_costs(request.config):
            run._warn(unused)
        if run.folder and not (resumption and resumption.has_recipe):
            write_recipe(run.folder, run.config, request.overrides)
            write_table_words(run.folder, data)
        return run

    @property
    def config(self) -> TrainConfig:
        """The run's config."""
        return self.request.config

    @property
    def resumption(self) -> Resumption | None:
        """What is stored of the run, if it is resumed; else None."""
        return self.request.resumption

    @property
    def folder(self) -> Path | None:
        """The folder of its files until it ends; None if nothing is recorded."""
        return self.recorder.run_folder(self.number)

    def begin_with(self, copied: str) -> None:
        """Take note of which layers begin with the weights of another run, a line."""
        self._copied = copied
        self.log.add(copied)

    def take_evidence(self, model: MLP, row: int) -> bool:
        """Compare hand-written gradients with autograd's, and return whether they agree.

        If they do not, the run ends as FAILED.
        """
        batch = self._first_batch()
        evidence = check_network(model, row, batch.features, batch.targets, batch.weights)
        error, self.initial_loss = evidence.max_relative_error, evidence.loss
        checked = recorded_name("gradient_check/max_relative_error", self.config.recipe_version)
        self._at_start = {"train/initial_loss": evidence.loss, checked: error}
        if self.resumption and self.config.model.init_from and not self._copied:
            self._take_start_from_store()
        if model.normalization is None:  # before which the scale of the weights makes no difference
            with np.errstate(all="ignore"):
                self._saturated_at_start = saturated_layers(model.alone(row), batch.features)
        self.log.add(f"{self.request.name}: {'-'.join(map(str, model.sizes))}, gradient check {error:.2g}")
        if self.folder:
            write_evidence(self.folder, evidence)
        try:
            require_agreement(evidence)
        except GradientMismatch as mismatch:
            self.end(model.alone(row), "FAILED", str(mismatch))
            return False
        return True

    def _take_start_from_store(self) -> None:
        """Take what was measured before the first step from the store, as the weights of then are no more."""
        assert self.resumption
        history = self.resumption.stored.history
        self._at_start = {name: history[name][0] for name in self._at_start if 0 in history.get(name, {})}
        self.initial_loss = self._at_start.get("train/initial_loss", float("nan"))

    def take_up(self, training: Training) -> None:
        """Set the training of a resumed run to its checkpoint, and record what the store lacks."""
        if self.resumption is None:
            return
        checkpoint, epoch = self.resumption.checkpoint, self.resumption.epoch
        if checkpoint:
            try:
                training.resume(checkpoint.snapshot)
                self.history = {metric: list(values) for metric, values in checkpoint.history.items()}
                self.steps = checkpoint.steps
            except ForeignSnapshotError as error:
                self._warn(f"its checkpoint is of no use: {error}; training from the beginning")
                epoch = 0
        before = self.resumption.stored.tags.get(tags.RESUMED, "")
        self.recorder.set_tags(self.number, {tags.RESUMED: f"{before} {epoch}".strip()})
        self.log.add(f"resumed after epoch {epoch}")
        self.log.write()  # now, so that the line is there if the run is killed again
        for number, values in enumerate(zip(*self.history.values(), strict=True), start=1):
            self._record(number, dict(zip(self.history, values, strict=True)))
        self._record_steps(self.steps.steps, self.steps.values())

    def take_steps(self, steps: NDArray[np.int64], values: Mapping[str, NDArray[np.float64]]) -> None:
        """Keep the metrics (K,) of steps (K,), by their recorded names; recorded as those of epochs are."""
        self.steps.add(steps, values)
        if self.resumption:
            self._record_steps(steps, values)

    def take_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Keep the metrics of an epoch.

        They are recorded by the stack, for all its runs at once. Those of a resumed run are recorded here, as
        far as the store does not have them.
        """
        for metric, value in metrics.items():
            self.history.setdefault(metric, []).append(value)
        if self.resumption:
            self._record(epoch, metrics)
        self._record_start()
        self.log.add(progress_line("epoch", epoch, self.config.training.num_epochs, metrics))

    def checkpoint(self, snapshot: Snapshot, *, durable: bool) -> float:
        """Write a checkpoint, and return how many seconds it took."""
        start = time.monotonic()
        if self.folder:
            checkpoint = Checkpoint(
                self._digest, self.data.dataset.digest, snapshot, self.history, self.steps
            )
            if durable and not self._is_on_disk:  # without its recipe no checkpoint is of use
                for path in self.folder.rglob("*"):
                    if path.is_file():
                        synchronise(path)
                self._is_on_disk = True
            write_checkpoint(self.folder / FOLDER, checkpoint, durable=durable)
        return time.monotonic() - start

    def depart(self, departure: Departure) -> None:
        """End the run in the way in which its replica has left the stack."""
        if departure.snapshot:
            self.checkpoint(departure.snapshot, durable=False)
        divergence, self.kept_epoch = departure.divergence, departure.kept_epoch
        if departure.cancelled:
            self.end(departure.model, "KILLED", f"cancelled after epoch {departure.epoch}")
        elif divergence is None:
            self.end(departure.model)
        else:
            self._diverged_at = divergence.step
            where = {
                tags.DIVERGED_STEP: str(divergence.step),
                tags.DIVERGED_PARAMETER: divergence.parameter or "none",
                tags.SETTLED: "true",
            }
            self.recorder.set_tags(self.number, where)
            self.end(departure.model, "FAILED", str(divergence))

    def end(self, model: MLP, status: Status = "FINISHED", reason: str | None = None) -> None:
        """Evaluate the test part, write the remaining files, and end the run in the records."""
        self.status, self.reason = status, reason
        self._record_start()
        data = self.data
        if status == "FINISHED":
            self.decision = decide(self.config, data, model)
            if self.decision:
                self.task = self.task.decided_at(self.decision.decided)
        logits = self._measure_kept(model) if status == "FINISHED" else {}
        measured = self._measurements(model)
        self.findings = find_findings(measured, self._warn)
        noted = {}
        said = "\n".join(f"- {each}" for each in self.findings)
        began = f"`model.init_from`: {self._copied}" if self._copied else ""
        paragraphs = [self.config.run.note, said, began, data.tested, table_description(data)]
        if any(paragraphs[1:]):
            noted[tags.DESCRIPTION] = "\n\n".join(each for each in paragraphs if each)
        if reason:
            noted[tags.REASON] = reason
        if self.kept_epoch:
            noted[tags.KEPT_EPOCH] = str(self.kept_epoch)
            self.log.add(f"kept the weights of epoch {self.kept_epoch}")
        if self.decision:
            self.log.add(f"threshold {self.decision}")
        if noted:
            self.recorder.set_tags(self.number, noted)
        self.log.add(f"{status} {reason or self.test}")
        self.log.write()
        if self.folder:
            write_network(
                self.folder / "model", model, self.config, data.preprocessing, threshold=self.task.decided
            )
            if status == "FINISHED" and self.config.recipe_version >= KEPT_VALUES:
                write_predictions(self.folder, logits, data, self.task, self._warn)
            self.importances = self._measure_importances(self.folder, model)
            self._draw(self.folder, model, measured, logits)
            if status == "FINISHED":
                self._write_card(self.folder / "model", model)
        self.log.write()
        described = None
        if self.folder and status == "FINISHED":
            described = describe_model(data.dataset, used_plugins(self.config.model))
        self.recorder.end_run(self.number, status, described)
        if described and not self.request.in_sweep:  # of a sweep, only the best model is logged
            self.recorder.log_model(self.number, registered_name=self.config.tracking.register)
        self.ended = True

    def stop(self, reason: str) -> None:
        """End the run as KILLED, whatever it was doing, with what has been recorded so far."""
        if self.folder is None or self.number in self.recorder.running:
            self.status, self.reason = "KILLED", reason
            self._record_start()
            self.recorder.set_tags(self.number, {tags.REASON: reason})
            self.log.add(f"KILLED {reason}")
            self.log.write()
            self.recorder.end_run(self.number, "KILLED")
        self.ended = True

    def _measure_kept(self, model: MLP) -> dict[str, FloatArray]:
        """Evaluate the model that is saved on every part, record the values, and return the logits (n, C)."""
        data, last = self.data, len(self.history["train/loss"])
        self.kept = {f"{KEPT}epoch": float(self.kept_epoch or last)}
        if self.decision:
            self.kept |= {f"{KEPT}{name}": value for name, value in self.decision.values().items()}
        logits = {}
        for name, samples in data.parts().items():
            blocks: list[FloatArray] = []
            with np.errstate(all="ignore"):  # rows may overflow
                found = measure(
                    model,
                    samples,
                    end_metrics(self.config, self.task),
                    nan_is_a_class=nan_is_a_class(self.config),
                    task=self.task,
                    logits_of=blocks,
                    classes=self._classes,
                )
            logits[name] = np.concatenate(blocks, axis=-2)[0]
            self.kept |= {f"{KEPT}{name}/{metric}": float(value) for metric, (value,) in found.items()}
            baselines = self.task.baselines(data.training.labels, samples.labels)
            self.kept |= {f"{KEPT}{name}/{metric}": value for metric, value in baselines.items()}
        also = ("loss", *measured_names(self.config, self.task))
        tested = {name: value for name, value in self.kept.items() if part_of(name) == f"{KEPT}test"}
        self.test = {
            name.removeprefix(KEPT): value
            for name, value in tested.items()
            if name_of_entry(name.removeprefix(f"{KEPT}test/")) in also
        }
        self._record(last, self.test)
        # Of no epoch: what has a value at step 0 alone MLflow draws as a bar with its number, not as a dot.
        self._record(0, self.kept if self.config.recipe_version >= KEPT_VALUES else {})
        return logits

    def _measure_importances(self, folder: Path, model: MLP) -> Importances | None:
        """Measure and write what each column does, if the run is to have all pictures; else return None."""
        data, recipe = self.data, self.config.recipe_version
        wanted = self.status == "FINISHED" and self.request.all_pictures and recipe >= KEPT_VALUES
        if not wanted or data.dataset.image_shape:
            return None
        columns = data.preprocessing.columns()
        if reason := why_not_measured(model, len(columns)):
            self._warn(f"{IMPORTANCES}: left out, because {reason}")
            return None
        with left_out(IMPORTANCES, self._warn):
            found = measure_importances(
                model,
                (data.validation or data.training).learned(self._classes),
                columns,
                task=self.task,
                seed=self.config.seed,
                part="val" if data.validation else "train",
            )
            write_importances(folder, found)
            return found
        return None

    def _draw(
        self,
        folder: Path,
        model: MLP,
        measured: Measurements,
        logits: Mapping[str, FloatArray],
    ) -> None:
        """Draw the light pictures of the run, and the others if it is to have them."""
        data, kept = self.data, measured.of_kept_model
        contents = RunContents(
            title=self.request.name,
            measurements=measured,
            model=model,
            trajectory=self.trajectory,
            dataset=data.dataset,
            preprocessing=data.preprocessing,
            training=data.training,
            validation=data.validation,
            test=data.test,
            learned=data.training.learned(self._classes),
            confusion=kept.confusion.get("test") if kept else None,
            batch=self._first_batch(),
            batch_size=rows_of_batch(self.config.training, len(data.training)),
            task=self.task,
            logits=logits,
            rows=data.rows,
            importances=self.importances,
        )
        wanted = self.config.drawing.format
        write_pictures(folder, contents, light=True, say=self._warn, wanted=wanted)
        if self.request.all_pictures:
            with working("drawing pictures"):
                write_pictures(folder, contents, light=False, say=self._warn, wanted=wanted)

    def _write_card(self, folder: Path, model: MLP) -> None:
        """Write what a person wants to know of the model beside it."""
        with left_out(CARD, self._warn, "written"):
            contents = CardContents(
                name=self.request.name,
                config=self.config,
                data=self.data,
                model=model,
                task=self.task,
                kept=self.kept,
                kept_epoch=int(self.kept[f"{KEPT}epoch"]),
                epochs=len(self.history["train/loss"]),
                findings=self.findings,
                importances=self.importances,
            )
            write_model_card(folder, contents)

    def last_metrics(self) -> dict[str, float]:
        """Return the last value of each metric; empty if the run ended before its first epoch did."""
        return last_values(self.history) | self.test | self.kept

    def _measurements(self, model: MLP) -> Measurements:
        labels, training = self.data.training.labels, self.config.training
        classes = len(self.task.class_names)
        data = self.data
        parts = {"training": data.training, "validation": data.validation, "test": data.test}
        learned = {name: part and part.learned(self._classes) for name, part in parts.items()}
        stopping = training.settings_of(EarlyStoppingSettings)
        batch_size, scaling = rows_of_batch(training, len(labels)), data.preprocessing.target_scaling
        an_epoch = steps_per_epoch(len(labels), batch_size, training.drop_last, least_rows(self.config))
        return Measurements(
            by_plain_name(self.history),
            self.initial_loss,
            classes=classes,
            task=self.task.name,
            majority=float(np.bincount(labels).max() / len(labels)) if classes else float("nan"),
            activation=self.config.model.activation,
            early_stopping=bool(stopping.enabled),
            stopping_metric=stopping.metric,
            rows_of_no_class=self._rows_of_no_class(model) if self.status != "FAILED" else {},
            test=self.test,
            config=flatten(to_container(self.config)),
            class_counts={
                name: np.bincount(part.labels, minlength=classes)
                for name, part in parts.items()
                if part and classes
            },
            rows={name: len(part) for name, part in parts.items() if part},
            features=self.data.training.features.shape[1],
            parameters=model.layout.size,
            target_names=() if classes else self.task.part_names,
            target_scales=tuple(scaling.scales.tolist()) if scaling else (),
            loss_of_mean=float("nan") if classes else self._loss_of_mean(),
            columns=() if data.dataset.image_shape else tuple(data.preprocessing.columns()),
            diverged_at=self._diverged_at,
            telling_columns=data.dataset.summary.telling if data.dataset.summary else (),
            normalization=model.normalization.label if model.normalization else "",
            logits_normalized=model.output_batch_norm,
            class_names=data.dataset.class_names,
            batch_size=batch_size,
            steps=an_epoch * len(self.history.get("train/loss", ())),
            shared_rows=data.shared_rows,
            kept=self.kept,
            of_kept_model=look_at_kept_model(model, learned, batch_size, self.task)
            if self.status == "FINISHED"
            else None,
            saturated_at_start=self._saturated_at_start,
            loss_is_plain=self._classes is None and data.training.weights is None,
        )

    def _loss_of_mean(self) -> float:
        """Return the training part's loss if its mean, scaled 0, is predicted for each row."""
        training = self.data.training
        targets = training.targets.astype(np.float64)
        losses = self.task.loss.value(np.zeros_like(targets), targets)
        return float(np.mean(losses if training.weights is None else losses * training.weights))

    def _rows_of_no_class(self, model: MLP) -> dict[str, tuple[int, int]]:
        """Count the rows of no class, see ``Measurements``, in the parts whose loss is not finite."""
        losses = self.last_metrics()
        parts = {
            "validation": ("val/loss", self.data.validation),
            "test": ("test/loss", self.data.test),
        }
        found = {}
        for name, (metric, samples) in parts.items():
            if samples and not np.isfinite(losses.get(metric, 0.0)):
                with np.errstate(all="ignore"):
                    lost = rows_without_answer(model, samples, self.task)
                if lost:
                    found[name] = (lost, len(samples))
        return found

    def _record_start(self) -> None:
        """Record what was measured before training, once the first epoch is recorded.

        MLflow's comparison of runs opens with the metric that was recorded first, which is then a loss.
        """
        values, self._at_start = self._at_start, {}
        self._record(0, values)

    def _record(self, step: int, values: Mapping[str, float]) -> None:
        """Record the values that the store does not have yet, and note any that differs from the store's."""
        missing, history = dict(values), self.resumption.stored.history if self.resumption else {}
        for metric, value in values.items():
            stored = history.get(metric, {}).get(step)
            if stored is not None:
                del missing[metric]
                if not same_value(stored, value):
                    self._note_difference(f"{metric} at step {step} is {value!r}, and was {stored!r}")
        if missing:
            self.recorder.log_metrics(self.number, step, missing)

    def _record_steps(self, steps: NDArray[np.int64], values: Mapping[str, NDArray[np.float64]]) -> None:
        """Record the values (K,) of steps (K,) of a resumed run that the store does not have yet."""
        assert self.resumption
        stored = [self.resumption.stored.history.get(name, {}) for name in values]
        known = np.array([any(step in each for each in stored) for step in steps.tolist()], np.bool_)
        for place in np.flatnonzero(known).tolist():
            self._record(int(steps[place]), {name: float(each[place]) for name, each in values.items()})
        new = {name: each[~known, np.newaxis] for name, each in values.items()}
        log_steps(self.recorder, [self.number], steps[~known], new)

    def _note_difference(self, what: str) -> None:
        if self.differs:
            return
        self.differs = True
        self.recorder.set_tags(self.number, {tags.RESUMED_DIFFERS: what})
        self._warn(f"numbers come out differently from before it was stopped: {what}")

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.log.add(f"warning: {text}")

    def _first_batch(self) -> Samples:
        """Return the rows to check gradients and to draw the network with: a batch, or part of a huge one."""
        rows = self.data.training
        batch_size = rows_of_batch(self.config.training, len(rows))
        # In float32, smoothed targets would not sum to 1, which the comparison of gradients sees.
        return rows.learned(self._classes, np.float64).first(min(batch_size, _ROWS_LOOKED_AT))


def own_words(given: Mapping[str, str] | None, note: str | None, name: str | None = None) -> dict[str, str]:
    """Return a user's tags and note for a run or a sweep, as tags; ``name`` renames a recorded one."""
    words = dict(given or {})
    if note:
        words |= {tags.NOTE: note, tags.DESCRIPTION: note}
    return {**words, tags.RUN_NAME: name} if name else words


def _params_of_task(config: TrainConfig, data: PreparedData) -> dict[str, str]:
    """Return params that say what is learned: the task that was found and, of others than classes, how."""
    task = task_to_learn(config, data)
    if task.class_names:
        return {"task": task.name}
    metrics = measured_names(config, task)
    return {"task": task.name, "loss.name": task.loss.name, "training.metrics": json.dumps(metrics)}


def last_values(history: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the last value of each metric."""
    return {metric: values[-1] for metric, values in history.items()}


def _init_tags(model: ModelConfig) -> dict[str, str]:
    """Return which weights a run begins with, if they are another's."""
    found = {tags.INIT_FROM: model.init_from, tags.INIT_DIGEST: model.init_digest}
    return {name: value for name, value in found.items() if value is not None}


def _dataset_input(config: DataSet, data: PreparedData) -> DatasetInput:
    """Return the description of the data set that MLflow shows."""
    dataset = data.dataset
    schema = {"features": list(dataset.feature_names)}
    if dataset.class_names or not dataset.target_names:
        schema["classes"] = list(dataset.class_names)
    if dataset.target_names:
        schema["targets"] = list(dataset.target_names)
    parts = {"training": data.training, "validation": data.validation, "test": data.test}
    profile = {f"{name}_rows": len(samples) if samples else 0 for name, samples in parts.items()}
    return DatasetInput(
        name=dataset.name,
        digest=dataset.digest,
        source=json.dumps(asdict(config)),
        schema=json.dumps(schema, ensure_ascii=False),
        profile=json.dumps(profile),
    )
