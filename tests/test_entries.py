"""What each entry of a registry owes: an entry that lacks something is named here, with what it lacks."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.against_torch import counterparts
from tests.backends import check_backend
from tests.narrowing import of_type

import micrograde
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import first_sentence, hyperparameters_of, parameter_sentences
from micrograde.core.registry import Registry, registries
from micrograde.data.target_scaling import TargetScaling
from micrograde.drawing import SWEEP_PICTURES, Curves, SweepContents, Swept
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.gradcheck.equations.normalizations import NORMALIZATION_EQUATIONS
from micrograde.metrics import METRICS
from micrograde.nn import ACTIVATIONS, INITIALIZERS, LOSSES, NORMALIZATIONS, one_hot
from micrograde.store import BACKENDS, Backend, backend_of
from micrograde.store.reader import Reader
from micrograde.tasks import TASKS


def all_registries() -> list[Registry[Any]]:
    for module in pkgutil.walk_packages(micrograde.__path__, "micrograde."):
        importlib.import_module(module.name)
    return registries()


ENTRIES = [
    pytest.param(registry, name, id=f"{registry.kind}: {name}")
    for registry in all_registries()
    for name in registry
]


class Graph:
    """Takes note of an ONNX rule's operators, without building a graph."""

    def __init__(self):
        self.operators = []

    def node(self, operator, *inputs, name="", **attributes):
        self.operators.append(operator)
        return operator

    def constant(self, name, value):
        return name

    def number(self, value):
        return str(value)


def of_activation(name: str) -> Iterator[str]:
    activation = ACTIVATIONS[name]()
    if name not in ACTIVATION_EQUATIONS:
        yield f"an equation in gradcheck/equations/activations/{name}.py"
    if name not in counterparts.ACTIVATIONS:
        yield "PyTorch's counterpart in tests/against_torch/counterparts.py"
    output = activation.value(np.linspace(-3, 3, 8))
    if activation.saturation != "none" and activation.saturated(output).dtype != bool:
        yield "a mask of saturated outputs"
    graph = Graph()
    try:
        activation.onnx(graph, "x")
    except InputError as refusal:
        if name not in str(refusal):
            yield "its name in the refusal to be exported"
    else:
        if not graph.operators:
            yield "operators in its rule for ONNX"


def of_normalization(name: str) -> Iterator[str]:
    if name not in NORMALIZATION_EQUATIONS:
        yield f"an equation in gradcheck/equations/normalizations/{name}.py"
    if name not in counterparts.NORMALIZATIONS:
        yield "PyTorch's counterpart in tests/against_torch/counterparts.py"
    layer = NORMALIZATIONS[name]().layer(3, replicas=(2,), dtype=np.float64)
    for each in layer.arrays:
        if getattr(layer, each.name).shape != (2, *each.shape):
            yield f"an array {each.name} for each replica"


def of_loss(name: str) -> Iterator[str]:
    if name not in LOSS_EQUATIONS:
        yield f"an equation in gradcheck/equations/losses/{name}.py"
    if name not in counterparts.LOSSES:
        yield "PyTorch's counterpart in tests/against_torch/counterparts.py"
    loss, random = LOSSES[name](), np.random.default_rng(0)
    logits, targets = random.standard_normal((2, 5, 3)), one_hot(random.integers(0, 3, (2, 5)), 3)
    layer = loss.layer(np.float64)
    means = loss.value(logits, targets).mean(axis=-1)
    for what, found in (("evaluates", layer.evaluate), ("trains on", layer.forward)):
        if not np.allclose(found(logits, targets), means, rtol=1e-12):
            yield f"a layer that {what} the mean of its values"
    if not np.allclose(layer.backward(), loss.gradient(logits, targets) / 5, rtol=1e-12, atol=1e-15):
        yield "a layer whose backward is the mean of its gradients"
    small = [each.astype(np.float32) for each in (logits, targets)]
    if loss.value(*small).dtype != np.float32 or loss.gradient(*small).dtype != np.float32:
        yield "the dtype of the logits in its results"


