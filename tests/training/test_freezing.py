"""Layers that do not learn stay as they are, bit for bit, whatever the optimizer does; the others learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.recipes import with_keys

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig, config_digest
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.nn import MLP, NORMALIZATIONS, one_hot
from micrograde.runs.building import build_callbacks, build_optimizer, build_plan, check_layers, stack_key
from micrograde.runs.train import train_and_record
from micrograde.training import OPTIMIZERS, Departure, Samples, Training, layers_that_learn


def config(**changes: object) -> TrainConfig:
    container = {
        "recipe_version": RECIPE_VERSION,
        "data": {"name": "moons", "samples": 100},
        "model": {"hidden_size": [4, 3]},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 3},
        "tracking": {"name": "disabled"},
    }
    return parse_train_config(
        with_keys(container, {key.replace("__", "."): value for key, value in changes.items()})
    )


LAYERS = ["layer1", "batchnorm1", "layer2", "batchnorm2", "layer3"]
MOVING = {"sgd": {"momentum": 0.9}}


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sets(st.sampled_from(LAYERS), min_size=1, max_size=4),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
    st.sampled_from([{}, {"norm": 0.01}, {"value": 0.001}]),
)
def test_what_is_frozen_stays_and_what_is_not_moves(name, frozen, dtype, decays, clip):
    has_decay = decays and "weight_decay" in OPTIMIZERS[name].__dataclass_fields__
    decay = {"weight_decay": 0.3} if has_decay else {}
    asked = config(
        optimizer={"name": name, **MOVING.get(name, {}), **decay},
        training__freeze=sorted(frozen),
        training__clip=clip,
        training__dtype=dtype,
    )
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 64)
    rows = Samples(random.normal(size=(64, 2)).astype(dtype), one_hot(labels, 2, dtype), labels)
    streams = [np.random.default_rng(seed) for seed in range(2)]
    model = MLP(2, [4, 3], 2, output_batch_norm=False, generators=streams, dtype=dtype)
    plan = build_plan([asked, asked], len(rows))
    before, statistics = model.parameters.copy(), model.statistics.copy()
    training = Training(
        model,
        build_optimizer([asked.optimizer] * 2, model, asked.training.freeze),
        plan,
        rows,
        None,
        [np.random.default_rng(seed) for seed in range(2)],
        callbacks=build_callbacks([asked, asked], model, plan),
    )
    after = [event.model.parameters[0] for event in training.run() if isinstance(event, Departure)]
    assert len(after) == 2
    for layer in LAYERS:
        place = model.layout.place(layer)
        for row in range(2):
            same = after[row][place].tobytes() == before[row, place].tobytes()
            assert same == (layer in frozen), layer
    assert not np.array_equal(model.statistics, statistics)  # which follow the batches, frozen or not


def test_the_norm_that_clipping_goes_by_is_of_the_layers_that_learn():
    """As in PyTorch, whose frozen parameters have no gradient."""
    asked = config(training__freeze=["layer1"], training__clip={"norm": 1e-3})
    random = np.random.default_rng(0)
    model = MLP(2, [4, 3], 2, output_batch_norm=False, generators=[np.random.default_rng(0)])
    plan = build_plan([asked], 64)
    callbacks = build_callbacks([asked], model, plan)
    labels = random.integers(0, 2, 64)
    model.forward(random.normal(size=(1, 64, 2)), one_hot(labels, 2)[np.newaxis])
    model.backward()
    place = model.layout.place("layer1")
    others = np.delete(model.gradients[0], np.arange(place.start, place.stop))
    for each in callbacks:
        each.on_gradients(model)
    assert not model.gradients[0, place].any()
    left = np.delete(model.gradients[0], np.arange(place.start, place.stop))
    np.testing.assert_allclose(left, others * 1e-3 / np.linalg.norm(others), rtol=1e-2)


@pytest.mark.parametrize(
    ("frozen", "line"),
    [
        (
            ["layer9"],
            "training.freeze=[layer9]: there is no layer layer9 with parameters; "
            "there are layer1, batchnorm1, layer2, batchnorm2, layer3",
        ),
        (["activation1", "layer1"], "there is no layer activation1 with parameters"),
        (LAYERS, "freezes all layers; leave out one that is to learn"),
    ],
)
def test_layers_that_there_are_not_are_named_beside_those_there_are(frozen, line):
    with pytest.raises(InputError) as caught:
        check_layers(config(training__freeze=frozen))
    assert line in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("value", [3, True, {"layer1": 1}, [1], [None], ["a\n"]])
def test_what_is_no_list_of_names(value):
    with pytest.raises(InputError, match=r"^training\.freeze"):
        config(training__freeze=value)


@pytest.mark.parametrize("name", sorted(NORMALIZATIONS))
def test_the_names_are_those_of_the_network_whatever_normalizes_it(name):
    asked = config(model__normalization=name)
    model = MLP(
        2, [4, 3], 2, batch_norm=False, normalization=asked.model.normalizer, output_batch_norm=False,
        generators=[np.random.default_rng(0)],
    )  # fmt: skip
    for layer in layers_that_learn(model):
        check_layers(config(model__normalization=name, training__freeze=[layer]))


def test_a_recipe_without_it_has_the_digest_of_before_and_the_order_makes_no_difference():
    plain = config()
    assert plain.training.freeze == ()
    one, other = (config(training__freeze=names) for names in (["layer2", "layer1"], ["layer1", "layer2"]))
    assert config_digest(one) == config_digest(other) != config_digest(plain)
    assert stack_key(one) == stack_key(other) != stack_key(plain)
    assert config(training__freeze="layer1").training.freeze == ("layer1",)


def test_findings_do_not_complain_of_frozen_layers():
    """The first two layers never move; nothing is said of that."""
    changes = {
        "model__batch_norm": False,
        "training__num_epochs": 30,
        "training__freeze": ["layer1", "layer2"],
    }
    (result,) = train_and_record([config(**changes)])
    assert result.status == "FINISHED"
    for finding in result.findings:
        assert "layer 1" not in finding
        assert "layer 2" not in finding
        assert "layers" not in finding
