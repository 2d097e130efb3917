"""Build what trains from a config: the data's parts, the network, its optimizer, the training plan."""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from micrograde.config.schema import (
    ModelConfig,
    TrainConfig,
    TrainingConfig,
)
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import hyperparameters_of, program_of
from micrograde.core.plugins import plugin_of
from micrograde.core.recipe_versions import (
    RECIPE_VERSION,
    ROWS_OF_NO_CLASS,
    SMALL_BATCHES_JOIN,
    WHOLE_BATCHES_MEASURED,
)
from micrograde.data import DataSet, Dataset, Part, Preprocessing, load, split_dataset
from micrograde.data.memory import physical_memory
from micrograde.data.messages import listed, shortened
from micrograde.data.row_weights import scaled_weights
from micrograde.data.shared_rows import shared_rows, shared_rows_line
from micrograde.metrics import METRICS, Metric
from micrograde.metrics.measuring import metrics_of_task
from micrograde.nn import MLP
from micrograde.nn.arrays import ROWS_AT_A_TIME, FloatArray, IntArray
from micrograde.tasks import TASKS, Output, Task, task_of
from micrograde.tasks.classification import CLASSES_WITHOUT_NAMES, Classification
from micrograde.training import (
    Callback,
    CallbackSettings,
    Freezing,
    GradientNorms,
    LearnedClasses,
    Optimizer,
    Samples,
    SampleSets,
    StackOptimizer,
    TrainingPlan,
    balanced_weights,
    batch_sizes,
    frozen_stretches,
    layers_that_learn,
    learning_rate_factors,
    noisy_labels,
    replicas_per_stack,
    start_callbacks,
    steps_per_epoch,
)

_MEMORY = 2**30  # bytes that all stacks in training may take together


@dataclass(frozen=True)
class PreparedData:
    """A data set that is split, preprocessed and ready for a network; a part that does not exist is None.

    ``notes`` are those of the data set and of its split, a line each, and ``rows`` the numbers, from 1, that
    the rows of each part (n,) have in the source. ``shared_rows`` are only counted in tables.
    ``output`` is what ``model.output`` says of the network, which the targets are for. ``tested`` says which
    rows a fold holds out; empty without folds.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    training: Samples
    validation: Samples | None
    test: Samples | None
    notes: tuple[str, ...] = ()
    shared_rows: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, IntArray] = field(default_factory=dict)
    output: Output = "softmax"
    tested: str = ""

    def parts(self) -> dict[str, Samples]:
        """Return the parts that there are by their names in the records: ``train``, ``val``, ``test``."""
        parts = {"train": self.training, "val": self.validation, "test": self.test}
        return {name: samples for name, samples in parts.items() if samples is not None}

    @property
    def task(self) -> Task:
        """What is to be learned of the rows, with its usual loss."""
        return task_of(self.preprocessing, output=self.output)


def task_to_learn(config: TrainConfig, data: PreparedData) -> Task:
    """Return what a run learns of its data, with the loss of its recipe.

    Raises
    ------
    InputError
        If the loss is not for this task.
    """
    return task_of(data.preprocessing, config.loss, config.model.output)


def prepare_data(
    config: DataSet,
    dtype: str,
    *,
    version: int = RECIPE_VERSION,
    task: str | None = None,
    output: Output = "softmax",
) -> PreparedData:
    """Load, split and preprocess a data set for networks of ``dtype``.

    Parameters
    ----------
    version
        The version of the recipe; see ``load``.
    task
        What is to be learned, by its name; None if the data decide.
    output
        What ``model.output`` says of these networks.

    Raises
    ------
    InputError
        If anything is wrong with the data, or the output is not for them.
    """
    return prepare_dataset(load(config, version=version, task=task), config, dtype, output)


def prepare_dataset(
    dataset: Dataset, config: DataSet, dtype: str, output: Output = "softmax"
) -> PreparedData:
    """Split and preprocess a data set that is already loaded; see ``prepare_data``."""
    split = split_dataset(
        dataset,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        stratify=config.stratify,
        seed=config.seed,
        fold=config.held_out,
    )
    preprocessing = Preprocessing.fit(dataset, split.train, standardize=config.standardize)
    task = task_of(preprocessing, output=output)

    def samples(part: Part | None) -> Samples | None:
        if part is None:
            return None
        with np.errstate(over="ignore"):  # a row too large for the dtype gets no class, which the run reports
            features = preprocessing.inputs(part, dtype)
        weights = None if dataset.weights is None else scaled_weights(dataset.weights[part.rows])
        return Samples(features, task.targets(part.labels, dtype), part.labels, weights)

    training = samples(split.train)
    assert training is not None
    shared = shared_rows(split) if dataset.summary else {}  # of other sources it is known
    line = shared_rows_line(split, shared, truths=task.learns == "truths")
    return PreparedData(
        dataset,
        preprocessing,
        training,
        samples(split.validation),
        samples(split.test),
        notes=(*dataset.notes, *split.notes, *([line] if line else [])),
        rows={
            name: dataset.row_numbers(part.rows)
            for name, part in (("train", split.train), ("val", split.validation), ("test", split.test))
            if part
        },
        shared_rows=shared,
        output=output,
        tested=split.tested,
    )


def check_batches(config: TrainConfig, rows: int) -> None:
    """Raise ``InputError`` if the config's batches cannot be cut from this many training rows."""
    batch_size = config.training.batch_size or rows
    if batch_size > rows and batch_size != TrainingConfig.batch_size:
        raise InputError(
            f"training.batch_size={batch_size}: the training part has {_rows(rows)}; "
            f"at most that many, or null for all of them"
        )
    batch_size = rows_of_batch(config.training, rows)
    norm, least = config.model.normalizer, least_rows(config)
    if norm and rows < norm.least_rows:
        raise InputError(
            f"data.name={config.data.name}: the training part has {_rows(rows)}, which {norm.label} "
            "cannot normalize; lower data.validation_fraction or data.test_fraction, or set "
            "model.batch_norm=false"
        )
    sizes = batch_sizes(rows, batch_size, drop_last=config.training.drop_last, least_rows=least)
    smallest = min(sizes)
    if norm and smallest < norm.least_rows:
        few, enough = _rows(smallest), norm.least_rows
        way_out = f"{enough} or more" if batch_size < enough else "another size, or training.drop_last=true"
        raise InputError(
            f"training.batch_size={batch_size}: leaves a batch of {few} of the training part's {rows}, "
            f"which {norm.label} cannot normalize; choose {way_out}, or model.batch_norm=false"
        )


