"""The typed schema of every config: frozen dataclasses whose field names are the keys that users type.

pydantic checks types and ranges when one is made. ``config_parsing.py`` makes them from what Hydra
composes, with a line for each mistake.
"""

import dataclasses
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    Strict,
    StrictBool,
    TypeAdapter,
)
from pydantic.dataclasses import dataclass

from micrograde.tracking import without_password

_SCHEMA = ConfigDict(extra="forbid")


def _printable(value: str) -> str:
    if not value.isprintable() or "/" in value:
        raise ValueError("should hold neither a slash nor control characters")
    return value


def _readable(value: str) -> str:
    """Paths, columns and the like: spaces of any kind, but nothing that UTF-8 or a terminal cannot hold."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise ValueError("should hold neither control characters nor broken ones")
    return value


def _metric(value: str) -> str:
    """What a run measures; found out before it is trained, not when it is to be compared."""
    if not re.fullmatch(
        r"(train|val|test)/(loss|accuracy)|gradient_norm/[\w.]+|gradient_check/max_relative_error", value
    ):
        raise ValueError("should be a metric such as val/accuracy, train/loss or gradient_norm/total")
    return value


def _web_address(value: str) -> str:
    """An address in which a user and a password, if there are any, are found by everybody."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("should be an address that starts with http:// or https://")
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not has_host or not value.isprintable() or " " in value:
        raise ValueError("should be an address such as https://mlflow.example:5000")
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("holds an @ behind the host; in a password / is %2F, ? is %3F, # is %23, @ is %40")
    return value


# Strict: true is no number, "1" is no integer; an integer is a float.
PositiveInt = Annotated[int, Strict(), Field(ge=1)]
Classes = Annotated[int, Strict(), Field(ge=2)]
Seed = Annotated[int, Strict(), Field(ge=0, lt=2**63)]
PositiveFloat = Annotated[FiniteFloat, Strict(), Field(gt=0)]
NonNegativeFloat = Annotated[FiniteFloat, Strict(), Field(ge=0)]
Fraction = Annotated[FiniteFloat, Strict(), Field(ge=0, lt=1)]
ShareOrAll = Annotated[FiniteFloat, Strict(), Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_printable)]
Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_readable)]
MissingRule = Literal["error", "drop", "mean"]


def _as_tuple(value: object) -> object:
    """Where one value or a list of them may be given, inside it is always a tuple."""
    if isinstance(value, list | tuple):
        return tuple(value)
    return (value,)


def _run_id_that_looks_like_a_number(value: object) -> object:
    """The beginning of a run id is text, also where Hydra reads it as a number."""
    if isinstance(value, float):  # 12e45678
        raise ValueError("is read as a number; put it in quotes: 'run_id=\"12e45678\"'")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- data ---------------------------------------------------------------------------------------


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class DataConfig:
    """What every data set has: the seed that makes and splits it, and how it is split.

    A fraction of 0 means that there is no such part.
    """

    seed: Seed = 0
    validation_fraction: Fraction = 0.1
    test_fraction: Fraction = 0.1
    stratify: StrictBool = True
    standardize: StrictBool = True


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class BundledData(DataConfig):
    """Real data that ships with scikit-learn."""

    name: Literal["digits", "iris", "wine", "breast_cancer"]


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class GaussianData(DataConfig):
    """The notebook's data: standard normal features, labels that are random."""

    name: Literal["gaussian"] = "gaussian"
    samples: PositiveInt = 10
    features: PositiveInt = 3
    classes: Classes = 2


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class BlobsData(DataConfig):
    """A normal cloud for each class; ``noise`` is its standard deviation."""

    name: Literal["blobs"] = "blobs"
    samples: PositiveInt = 500
    features: PositiveInt = 2
    classes: Classes = 3
    noise: NonNegativeFloat = 1.0


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class MoonsData(DataConfig):
    """Two interleaving half circles."""

    name: Literal["moons"] = "moons"
    samples: PositiveInt = 500
    noise: NonNegativeFloat = 0.2


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class CirclesData(DataConfig):
    """A circle inside a circle; ``factor`` is the ratio of their radii."""

    name: Literal["circles"] = "circles"
    samples: PositiveInt = 500
    noise: NonNegativeFloat = 0.1
    factor: Annotated[FiniteFloat, Strict(), Field(gt=0, lt=1)] = 0.5


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class SpiralsData(DataConfig):
    """One arm of a spiral for each class."""

    name: Literal["spirals"] = "spirals"
    samples: PositiveInt = 600
    classes: Classes = 3
    noise: NonNegativeFloat = 0.1
    turns: PositiveFloat = 1.0


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class XorData(DataConfig):
    """Four clouds in the corners of a square; opposite corners share a class."""

    name: Literal["xor"] = "xor"
    samples: PositiveInt = 500
    noise: NonNegativeFloat = 0.3


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class TableData(DataConfig):
    """A table read with pandas: one row a sample, the labels in the column ``target``."""

    name: Literal["csv", "parquet"]
    path: Text
    target: Text
    missing: MissingRule = "error"


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class NpzData(DataConfig):
    """Two arrays of an ``.npz`` file: features (N, ...) and integer labels (N,)."""

    name: Literal["npz"] = "npz"
    path: Text
    features: Text = "features"
    labels: Text = "labels"
    missing: MissingRule = "error"


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class IdxData(DataConfig):
    """MNIST's file format, plain or gzip; with the test files given, they are the test part."""

    name: Literal["idx"] = "idx"
    images: Text
    labels: Text
    test_images: Text | None = None
    test_labels: Text | None = None