def described(task: str) -> Iterator[SimpleNamespace]:
    nothing = {"task": task, "class_names": (), "target_names": (), "target_scaling": None}
    if TASKS[task].learns == "classes":
        for classes in (("a", "b", "c"), ("no", "yes")):
            yield SimpleNamespace(**nothing | {"class_names": classes})
        return
    for count in (1, 3):
        scaling = TargetScaling(np.arange(1.0, count + 1), np.full(count, 2.0))
        names = tuple(f"y{number}" for number in range(count))
        yield SimpleNamespace(**nothing | {"target_names": names, "target_scaling": scaling})


def of_task(name: str) -> Iterator[str]:
    for data in described(name):
        task = TASKS[name].of(data)
        labels: Any = np.arange(6) % max(task.output_size, 2)
        if not data.class_names:
            different = 2 if task.learns == "truths" else 5
            labels = np.arange(6.0 * task.output_size).reshape(6, -1) % different
        targets = task.targets(labels, np.float32)
        if targets.shape != (6, task.output_size) or targets.dtype != np.float32:
            yield "targets (N, C) in the network's dtype"
        if (task.labels(targets) != labels).any() or (task.predicted(targets, finite=True) != labels).any():
            yield "labels that its targets stand for, and that logits like them predict"
        if task.correct(targets, labels).shape != (6,):
            yield "a truth value for each row that is correct"
        if task.loss.name not in LOSSES or task.loss.learns != task.learns:
            yield f"a loss of LOSSES that is for it, not {task.loss.name}"
        if unknown := set(task.metrics) - {each for each in METRICS if METRICS[each].task == name}:
            yield f"metrics of METRICS that are for it, not {unknown}"
        if not all(np.isfinite(value) for value in task.baselines(labels, labels).values()):
            yield "a baseline"
        answers = task.answers(targets.astype(np.float64))
        if {each: column.shape for each, column in task.columns(answers).items()} != dict.fromkeys(
            task.column_types, (6,)
        ):
            yield "a column of predictions for each that it names"


def of_initializer(name: str) -> Iterator[str]:
    if name not in counterparts.INITIALIZERS:
        yield "PyTorch's counterpart in tests/against_torch/counterparts.py"
    first, second = (
        INITIALIZERS[name]().draw(4, 3, np.random.default_rng(seed)).tobytes() for seed in (0, 0)
    )
    if first != second:
        yield "the same weights from the same stream"


def sweeps() -> Iterator[SweepContents]:
    """Sweeps over nothing, the seed, and one, two or three parameters, of runs with and without results."""
    seeds = Swept("seed", [0, 1])
    curves = [Curves("val/loss", np.array([1, 2]), np.array([[0.5, 0.4], [0.6, 0.5]]))]
    for values, best in ((np.array([0.4, 0.5]), 0), (np.array([np.nan, np.nan]), None)):
        for parameters, seed in (("", None), ("", seeds), ("a", None), ("ab", seeds), ("abc", None)):
            swept = [Swept(name, [1, 2]) for name in parameters]
            yield SweepContents(swept, seed, "val/loss", True, values, best, curves, pd.DataFrame())


def of_sweep_picture(name: str) -> Iterator[str]:
    picture = SWEEP_PICTURES[name]()
    texts = [picture.text(sweep) for sweep in sweeps() if picture.applies(sweep)]
    if not texts:
        yield "a sweep that it applies to"
    if not all(texts) or any("\n" in text for text in texts):
        yield "a line of text for every sweep that it applies to"