def rows_of_batch(training: TrainingConfig, rows: int) -> int:
    """Return the size of batches: of fewer training rows than that, all are one batch, as without a size."""
    return min(training.batch_size or rows, rows)


def one_batch_line(training: TrainingConfig, rows: int) -> str:
    """Return what is said where a batch usually has more rows than there are; empty where it has not."""
    if training.batch_size is None or training.batch_size <= rows:
        return ""
    return f"training.batch_size={training.batch_size}: the training part has {_rows(rows)}, all in one batch"


def _rows(count: int) -> str:
    return "one row" if count == 1 else f"{count} rows"


def check_layers(config: TrainConfig) -> None:
    """Raise ``InputError`` if ``training.freeze`` names a layer that the network has not, or all it has."""
    frozen, model = config.training.freeze, config.model
    if not frozen:
        return
    like = MLP(  # whose sizes make no difference to the names
        1,
        [1] * len(model.hidden_size),
        1,
        batch_norm=False,
        normalization=model.normalizer,
        output_batch_norm=model.output_batch_norm,
        generators=np.random.default_rng(0),
    )
    names = layers_that_learn(like)
    typed, listed = f"training.freeze=[{','.join(map(shortened, frozen))}]", ", ".join(names)
    if unknown := [name for name in frozen if name not in names]:
        raise InputError(
            f"{shortened(typed, 200)}: there is no layer {shortened(unknown[0])} with parameters; "
            f"there are {listed}"
        )
    if len(frozen) == len(names):
        raise InputError(f"{shortened(typed, 200)}: freezes all layers; leave out one that is to learn")


def least_rows(config: TrainConfig) -> int:
    """Return the rows that a batch needs: an epoch's last one joins the one before if it has fewer.

    That is so since recipe version 3; in earlier ones it is refused.
    """
    norm = config.model.normalizer
    return norm.least_rows if norm and config.recipe_version >= SMALL_BATCHES_JOIN else 1


