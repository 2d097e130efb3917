"""The kinds of values that configs hold: numbers in a range, names, texts, addresses."""

import json
import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WrapValidator

from micrograde.config.choices import NamesOf
from micrograde.core.hyperparameters import MappingOfNames, Range, Readable, Text
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.core.redaction import without_password
from micrograde.metrics import METRICS, names_a_value, part_of
from micrograde.nn import NORMALIZATIONS
from micrograde.store.metric_names import plain_name
from micrograde.tasks.classification import Classification

SCHEMA = ConfigDict(extra="forbid", defer_build=True)  # built when a config is parsed, not for --help
MOST_LAYERS = 1000
"""Hidden layers of a network, at most: each of them is drawn, checked and named."""


def _printable(value: str) -> str:
    if not value.isprintable() or "/" in value:
        raise ValueError("should hold neither a slash nor control characters")
    if without_password(value) != value:  # the store finds an experiment by its name, which cannot be hidden
        raise ValueError("should hold no password, nor look as if it did")
    return value


def metric_name(value: str) -> str:
    """Check that a run measures this metric, before it is trained rather than when runs are compared."""
    part = part_of(value)
    name = value.removeprefix(f"{part}/")
    if part and (name == "loss" or names_a_value(name)):
        return value
    if part and name.rstrip("/") in METRICS:
        raise ValueError(f"has a value for each class; name one, as in {value.rstrip('/')}/<class>")
    if not re.fullmatch(
        r"train/(initial_loss|learning_rate)|gradient_check/max_relative_error"
        rf"|(gradient_norm|activation|gradient|update_ratio|{'|'.join(NORMALIZATIONS)})/[\w.]+",
        plain_name(value),
    ):
        raise ValueError("should be a metric such as kept/val/accuracy, train/loss or gradient_norm/total")
    return value


def as_words(value: object) -> object:
    """Return a whole number as text; refuse a float, which no longer shows how it was typed."""
    if isinstance(value, float):
        raise ValueError("is read as a number; put it in quotes: '\"1e5\"'")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def own_tags(value: object) -> object:
    """Return a user's tags, such as ``{team: a, fold: 3}``, with their values as text."""
    if not isinstance(value, dict):
        raise ValueError("should be tags such as '{team: a, fold: 3}'")
    for key, tag in value.items():
        if not isinstance(key, str) or not re.fullmatch(r"[\w./: -]{1,250}", key) or key != key.strip():
            raise ValueError(f"holds a tag {key!r}, whose name should be letters, digits and . / : - _")
        if key.startswith(("mlflow.", "micrograde.")):
            raise ValueError(
                f"holds a tag {key}, but names that begin like that are reserved; choose another"
            )
        if isinstance(tag, list | dict) or tag is None:
            raise ValueError(f"holds a tag {key} that is neither text nor a number")
    return {key: tag if isinstance(tag, str) else json.dumps(tag) for key, tag in value.items()}


# Strict: true is not a number and "1" is not an integer, but an integer is accepted as a float.
RecipeVersion = Annotated[int, Range(ge=1, le=RECIPE_VERSION)]
Name = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_printable)]
ExperimentName = Annotated[Name, WrapValidator(lambda name, check: "" if name is None else check(name))]
"""A name, or null, which is held as an empty text until the data are known that it follows from."""
RunName = Annotated[str, Readable(most=250), BeforeValidator(as_words)]
Note = Annotated[str, BeforeValidator(as_words), Field(min_length=1, max_length=4000)]
Tags = Annotated[dict[str, Annotated[str, Field(max_length=4000)]], BeforeValidator(own_tags)]


def as_tuple(value: object) -> object:
    """Return a tuple, for a key that may be given as one value or as a list of them."""
    if isinstance(value, list | tuple):
        return tuple(value)
    return (value,)


def run_id_as_text(value: object) -> object:
    """Return the beginning of a run id as text, also if Hydra has read it as an integer."""
    if isinstance(value, float):  # 12e45678
        raise ValueError("is read as a number; put it in quotes: '\"12e45678\"'")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _layers(value: object) -> object:
    """Return names of layers as a tuple, each once, in one order however they were typed."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError("should be names of layers, such as [layer1,batchnorm1]; [] for none")
    return tuple(sorted(set(names), key=lambda name: (len(name), name)))


LayerNames = Annotated[tuple[Text, ...], BeforeValidator(_layers)]
WeightsDigest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
PluginVersion = Annotated[str, Field(max_length=200, pattern=r"^\w[\w.-]*==[\w.+!-]+$")]
RunId = Annotated[Text, BeforeValidator(run_id_as_text)]


def _measured(value: object) -> object:
    """Return names of metrics as a tuple, accuracy first, which is always measured of classes."""
    names = list(value) if isinstance(value, list | tuple) else [value]
    wrong = [name for name in names if not isinstance(name, str) or name not in METRICS]
    if wrong or not names:
        raise ValueError(f"should be one or more of {', '.join(METRICS)}")
    if any(METRICS[str(name)].task != Classification.name for name in names):
        return tuple(dict.fromkeys(names))
    return tuple(dict.fromkeys((*Classification.metrics, *names)))


def _threshold(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value not in ("f1", "cost") and not (is_number and 0 < value < 1):  # type: ignore[operator]
        raise ValueError("should be 'f1', 'cost' or a number between 0 and 1")
    return value


Threshold = Annotated[
    Annotated[float, Range(gt=0, lt=1)] | Literal["f1", "cost"], BeforeValidator(_threshold)
]


_COSTS_WANTED = "should be classes with a cost above 0 each, such as '{yes: 5, no: 1}'"


def _costs(pairs: Sequence[tuple[object, object]]) -> object:
    """Return the names of classes and their costs; a cost in a list, ``["größe: 5"]``, is written as text."""
    found = []
    for name, value in pairs:
        try:
            cost = float(value) if isinstance(value, str) else value
        except ValueError:
            cost = value
        if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 < cost < math.inf:
            raise ValueError(_COSTS_WANTED)
        found.append((json.dumps(name) if isinstance(name, bool) else name, float(cost)))
    return tuple(found)


Costs = Annotated[tuple[tuple[str, float], ...], BeforeValidator(_costs), MappingOfNames(_COSTS_WANTED)]
"""What it costs to miss a row of a class, by the class's name."""

MetricNames = Annotated[tuple[str, ...], NamesOf(METRICS), BeforeValidator(_measured)]
Metric = Annotated[Text, AfterValidator(metric_name)]