def of_tracking(name: str) -> Iterator[str]:
    kind = BACKENDS[name]
    said = parameter_sentences(kind)
    for field in dataclasses.fields(kind):
        if field.name != "name" and not said.get(field.name):
            yield f"a sentence about {field.name}"
    if not issubclass(kind, Backend):
        if kind.keeps_runs or kind(name=name).location(Path("/home")) is not None:
            yield "what a backend has, as it keeps runs"
        return
    here, there = Path("/here"), Path("/there")
    location = kind(name=name).location(here)
    address = location.tracking_uri
    if backend_of(location) is not kind:
        yield f"schemes with the beginning of its address {address}"
    if missing := [each for each in vars(Reader) if each[:1] != "_" and not hasattr(kind.reader(), each)]:
        yield f"{' and '.join(missing)} of a reader"
    typed = dict(each.replace("tracking.", "").split("=", 1) for each in kind.typed(address))
    if typed and typed.pop("tracking") != name:
        yield "its own name in what is typed to name a store"
    if kind(name=name, **typed).location(here).tracking_uri != address:
        yield "what is typed to name a store"
    noted = kind.noted(location)
    if kind.located(noted, there) != kind(name=name).location(there):
        yield "an address in launches' folders by which its store is found after the project was moved"


OWES: dict[str, Callable[[str], Iterator[str]]] = {
    "tracking": of_tracking,
    "activation": of_activation,
    "normalization": of_normalization,
    "initializer": of_initializer,
    "loss": of_loss,
    "task": of_task,
    "picture of a sweep": of_sweep_picture,
}


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_an_entry_lacks_nothing_that_it_owes(registry, name):
    entry = registry[name]
    lacking = list(OWES[registry.kind](name)) if registry.kind in OWES else []
    if not (first_sentence(entry) or first_sentence(type(entry))).endswith((".", ":")):
        lacking.append("a sentence of help at the beginning of its docstring")
    if dataclasses.is_dataclass(entry) and "name" in {field.name for field in dataclasses.fields(entry)}:
        known = hyperparameters_of(of_type(type, entry))
        of_recipe = () if registry is BACKENDS else dataclasses.fields(entry)  # no number depends on them
        for field in of_recipe:
            if field.name != "name" and field.name not in known:
                lacking.append(f"PER_REPLICA or PROGRAM at {field.name}")
        lacking += [f"a sentence about {each.name}" for each in known.values() if not each.sentence]
        lacking += [
            f"a range of {each.name}" for each in known.values() if each.kind is float and not each.range
        ]
    assert not lacking, f"{registry.kind} {name} lacks {' and '.join(lacking)}"


HERE = [kind for kind in BACKENDS.values() if issubclass(kind, Backend) and not kind.can_be_away]


@pytest.mark.parametrize("backend", HERE, ids=lambda each: each.name)
def test_a_backend_gives_back_what_it_was_told(backend, home):
    """One that is elsewhere has tests of its own."""
    check_backend(backend, home)


def test_what_is_asked_of_a_kind_is_asked_of_one_that_exists():
    assert set(OWES) <= {registry.kind for registry in registries()}


@pytest.mark.parametrize("registry", all_registries(), ids=lambda each: each.kind)
def test_a_name_that_is_not_registered_is_a_line_that_lists_the_entries(registry):
    with pytest.raises(InputError, match=f"^{registry.kind} must be one of .*, got 'nothing'$") as raised:
        registry["nothing"]
    assert all(name in str(raised.value) for name in registry)
    assert "nothing" not in registry


def test_two_entries_cannot_have_one_name():
    with pytest.raises(
        ValueError, match=r"activation 'tanh' is registered by micrograde.nn.activations.tanh"
    ):
        ACTIVATIONS.register(ACTIVATIONS["tanh"])
    with pytest.raises(ValueError, match="small letters"):
        ACTIVATIONS.register("Big Name")(ACTIVATIONS["tanh"])


@pytest.mark.parametrize("registry", all_registries(), ids=lambda each: each.kind)
def test_nobody_imports_the_files_of_entries_but_for_their_defaults(registry):
    """An entry is found by itself: a list of entries beside the registry would be a second one."""
    source = inspect.getsource(importlib.import_module(registry.package))
    assert f"from {registry.package}." not in source