def build_model(
    configs: Sequence[ModelConfig],
    data: PreparedData,
    dtype: str,
    generators: Sequence[np.random.Generator],
    task: Task | None = None,
) -> MLP:
    """Build the networks of a stack, one for each config; the configs differ only in the initial scale.

    ``task`` is what they learn, with its loss; None for what the data are for.
    """
    first, task = configs[0], task or data.task
    return MLP(
        data.training.features.shape[1],
        first.hidden_size,
        task.output_size,
        activation=first.activation,
        batch_norm=False,
        normalization=first.normalizer,
        output_batch_norm=first.output_batch_norm,
        initializer=first.initializer,
        initial_scale=np.array([config.initial_scale for config in configs]),
        generators=generators,
        dtype=dtype,
        loss=task.loss,
    )


def build_optimizer(entries: Sequence[Optimizer], model: MLP, freeze: Sequence[str] = ()) -> StackOptimizer:
    """Build the optimizer of a stack; the entries are of one program, one for each replica.

    The layers ``freeze`` keep their parameters.
    """
    return StackOptimizer(entries, model.parameters, model.gradients, frozen_stretches(model, freeze))


def build_plan(configs: Sequence[TrainConfig], rows: int, task: Task = CLASSES_WITHOUT_NAMES) -> TrainingPlan:
    """Build the training plan of a stack; the configs share epochs and batches."""
    training = configs[0].training
    batch_size = rows_of_batch(training, rows)
    least = least_rows(configs[0])
    steps = steps_per_epoch(rows, batch_size, training.drop_last, least)

    def learning_rates(of_steps: IntArray) -> FloatArray:
        columns = [
            config.optimizer.learning_rate
            * learning_rate_factors(
                config.schedule,
                of_steps,
                num_epochs=training.num_epochs,
                steps_per_epoch=steps,
            )
            for config in configs
        ]
        return np.stack(columns, axis=-1)

    return TrainingPlan(
        num_epochs=training.num_epochs,
        batch_size=batch_size,
        learning_rates=learning_rates,
        drop_last=training.drop_last,
        least_rows=least,
        nan_is_a_class=nan_is_a_class(configs[0]),
        metrics=metrics_of(configs[0], task),
        keep=training.keep,
        task=task,
        measures_whole_batches=configs[0].recipe_version >= WHOLE_BATCHES_MEASURED,
        log_every=training.log_every,
    )


def build_callbacks(
    configs: Sequence[TrainConfig], model: MLP, plan: TrainingPlan, followers: Sequence[Callback] = ()
) -> list[Callback]:
    """Return the callbacks of a stack: gradient norms, ``followers``, and those that the configs turn on."""
    settings = [config.training.callbacks for config in configs]
    frozen = frozen_stretches(model, configs[0].training.freeze)
    freezing = [Freezing(frozen)] if frozen else []
    return [GradientNorms(), *followers, *freezing, *start_callbacks(settings, model, plan)]


def metrics_of(config: TrainConfig, task: Task) -> tuple[Metric, ...]:
    """Return what is measured in each epoch of a run besides the loss."""
    return tuple(METRICS[name](name=name) for name in measured_names(config, task))


def measured_names(config: TrainConfig, task: Task) -> tuple[str, ...]:
    """Return the names of what is measured in each epoch of a run besides the loss, the task's own first.

    Accuracy, which a recipe names unless it names a metric of another task, is left out where there are no
    classes; so is what a callback watches that is not of this task, of which ``check_watched`` tells.

    Raises
    ------
    InputError
        If ``training.metrics`` names another metric that is not of this task.
    """
    for name in config.training.metrics:
        if name not in Classification.metrics and METRICS[name].task != task.name:
            known = [each for each, entry in METRICS.items() if entry.task == task.name]
            raise InputError(
                f"training.metrics={name}: is no metric of {task.name}; there are {', '.join(known)}"
            )
    names = dict.fromkeys((*task.metrics, *config.training.measured))
    return tuple(name for name in names if METRICS[name].task == task.name)


def end_metrics(config: TrainConfig, task: Task) -> tuple[Metric, ...]:
    """Return what is measured of the model that a run keeps: all metrics but those of plug-ins not named."""
    named = metrics_of(config, task)
    others = metrics_of_task(task.name, len(task.part_names))
    return (*named, *(each for each in others if each not in named and not plugin_of(type(each))))