AnyData = Annotated[
    BundledData
    | GaussianData
    | BlobsData
    | MoonsData
    | CirclesData
    | SpiralsData
    | XorData
    | TableData
    | NpzData
    | IdxData,
    Field(discriminator="name"),
]


# --- model, optimizer, schedule, training, tracking ---------------------------------------------


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class ModelConfig:
    """The network between the data's features and its classes."""

    hidden_size: Annotated[tuple[PositiveInt, ...], BeforeValidator(_as_tuple)] = (32,)
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    batch_norm: StrictBool = True
    initializer: Literal["normal", "xavier", "kaiming"] = "xavier"
    initial_scale: PositiveFloat = 1.0


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class SGDConfig:
    """Stochastic gradient descent."""

    name: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.2
    momentum: Fraction = 0.0
    nesterov: StrictBool = False
    weight_decay: NonNegativeFloat = 0.0


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class AdamConfig:
    """Adam."""

    name: Literal["adam"] = "adam"
    learning_rate: PositiveFloat = 0.01
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0


AnyOptimizer = Annotated[SGDConfig | AdamConfig, Field(discriminator="name")]


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class ConstantSchedule:
    """The learning rate stays."""

    name: Literal["constant"] = "constant"
    warmup_epochs: NonNegativeFloat = 0.0


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class StepSchedule:
    """The learning rate falls in steps."""

    name: Literal["step"] = "step"
    warmup_epochs: NonNegativeFloat = 0.0
    step_epochs: PositiveInt = 20
    factor: PositiveFloat = 0.5


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class CosineSchedule:
    """The learning rate falls along half a cosine."""

    name: Literal["cosine"] = "cosine"
    warmup_epochs: NonNegativeFloat = 0.0
    final_fraction: ShareOrAll = 0.0


AnySchedule = Annotated[ConstantSchedule | StepSchedule | CosineSchedule, Field(discriminator="name")]


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class EarlyStoppingConfig:
    """When to stop before ``num_epochs``; the best weights are kept."""

    enabled: StrictBool = False
    metric: Literal["val/loss", "val/accuracy"] = "val/loss"
    patience: PositiveInt = 10
    min_delta: NonNegativeFloat = 0.0


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class TrainingConfig:
    """How long and in which pieces to train; ``batch_size`` null takes the whole training part.

    ``label_noise`` is the probability that a training label is replaced by another class.
    ``checkpoint_seconds`` and ``resume`` (a run id, the beginning of one, or ``auto``) change no numbers and
    are no part of the recipe.
    """

    num_epochs: PositiveInt = 50
    batch_size: PositiveInt | None = 32
    drop_last: StrictBool = False
    dtype: Literal["float32", "float64"] = "float32"
    label_noise: ShareOrAll = 0.0
    early_stopping: EarlyStoppingConfig = dataclasses.field(default_factory=EarlyStoppingConfig)
    checkpoint_seconds: PositiveFloat | None = 5.0
    resume: Annotated[Text | None, BeforeValidator(_run_id_that_looks_like_a_number)] = None


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class LocalTracking:
    """The project's own SQLite store."""

    name: Literal["local"] = "local"


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class ServerTracking:
    """An MLflow tracking server."""

    name: Literal["server"] = "server"
    uri: Annotated[str, AfterValidator(_web_address)] = "http://127.0.0.1:5000"


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class DisabledTracking:
    """No recording."""

    name: Literal["disabled"] = "disabled"


