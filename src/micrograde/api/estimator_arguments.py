"""The estimator's arguments that are derived: the hyperparameters of optimizers, schedules and callbacks.

The estimators name the arguments that they have always had; whatever else an entry has is added here, with
None for the entry's own default, to the signature that scikit-learn and ``help`` read, and to the docstring.
"""

import dataclasses
import inspect
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from micrograde.config.choices import one_of
from micrograde.config.descriptions import allowed, as_typed
from micrograde.config.recipe_versions import dataclass_members, names_of_choice
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import parameter_sentences
from micrograde.data.messages import shortened
from micrograde.nn import ACTIVATIONS, INITIALIZERS, LOSSES
from micrograde.training import CALLBACKS

_NAMED = {"optimizer": ("learning_rate", "momentum", "nesterov", "weight_decay"), "schedule": ()}
"""The hyperparameters that the estimator names itself, by the group of the config."""

_NAMED_CALLBACKS = {"early_stopping": {"enabled": "early_stopping", "patience": "patience"}}
"""The keys of callbacks that the estimator names itself, with its names for them."""

_TAKEN = {
    *(
        "hidden_size",
        "activation",
        "batch_norm",
        "output_batch_norm",
        "initializer",
        "initial_scale",
        "output",
    ),
    *("optimizer", "schedule"),
    *("num_epochs", "batch_size", "early_stopping", "validation_fraction", "patience", "stratify"),
    *("standardize", "dtype", "random_state", "class_weight", "label_smoothing"),
    *_NAMED["optimizer"],
}


def _entries(group: str) -> dict[str, type]:
    (annotation,) = (field.type for field in dataclasses.fields(TrainConfig) if field.name == group)
    kinds = dataclass_members(annotation)
    return {name: kind for kind in kinds for name in names_of_choice(kind)}


def _keys(entry: type) -> Iterator["dataclasses.Field[Any]"]:
    return (field for field in dataclasses.fields(entry) if field.name != "name")


def _arguments() -> dict[str, dict[str, str]]:
    """Return the argument for each key of each group; where the name is taken, the group comes before it."""
    taken, found = set(_TAKEN), {}
    for group, named in _NAMED.items():
        keys = dict.fromkeys(field.name for entry in _entries(group).values() for field in _keys(entry))
        names = {key: key if key in named or key not in taken else f"{group}_{key}" for key in keys}
        taken |= set(names.values())
        found[group] = names
    return found


_ARGUMENTS: Mapping[str, Mapping[str, str]] = _arguments()
_OF_CALLBACKS: Mapping[str, Mapping[str, str]] = {
    name: {
        field.name: _NAMED_CALLBACKS.get(name, {}).get(field.name, f"{name}_{field.name}")
        for field in dataclasses.fields(entry)
    }
    for name, entry in CALLBACKS.items()
}

DERIVED = (
    *(
        argument
        for group, names in _ARGUMENTS.items()
        for key, argument in names.items()
        if key not in _NAMED[group]
    ),
    *(
        argument
        for name, keys in _OF_CALLBACKS.items()
        for key, argument in keys.items()
        if key not in _NAMED_CALLBACKS.get(name, {})
    ),
)
"""The arguments that no estimator names itself."""

_LOSSES = {name: entry for name, entry in LOSSES.items() if entry.learns == "numbers"}

OF_LOSSES = tuple(dict.fromkeys(field.name for entry in _LOSSES.values() for field in _keys(entry)))
"""Those of an estimator that predicts numbers: the hyperparameters of its losses."""


_KEYS: Mapping[str, tuple[str, ...]] = {
    **{name: (f"model.{name}",) for name in ("hidden_size", "activation", "batch_norm", "output_batch_norm")},
    **{name: (f"model.{name}",) for name in ("initializer", "initial_scale", "output")},
    **{name: (f"training.{name}",) for name in ("num_epochs", "batch_size", "dtype", "label_smoothing")},
    "class_weight": ("training.class_weights",),
    **{name: (f"data.{name}",) for name in ("validation_fraction", "stratify", "standardize")},
    "random_state": ("seed", "data.seed"),
    "optimizer": ("optimizer",),
    "schedule": ("schedule",),
    "loss": ("loss",),
}


def keys_of_arguments() -> dict[str, tuple[str, ...]]:
    """Return the keys of a run's config that each argument stands for."""
    groups = {**_ARGUMENTS, **{f"training.{name}": keys for name, keys in _OF_CALLBACKS.items()}}
    derived = {
        argument: (f"{group}.{key}",) for group, names in groups.items() for key, argument in names.items()
    }
    return {**_KEYS, **derived, **{name: (f"loss.{name}",) for name in OF_LOSSES}}


def values_of(group: str, estimator: object) -> dict[str, Any]:
    """Return a group of the config: the entry's name, and its hyperparameters that are not None."""
    name = getattr(estimator, group)
    entry = _entries(group).get(name) if isinstance(name, str) else None
    own = {field.name for field in _keys(entry)} if entry else set()
    values = {key: getattr(estimator, argument) for key, argument in _ARGUMENTS[group].items() if key in own}
    return {"name": name, **{key: value for key, value in values.items() if value is not None}}