def nan_is_a_class(config: TrainConfig) -> bool:
    """Return whether a recipe's version gives a class to rows whose numbers overflow; see ``evaluate``."""
    return config.recipe_version < ROWS_OF_NO_CLASS


def stack_key(config: TrainConfig) -> Hashable:
    """Return a key that is equal for runs that can train in one stack.

    It holds what determines the shapes of a run's arrays and the operations of a training step. Left out are
    the numbers that can differ between replicas: those that the schema, the optimizer and callbacks mark so,
    the seed, and the schedule, which only changes the learning rate. Whether momentum and weight decay are
    zero, and whether there is clipping, is part of the key, because the step then lacks the operation. Of the
    data there is the name alone: what they come to, once they are prepared, ``data_key`` says.
    """
    parts = (type(config.data), _program(config.model), _program(config.training))
    loss = (config.task, config.loss and program_of(config.loss))
    return (config.recipe_version, *parts, program_of(config.optimizer), *loss)


def data_key(data: PreparedData) -> Hashable:
    """Return a key that is equal for data of which runs of one ``stack_key`` can train in one stack.

    Their training and validation parts have the same numbers of rows and of columns, and what is learned of
    them has the same names; the rows, how they are preprocessed and the test parts may differ. A task of a
    plug-in may take more of its data than is known here, and keeps to one data set.
    """
    dataset = data.dataset
    names = (dataset.task, dataset.class_names, dataset.target_names, data.output)
    alone = id(data) if plugin_of(TASKS[dataset.task]) else None
    return (_shapes(data.training), _shapes(data.validation), names, alone)


def _shapes(part: Samples | None) -> Hashable:
    if part is None:
        return None
    arrays = (part.features, part.targets, part.labels, part.weights)
    return tuple(None if each is None else (each.shape, each.dtype.str) for each in arrays)


def _program(part: Any) -> tuple[object, ...]:
    """Return what a part of a config contributes to the key: all that is not marked to vary."""
    kind: type = type(part)
    marked = hyperparameters_of(kind)
    values = [getattr(part, field.name) for field in dataclasses.fields(part) if field.name not in marked]
    of_each = (each.program() if isinstance(each, CallbackSettings) else each for each in values)
    return (*of_each, program_of(part))


class RandomStreams(NamedTuple):
    """A replica's own streams of random numbers, each for one purpose."""

    weights: np.random.Generator
    shuffling: np.random.Generator
    label_noise: np.random.Generator

    @classmethod
    def spawn(cls, seed: int) -> Self:
        """Create the streams of a seed, independent of each other."""
        return cls(*map(np.random.default_rng, np.random.SeedSequence(seed).spawn(3)))


def labels_to_learn(
    configs: Sequence[TrainConfig],
    task: Task,
    training: Samples | SampleSets,
    generators: Sequence[np.random.Generator],
) -> tuple[IntArray, FloatArray] | None:
    """Return what each run learns of its training rows with its label noise; None if no run has any.

    That are numbers (R, N), and the targets (M, C) that they stand for: of classes a one-hot row for each
    class, of numbers the targets of each row, of which noise takes another row's of the same data.
    """
    rates = np.array([config.training.label_noise for config in configs])
    if not rates.any():
        return None
    classes, rows = len(task.class_names), len(training)
    every = training.every if isinstance(training, SampleSets) else training
    if classes:
        targets = task.targets(np.arange(classes), every.targets.dtype)
        return noisy_labels(training.labels, classes, rates, generators), targets
    numbers = noisy_labels(np.arange(rows), rows, rates, generators)
    return (numbers + training.offsets if isinstance(training, SampleSets) else numbers), every.targets


def learned_classes(configs: Sequence[TrainConfig], data_of: Sequence[PreparedData]) -> LearnedClasses | None:
    """Return what the runs of a stack learn of classes, each of its data; None if it is them as they are.

    Raises
    ------
    InputError
        If the data have no classes, or none of this name, or no row of the training part counts.
    """
    first, data = configs[0].training, data_of[0]
    names, task = data.dataset.class_names, task_to_learn(configs[0], data)
    smoothing = [config.training.label_smoothing for config in configs]
    if not names and (first.class_weights or any(smoothing)):
        key = "class_weights" if first.class_weights else "label_smoothing"
        raise InputError(f"training.{key}: the data have no classes; leave it out")
    weights = None
    if first.class_weights:
        different = {id(each): _class_weights(first.class_weights, each) for each in data_of}
        weights = np.stack([different[id(each)] for each in data_of])
    if weights is None and not any(smoothing):
        return None
    plain = task.targets(np.arange(len(names)), np.float64)
    return LearnedClasses.of(plain, weights, smoothing)


