"""The typed schema of a run's recipe: frozen dataclasses whose field names are the keys that users type.

pydantic checks types and ranges when one is created. ``parsing.py`` creates them from the containers that
Hydra composes, with one line for each mistake.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, StrictBool
from pydantic.dataclasses import dataclass

from micrograde.config.adapters import adapter_of
from micrograde.config.callback_keys import leave_out_unused, with_callbacks
from micrograde.config.choices import ChosenFrom, NameOf
from micrograde.config.recipe_versions import VERSION_KEY, without_legacy
from micrograde.config.types import (
    MOST_LAYERS,
    SCHEMA,
    Costs,
    ExperimentName,
    LayerNames,
    MetricNames,
    Note,
    PluginVersion,
    RecipeVersion,
    RunId,
    RunName,
    Tags,
    Threshold,
    WeightsDigest,
    as_tuple,
)
from micrograde.config.used_plugins import used_plugins
from micrograde.core.hyperparameters import (
    PER_REPLICA,
    PER_REPLICA_ZERO_APART,
    PROGRAM,
    ClassWeights,
    Fraction,
    MappingOfNames,
    PositiveFloat,
    PositiveInt,
    Seed,
    ShareOrAll,
    marks_of,
)
from micrograde.core.json_files import canonical_digest
from micrograde.core.picture_formats import PictureFormat
from micrograde.core.recipe_versions import RECIPE_VERSION, Later
from micrograde.core.redaction import without_password
from micrograde.data import DATA_SETS, DataSet
from micrograde.metrics import METRICS, name_of_entry
from micrograde.metrics.accuracy import Accuracy
from micrograde.metrics.thresholds import EVEN
from micrograde.nn import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    NORMALIZATIONS,
    Activation,
    Initializer,
    Loss,
    Normalization,
)
from micrograde.nn.activations.tanh import Tanh
from micrograde.nn.initializers.xavier import Xavier
from micrograde.nn.normalizations.batch_norm import BatchNorm
from micrograde.store import BACKENDS, Tracking
from micrograde.tasks import TASKS, Output
from micrograde.tasks.classification import Classification
from micrograde.training import CALLBACKS, OPTIMIZERS, SCHEDULES, CallbackSettings, Optimizer, Schedule
from micrograde.training.callbacks.early_stopping import EarlyStoppingSettings

# --- model, training, tracking; optimizers and schedules are in training/ -----------------------


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class ModelConfig:
    """The network between the data's features and what is learned of them.

    Parameters
    ----------
    hidden_size
        Units of the hidden layer, or a list with those of each: ``[64,32]``; ``[]`` for none.
    activation
        The function that follows each hidden layer: a name, or ``{name: NAME, KEY: VALUE}``.
    batch_norm
        Whether batch norm follows each hidden layer's linear map, before the activation.
    normalization
        Another normalization in place of batch norm; null for what ``batch_norm`` says.
    output_batch_norm
        Whether the last linear layer is normalized, too, as in the notebook.
    initializer
        The distribution of the initial weights.
    initial_scale
        Factor on the initial weights.
    output
        How logits become probabilities: softmax of a logit for each class; of two classes also sigmoid of a
        single logit, that of the second class.
    init_from
        The run whose kept weights the network begins with, layer by layer where the shapes are the same: its
        id or the beginning of it, a sweep's id for the run in the middle of its best setting, or latest; null
        for weights of its own.
    init_digest
        The SHA-256 of the weights of ``init_from``; written by the program.
    """

    hidden_size: Annotated[
        Annotated[tuple[PositiveInt, ...], Field(max_length=MOST_LAYERS)], BeforeValidator(as_tuple)
    ] = (32,)
    activation: Annotated[Activation, ChosenFrom(ACTIVATIONS, by_name=True)] = Tanh()
    batch_norm: StrictBool = True
    normalization: Annotated[
        Annotated[Normalization, ChosenFrom(NORMALIZATIONS, by_name=True)] | None, Later(since=2, legacy=None)
    ] = None
    output_batch_norm: Annotated[StrictBool, Later(since=3, legacy=True)] = False
    initializer: Annotated[Initializer, ChosenFrom(INITIALIZERS, by_name=True)] = Xavier()
    initial_scale: Annotated[PositiveFloat, PER_REPLICA] = 1.0
    output: Annotated[Output, Later(since=3, legacy="softmax")] = "softmax"
    init_from: Annotated[RunId | None, Later(since=3, legacy=None)] = None
    init_digest: Annotated[WeightsDigest | None, Later(since=3, legacy=None)] = None

    def __post_init__(self) -> None:
        """Write batch norm, with its defaults, in one way alone: as ``batch_norm``."""
        if self.normalization is not None:
            is_batch_norm = self.normalization == BatchNorm()
            object.__setattr__(self, "batch_norm", is_batch_norm)
            if is_batch_norm:
                object.__setattr__(self, "normalization", None)

    @property
    def normalizer(self) -> Normalization | None:
        """The normalization that follows linear layers; None if none is normalized."""
        if not self.hidden_size and not self.output_batch_norm:
            return None
        return self.normalization or (BatchNorm() if self.batch_norm else None)


EarlyStoppingConfig = EarlyStoppingSettings  # its name in version 0.1

SettingsT = TypeVar("SettingsT", bound=CallbackSettings)


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
@with_callbacks(before="diagnostics")
class TrainingConfig:
    """The number of epochs, the batches and so on.

    ``diagnostics``, ``checkpoint_seconds`` and ``resume`` change no numbers and are not part of the recipe's
    digest.

    Parameters
    ----------
    num_epochs
        Passes over the training part, at most.
    batch_size
        Rows per step; null for the whole training part at once.
    drop_last
        Whether an epoch's last batch is left out if it is smaller than the others. If not, and if it has too
        few rows for the normalization, such as one for batch norm, it joins the one before.
    dtype
        The floating-point type of the network's arrays.
    label_noise
        Probability that a training label is replaced by another class, of numbers by another row's.
    label_smoothing
        Share of each target that all classes have together, evenly: the rest is that of the row's class.
    class_weights
        What rows count in the loss by their class: ``balanced`` for the inverse of how often a class is in
        the training part, or weights such as ``'{rare: 3}'``, other classes counting 1; null for 1.
    metrics
        What is measured in each epoch besides the loss, a list such as ``[accuracy,error_rate]``; accuracy,
        of numbers rmse, always is, and what early stopping watches.
    freeze
        Layers that do not learn, such as ``[layer1,batchnorm1]``: their parameters stay as they begin. The
        running statistics of a frozen batch norm go on following the batches.
    keep
        Which weights are kept: those of the best epoch by ``early_stopping.metric``, or the last ones; null
        for best where training stops early, and else last.
    threshold
        Of two classes, the probability of the second above which the model that is kept takes a row for it:
        a number, or ``f1`` or ``cost`` for the one with the greatest F1 or the least cost of errors on the
        validation part. Of several labels each has its own, above which a row is said to have it.
    error_costs
        For ``training.threshold=cost``: what it costs to miss a row of each class, as in
        ``'{yes: 5, no: 1}'``; of several labels, what it costs to miss them where saying one wrongly costs 1.
    log_every
        Every so many steps of the optimizer the loss and ``metrics`` of its batch are logged, as
        ``step/train/loss`` and so on, besides the epochs; null for the epochs alone.
    diagnostics
        Whether each layer's activations, gradients and updates are measured after each epoch.
    checkpoint_seconds
        Seconds between two checkpoints; null for one at the end only.
    resume
        The run to go on with: its id or the beginning of it, latest, or auto for the last run of this
        recipe; null for a new run.
    """

    num_epochs: PositiveInt = 50
    batch_size: PositiveInt | None = 32
    drop_last: StrictBool = False
    dtype: Literal["float32", "float64"] = "float32"
    label_noise: Annotated[ShareOrAll, PER_REPLICA] = 0.0
    label_smoothing: Annotated[Fraction, PER_REPLICA_ZERO_APART, Later(since=3, legacy=0.0)] = 0.0
    class_weights: Annotated[ClassWeights, PROGRAM, Later(since=3, legacy=None)] = None
    metrics: Annotated[MetricNames, Later(since=2, legacy=[Accuracy.name])] = Classification.metrics
    freeze: Annotated[LayerNames, Later(since=3, legacy=[])] = ()
    keep: Annotated[Literal["best", "last"] | None, Later(since=3, legacy=None)] = None
    threshold: Annotated[Threshold, Later(since=3, legacy=EVEN), PER_REPLICA] = EVEN
    error_costs: Annotated[Costs, Later(since=3, legacy={}), PER_REPLICA] = ()
    log_every: Annotated[PositiveInt | None, Later(since=3, legacy=None)] = None
    diagnostics: StrictBool = True
    checkpoint_seconds: PositiveFloat | None = 5.0
    resume: RunId | None = None

    def settings_of(self, kind: type[SettingsT]) -> SettingsT:
        """Return the settings of a callback."""
        found = getattr(self, kind.name)
        assert isinstance(found, kind)
        return found

    @property
    def measured(self) -> tuple[str, ...]:
        """What is measured in each epoch besides the loss: ``metrics``, and what callbacks watch."""
        watched = [name for settings in self.callbacks.values() for name in settings.needs_metrics]
        if self.keep == "best":
            watched.append(self.settings_of(EarlyStoppingSettings).metric)
        names = (*self.metrics, *(name_of_entry(name.partition("/")[2]) for name in watched))
        return tuple(name for name in dict.fromkeys(names) if name != "loss")

    @property
    def callbacks(self) -> dict[str, CallbackSettings]:
        """The settings of every callback by its name."""
        return {name: self.settings_of(entry) for name, entry in CALLBACKS.items()}


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class RunConfig:
    """The user's own text about a run; it changes no numbers and is not part of the recipe's digest.

    Parameters
    ----------
    name
        The run's name in the UI and in tables; null for the overrides that were typed.
    tags
        The run's tags, such as ``'run.tags={team: a, fold: 3}'``; null for none.
    note
        Markdown that comes before the findings in the run's description; null for none.
    """

    name: RunName | None = None
    tags: Tags | None = None
    note: Note | None = None


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class DrawingConfig:
    """How pictures are kept; it changes no numbers and is not part of the recipe's digest.

    Parameters
    ----------
    format
        The format of all pictures: svg, png or pdf; auto for SVG. Animations and pages stay GIF and HTML.
    """

    format: Annotated[PictureFormat, Later(since=3, legacy="auto")] = "auto"


AnyTracking = Annotated[Tracking, ChosenFrom(BACKENDS)]


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class TrainConfig:
    """The recipe of one run: everything that its numbers depend on.

    Parameters
    ----------
    recipe_version
        The rules by which the recipe is read, and the values of missing keys; 1 is what
        micrograde 0.1 did.
    data
        What to learn from, and how it is split.
    model
        The network.
    optimizer
        How the parameters are changed in each step.
    schedule
        How the learning rate changes.
    training
        How long to train, and in which pieces.
    loss
        What training makes small; null for the task's own: cross-entropy of classes, huber of numbers.
    task
        What is to be learned: classification; regression, which predicts numbers; or multilabel, of several
        columns of yes and no; auto to decide it by the data: numbers with fractions, and more than 20 whole
        ones, are predicted as numbers.
    tracking
        Where the run is recorded.
    run
        The user's own text about the run.
    drawing
        How its pictures are kept.
    plugins
        The packages whose entries the recipe names, with their versions; written by the program.
    seed
        Seed of the initial weights, of shuffling and of label noise.
    experiment_name
        The MLflow experiment that the run is filed under; null for the data's name, of a table its file's.
    """

    recipe_version: RecipeVersion = RECIPE_VERSION
    data: Annotated[DataSet, ChosenFrom(DATA_SETS)]
    model: ModelConfig
    optimizer: Annotated[Optimizer, ChosenFrom(OPTIMIZERS)]
    schedule: Annotated[Schedule, ChosenFrom(SCHEDULES)]
    training: TrainingConfig
    tracking: AnyTracking
    loss: Annotated[Loss | None, ChosenFrom(LOSSES, optional=True), Later(since=3, legacy=None)] = None
    task: Annotated[str, NameOf(TASKS, ("auto",)), Later(since=3, legacy="auto")] = "auto"
    run: RunConfig = dataclasses.field(default_factory=RunConfig)
    drawing: DrawingConfig = dataclasses.field(default_factory=DrawingConfig)
    seed: Seed = 0
    experiment_name: ExperimentName = ""
    plugins: Annotated[tuple[PluginVersion, ...], Later(since=2, legacy=())] = ()

    def __post_init__(self) -> None:
        """Set what depends on the data, check rules of several keys, note the plug-ins of a new recipe."""
        _check_fold(self.data)
        if self.data.held_out and self.data.repeat is None:
            object.__setattr__(self, "data", dataclasses.replace(self.data, repeat=0))
        if not self.experiment_name:
            object.__setattr__(self, "experiment_name", self.data.experiment_name)
        stopping = self.training.settings_of(EarlyStoppingSettings)
        if stopping.enabled is None:
            enabled = self.data.stops_early and self.data.has_validation
            callback: dict[str, Any] = {stopping.name: dataclasses.replace(stopping, enabled=enabled)}
            object.__setattr__(self, "training", dataclasses.replace(self.training, **callback))
        if not self.plugins:
            object.__setattr__(
                self, "plugins", used_plugins(self, map(METRICS.__getitem__, self.training.measured))
            )
        for name, settings in self.training.callbacks.items():
            if settings.needs_validation and not self.data.has_validation:
                raise ValueError(
                    f"training.{name}.{settings.needs_validation}: needs a validation part, "
                    "but data.validation_fraction=0; set it to 0.1, say"
                )
        if self.training.keep == "best" and not self.data.has_validation:
            raise ValueError(
                "training.keep=best: needs a validation part, but data.validation_fraction=0; "
                "set it to 0.1, say"
            )
        if self.training.threshold in ("f1", "cost") and not self.data.has_validation:
            raise ValueError(
                f"training.threshold={self.training.threshold}: needs a validation part, but "
                "data.validation_fraction=0; set it to 0.1, say"
            )
        if self.data.folds is None and self.data.validation_fraction + self.data.test_fraction >= 1:
            raise ValueError(
                f"data.validation_fraction={self.data.validation_fraction} and "
                f"data.test_fraction={self.data.test_fraction}: must add up to less than 1, "
                "to leave rows to train on"
            )


def _check_fold(data: DataSet) -> None:
    """Raise ``ValueError`` unless data are split by fractions, or name the fold that is held out."""
    if data.folds is None:
        typed = {"fold": data.fold, "repeat": data.repeat, "repeats": data.repeats}
        for name, value in typed.items():
            if value != (1 if name == "repeats" else None):
                raise ValueError(
                    f"data.{name}={value}: is for folds; give data.folds=5, say, or leave it out"
                )
    elif data.is_several_runs:
        raise ValueError(
            f"data.folds={data.folds}: makes several runs, and this is one; name a fold, such as "
            "data.fold=0 data.repeat=0, or train them all with micrograde train or mg.sweep"
        )
    elif data.fold is not None and data.fold >= data.folds:
        raise ValueError(
            f"data.fold={data.fold}: of data.folds={data.folds} the folds are 0 to {data.folds - 1}"
        )


# --- back to plain values ---------------------------------------------------------------------


def to_container(config: TrainConfig) -> dict[str, Any]:
    """Return the config as nested dictionaries of plain values, as in YAML; ``resume`` is left out."""
    container: dict[str, Any] = adapter_of(type(config)).dump_python(config, mode="json")
    del container["training"]["resume"]
    leave_out_unused(container["training"])
    del container["data"]["repeats"]  # of the launch: the run is the same however many there are
    if config.data.folds is None:
        for key in ("folds", "fold", "repeat"):
            del container["data"][key]
    if container["model"]["init_digest"] is None:
        del container["model"]["init_digest"]  # of most runs, which begin with weights of their own
    sizes = container["model"]["hidden_size"]
    container["model"]["hidden_size"] = sizes[0] if len(sizes) == 1 else sizes  # as users type it
    return container


def as_params(config: TrainConfig) -> dict[str, str]:
    """Return every key with its value as MLflow params: ``{"optimizer.learning_rate": "0.2"}``.

    Passwords are hidden. Names with values, as ``data.roles`` has them, are one param, for MLflow allows few
    characters in the name of a param.
    """
    container = to_container(config)
    for group, part in (("data", config.data), ("training", config.training)):
        for field in dataclasses.fields(part):
            value = container[group].get(field.name)
            names_values = any(isinstance(mark, MappingOfNames) for mark in marks_of(field.type))
            if names_values and isinstance(value, Mapping) and value:
                container[group][field.name] = json.dumps(value, ensure_ascii=False)
    # These are recorded elsewhere; as params they would differ between runs of the same settings.
    del container[VERSION_KEY], container["run"], container["drawing"], container["plugins"]
    container["model"].pop("init_digest", None)
    flat = {key: as_text(value) for key, value in flatten(container).items()}
    return {key: value for key, value in flat.items() if key not in NAMED_STORES}


def as_text(value: object) -> str:
    """Return a value of a config as the text of an MLflow param."""
    return without_password(value if isinstance(value, str) else json.dumps(value))


def flatten(container: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return ``{"optimizer.momentum": 0.9}`` for ``{"optimizer": {"momentum": 0.9}}``; lists are kept."""
    flat: dict[str, Any] = {}
    for key, value in container.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


NAMED_STORES = ("tracking.artifacts", "tracking.database")
"""Keys that are not recorded as params: the addresses of files show the one, the other changes no record."""

OUTSIDE_RECIPE = (
    VERSION_KEY,
    "tracking",
    "run",
    "drawing",
    "experiment_name",
    "training.diagnostics",
    "training.checkpoint_seconds",
)
"""Keys and groups of keys that no number of a run depends on; they are not part of its digest."""


def config_digest(config: TrainConfig) -> str:
    """Return the SHA-256 of all that a run's numbers depend on: with the same digest, recipes are the same.

    Where the run is recorded, under which experiment, name, tags and note, is not part of it. Neither is the
    recipe's version, nor a key that was added later and has its legacy value: runs of earlier versions keep
    their digests. What a version changes in how data are read shows in the digest of the data.
    """
    container = without_legacy(to_container(config), type(config))
    for key in OUTSIDE_RECIPE:
        group, _, name = key.rpartition(".")
        (container[group] if group else container).pop(name, None)
    return canonical_digest(container)