def loss_values(estimator: object) -> dict[str, Any]:
    """Return the config's ``loss``: its name, and its hyperparameters that are not None.

    Raises
    ------
    InputError
        If it is no loss of numbers.
    """
    name = getattr(estimator, "loss")  # noqa: B009 (not all estimators have one)
    if not isinstance(name, str) or name not in _LOSSES:
        raise InputError(f"loss={shortened(name)}: should be {one_of(_LOSSES)}")
    values = {field.name: getattr(estimator, field.name) for field in _keys(_LOSSES[name])}
    return {"name": name, **{key: value for key, value in values.items() if value is not None}}


def values_of_callbacks(estimator: object) -> dict[str, dict[str, Any]]:
    """Return the keys of each callback that are not None, by the callback's name."""
    given = {
        name: {key: getattr(estimator, argument) for key, argument in keys.items()}
        for name, keys in _OF_CALLBACKS.items()
    }
    return {
        name: {key: value for key, value in keys.items() if value is not None} for name, keys in given.items()
    }


def with_arguments(message: str) -> str:
    """Return an error line with arguments in place of keys: ``beta1`` for ``optimizer.beta1``."""
    message = re.sub(r"\bloss\.name\b", "loss", message)
    message = re.sub(rf"\bloss\.({'|'.join(OF_LOSSES)})\b", r"\1", message)
    for name, keys in _OF_CALLBACKS.items():
        for key, argument in keys.items():
            message = re.sub(rf"\btraining\.{name}\.{key}\b", argument, message)
    for group, names in _ARGUMENTS.items():
        message = re.sub(rf"\b{group}\.([a-z_0-9]+)", lambda key: names.get(key[1], key[1]), message)  # noqa: B023
    return message


def complete(estimator: type) -> None:
    """Give a class the signature and the docstring with all arguments: those of its base, too."""
    init: Any = estimator.__init__  # type: ignore[misc]
    base: Any = next(each for each in estimator.__mro__[1:] if "__init__" in vars(each))
    own, common = (
        [each for each in inspect.signature(each).parameters.values() if each.kind is not each.VAR_KEYWORD]
        for each in (init, base.__init__)
    )
    derived = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in estimator.derived  # type: ignore[attr-defined]
    ]
    named = {each.name: each for each in (*common, *own)}
    init.__signature__ = inspect.signature(init).replace(parameters=[*named.values(), *derived])
    text = inspect.cleandoc(estimator.__doc__ or "")
    of_base = inspect.cleandoc(base.__doc__).partition("----------\n")[2]
    text = text.replace("{common}", of_base.rstrip())
    marks: Mapping[str, Iterable[str]] = {
        "{activations}": ACTIVATIONS,
        "{initializers}": INITIALIZERS,
        "{losses}": _LOSSES,
        "{optimizers}": _entries("optimizer"),
        "{schedules}": _entries("schedule"),
    }
    for mark, names in marks.items():
        text = text.replace(mark, f"{{{', '.join(map(repr, names))}}}".replace("'", '"'))
    lines = _documented(estimator.derived)  # type: ignore[attr-defined]
    estimator.__doc__ = text.replace("{hyperparameters}", "\n".join(lines))


def _documented(derived: Collection[str]) -> Iterator[str]:
    """Yield the lines of derived arguments in numpydoc's form."""
    groups = {f"{group}s": (names, _entries(group)) for group, names in _ARGUMENTS.items()}
    groups["losses"] = ({name: name for name in OF_LOSSES}, _LOSSES)
    for others, (names, entries) in groups.items():
        for key, argument in names.items():
            if argument not in derived:
                continue
            having = {
                name: (kind, field)
                for name, kind in entries.items()
                for field in _keys(kind)
                if field.name == key
            }
            kind, field = next(iter(having.values()))
            sentence = parameter_sentences(kind).get(key, "").rstrip(".")
            yield f"{argument} : {allowed(field.type) or 'bool'}, or None"
            by_entry = {name: as_typed(each.default) for name, (_, each) in having.items()}
            same = len(by_entry) > 1 and len(set(by_entry.values())) == 1
            each_default = [f"{default} for {name}" for name, default in by_entry.items()]
            defaults = next(iter(by_entry.values())) if same else ", ".join(each_default)
            yield f"    {sentence}; None is {defaults}. Other {others} ignore it."
    for name, keys in _OF_CALLBACKS.items():
        entry: type = CALLBACKS[name]
        sentences = parameter_sentences(entry)
        for field in dataclasses.fields(entry):
            if (argument := keys[field.name]) in derived:
                sentence = sentences.get(field.name, "").split(". ")[0].rstrip(".")
                default = "" if field.default is None else f"; None is {as_typed(field.default)}"
                yield f"{argument} : {allowed(field.type).removesuffix(', or null') or 'str'}, or None"
                yield f"    {sentence}{default}."