def _class_weights(wanted: str | Sequence[tuple[str, float]], data: PreparedData) -> FloatArray:
    """Return what rows of each class (C,) count: as said, or as often as the training part has them."""
    names = data.dataset.class_names
    if isinstance(wanted, str):  # balanced
        return balanced_weights(data.training.labels, len(names), data.training.weights)
    given = dict(wanted)
    if unknown := [name for name in given if name not in names]:
        raise InputError(
            f"training.class_weights: there is no class {listed(unknown)}; the classes are {listed(names)}"
        )
    weights = np.array([given.get(name, 1.0) for name in names])
    if not weights[data.training.labels].any():
        raise InputError("training.class_weights: every row of the training part counts 0")
    return weights


def stack_size(config: TrainConfig, data: PreparedData, count: int, workers: int, sets: int = 1) -> int:
    """Return how many of ``count`` runs like this one, of so many data sets, should make a stack.

    All stacks that train at the same time fit into memory, and no worker is left idle without need.

    Raises
    ------
    InputError
        If not even one run fits into memory.
    """
    needed, there_is = replica_bytes(config, data), physical_memory()
    if needed > there_is:
        raise InputError(
            f"model.hidden_size={shortened(list(config.model.hidden_size))}: training it takes about "
            f"{needed / 2**30:.1f} GiB, and this machine has {there_is / 2**30:.1f}; "
            "choose smaller sizes or a smaller training.batch_size"
        )
    numbers = rows_of_batch(config.training, len(data.training)) * max(_layer_sizes(config, data)[1:])
    memory = _MEMORY // workers
    fitting = memory // needed
    if sets > 1:  # a stack of several copies the rows of each, at most one set for each replica
        copy = copied_bytes(data)
        fitting = max((memory - sets * copy) // needed, memory // (needed + copy))
    return max(1, min(replicas_per_stack(count, workers, numbers), fitting))


def copied_bytes(data: PreparedData) -> int:
    """Return what one data set takes in a stack of several, with its rows that are evaluated at a time."""
    parts = [part for part in (data.training, data.validation) if part is not None]
    arrays = [each for part in parts for each in (part.features, part.targets, part.labels, part.weights)]
    evaluated = min(ROWS_AT_A_TIME, max(map(len, parts)))
    return (
        sum(each.nbytes for each in arrays if each is not None)
        + evaluated * data.training.features[:1].nbytes
    )


def replica_bytes(config: TrainConfig, data: PreparedData) -> int:
    """Estimate the memory that one replica takes in training, in bytes."""
    rows, sizes = len(data.training), _layer_sizes(config, data)
    parameters = sum((a + 3) * b for a, b in pairwise(sizes))
    batch = rows_of_batch(config.training, rows)
    evaluated = min(ROWS_AT_A_TIME, rows)
    # Parameters, gradients, optimizer state and scratch; best weights; each layer's workspaces for a batch;
    # the widest layers for the rows that are evaluated at a time.
    numbers = 8 * parameters + 8 * batch * sum(sizes) + 4 * evaluated * max(sizes[1:])
    # What is logged of steps is kept until the end, in float64.
    logged = logged_steps(config, rows) * (1 + len(config.training.measured))
    return int(numbers * np.dtype(config.training.dtype).itemsize) + 8 * logged


def logged_steps(config: TrainConfig, rows: int) -> int:
    """Return how many steps a run logs at most, besides its epochs."""
    training = config.training
    if training.log_every is None:
        return 0
    return training.num_epochs * steps_of_epoch(config, rows) // training.log_every


def steps_of_epoch(config: TrainConfig, rows: int) -> int:
    """Return how many steps an epoch of so many training rows has."""
    training = config.training
    return steps_per_epoch(rows, rows_of_batch(training, rows), training.drop_last, least_rows(config))


def _layer_sizes(config: TrainConfig, data: PreparedData) -> tuple[int, ...]:
    """Return the sizes (D, H, ..., C)."""
    training = data.training
    return (training.features.shape[1], *config.model.hidden_size, training.targets.shape[1])