AnyTracking = Annotated[LocalTracking | ServerTracking | DisabledTracking, Field(discriminator="name")]


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class TrainConfig:
    """The recipe of one run. Everything that its numbers depend on is here."""

    data: AnyData
    model: ModelConfig
    optimizer: AnyOptimizer
    schedule: AnySchedule
    training: TrainingConfig
    tracking: AnyTracking
    seed: Seed = 0
    experiment_name: Name = "default"

    def __post_init__(self) -> None:
        """Rules between keys, that no key can know alone."""
        stopping = self.training.early_stopping
        if stopping.enabled and self.data.validation_fraction == 0:
            raise ValueError(
                "training.early_stopping.enabled=true: needs a validation part, "
                "but data.validation_fraction=0; set it to 0.1, say"
            )
        if self.data.validation_fraction + self.data.test_fraction >= 1:
            raise ValueError(
                f"data.validation_fraction={self.data.validation_fraction} and "
                f"data.test_fraction={self.data.test_fraction}: must add up to less than 1, "
                "to leave rows to train on"
            )
        if isinstance(self.optimizer, SGDConfig) and self.optimizer.nesterov and self.optimizer.momentum == 0:
            raise ValueError(
                "optimizer.nesterov=true: needs momentum, but optimizer.momentum=0; set it to 0.9, say"
            )


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class SweepConfig:
    """How a sweep goes about its runs; no part of any run's recipe.

    ``metric`` tells the best run: null is val/accuracy, or train/accuracy without a validation part.
    ``runs_per_job`` is how many runs another launcher, such as Ray's, is given as one job: null is a 32nd
    of the sweep, from 16 to 256. ``members`` and ``parent_run_id`` are for such jobs: what they are to run,
    and the run that theirs are nested under.
    """

    metric: Annotated[Text, AfterValidator(_metric)] | None = None
    order: Literal["auto", "ascending", "descending"] = "auto"
    resume: StrictBool = True
    verbose: StrictBool = False
    runs_per_job: PositiveInt | None = None
    members: Annotated[str, Field(min_length=1)] | None = None  # of any length
    parent_run_id: Text | None = None


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class CompareConfig:
    """Which runs to put into one table, and how.

    ``sweep`` is latest, a sweep's run id or the beginning of one, or its name; its report goes into the
    folder ``report``, null for one of its own under mlruns/reports.
    """

    experiment_name: Name | None = None
    sweep: Annotated[Text | None, BeforeValidator(_run_id_that_looks_like_a_number)] = None
    status: Literal["RUNNING", "FINISHED", "FAILED", "KILLED"] | None = None
    where: Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)] = ()
    metric: Text = "val/accuracy"
    order: Literal["auto", "ascending", "descending"] = "auto"
    over_seeds: StrictBool = False
    limit: PositiveInt | None = None
    output: Text | None = None
    report: Text | None = None
    tracking: Annotated[LocalTracking | ServerTracking, Field(discriminator="name")] = dataclasses.field(
        default_factory=LocalTracking
    )

    def __post_init__(self) -> None:
        """Rules between keys."""
        if self.report is not None and self.sweep is None:
            raise ValueError(f"report={self.report}: is the report of a sweep; say which: sweep=latest")


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class DataPaths:
    """Where data files are, by their keys below ``data``."""

    path: Text | None = None
    images: Text | None = None
    labels: Text | None = None
    test_images: Text | None = None
    test_labels: Text | None = None

    def given(self) -> dict[str, str]:
        """Those that are."""
        return {key: path for key, path in dataclasses.asdict(self).items() if path is not None}


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class ReplayConfig:
    """Which run to train again."""

    run_id: Annotated[Text, BeforeValidator(_run_id_that_looks_like_a_number)]
    data: DataPaths = dataclasses.field(default_factory=DataPaths)
    tracking: Annotated[LocalTracking | ServerTracking, Field(discriminator="name")] = dataclasses.field(
        default_factory=LocalTracking
    )


@dataclass(config=_SCHEMA, frozen=True, kw_only=True)
class SyncConfig:
    """What to send that launches have left.

    A server in ``tracking`` is the address to use, with its credentials, for what belongs to that server;
    ``launch`` is the name of one folder below mlruns/launches.
    """

    launch: Text | None = None
    tracking: Annotated[LocalTracking | ServerTracking, Field(discriminator="name")] = dataclasses.field(
        default_factory=LocalTracking
    )


# --- back to plain values ---------------------------------------------------------------------


def to_container(config: TrainConfig) -> dict[str, Any]:
    """The config as nested dictionaries of plain values, as they stand in YAML; ``resume`` is left out."""
    container: dict[str, Any] = TypeAdapter(TrainConfig).dump_python(config, mode="json")
    del container["training"]["resume"]
    sizes = container["model"]["hidden_size"]
    container["model"]["hidden_size"] = sizes[0] if len(sizes) == 1 else sizes  # as it is typed
    return container


def as_params(config: TrainConfig) -> dict[str, str]:
    """Every key and its value as MLflow params: ``optimizer.learning_rate`` is ``0.2``.

    A password in the tracking server's address is left out.
    """
    return {key: as_text(value) for key, value in flatten(to_container(config)).items()}


def as_text(value: object) -> str:
    """A value of a config as MLflow shows it."""
    return without_password(value) if isinstance(value, str) else json.dumps(value)


def flatten(container: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"optimizer": {"momentum": 0.9}}`` as ``{"optimizer.momentum": 0.9}``; lists stay as they are."""
    flat: dict[str, Any] = {}
    for key, value in container.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def config_digest(config: TrainConfig) -> str:
    """SHA-256 of what the run's numbers depend on: two runs with the same digest have the same recipe.

    Where the run is recorded and under which experiment's name is no part of it.
    """
    container = to_container(config)
    del container["tracking"], container["experiment_name"], container["training"]["checkpoint_seconds"]
    canonical = json.dumps(container, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
