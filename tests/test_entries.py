"""What each entry of a registry owes: an entry that lacks something is named here, with what it lacks."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.against_torch import counterparts
from tests.narrowing import of_type

import micrograde
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import first_sentence, hyperparameters_of
from micrograde.core.registry import Registry, registries
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS
from micrograde.gradcheck.equations.normalizations import NORMALIZATION_EQUATIONS
from micrograde.nn import ACTIVATIONS, INITIALIZERS, NORMALIZATIONS


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


def of_initializer(name: str) -> Iterator[str]:
    if name not in counterparts.INITIALIZERS:
        yield "PyTorch's counterpart in tests/against_torch/counterparts.py"
    first, second = (
        INITIALIZERS[name]().draw(4, 3, np.random.default_rng(seed)).tobytes() for seed in (0, 0)
    )
    if first != second:
        yield "the same weights from the same stream"


OWES: dict[str, Callable[[str], Iterator[str]]] = {
    "activation": of_activation,
    "normalization": of_normalization,
    "initializer": of_initializer,
}


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_an_entry_lacks_nothing_that_it_owes(registry, name):
    entry = registry[name]
    lacking = list(OWES[registry.kind](name)) if registry.kind in OWES else []
    if not (first_sentence(entry) or first_sentence(type(entry))).endswith((".", ":")):
        lacking.append("a sentence of help at the beginning of its docstring")
    if dataclasses.is_dataclass(entry) and "name" in {field.name for field in dataclasses.fields(entry)}:
        known = hyperparameters_of(of_type(type, entry))
        for field in dataclasses.fields(entry):
            if field.name != "name" and field.name not in known:
                lacking.append(f"PER_REPLICA or PROGRAM at {field.name}")
        lacking += [f"a sentence about {each.name}" for each in known.values() if not each.sentence]
        lacking += [
            f"a range of {each.name}" for each in known.values() if each.kind is float and not each.range
        ]
    assert not lacking, f"{registry.kind} {name} lacks {' and '.join(lacking)}"


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
