"""Keywords are overrides: each is the key it names, and its value is read as what it was."""

from typing import Any

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from micrograde.api.estimator import MLPClassifier
from micrograde.api.estimator_arguments import DERIVED
from micrograde.api.keywords import keywords, overrides_of
from micrograde.config.keys import keys_of
from micrograde.core.errors import InputError
from micrograde.core.overrides import quoted_text

TYPED = {
    "optimizer",
    "schedule",
    "data",
    "model",
    "training",
    "tracking",
    "search",
    "experiment",
    "loss",
}  # groups
OF_GROUPS = {"loss.delta"}  # of a group that is null unless it is typed


def run(**given_ones):
    return overrides_of(given_ones, (), sweeps=False)


def sweep(**given_ones):
    return overrides_of(given_ones, (), sweeps=True)


def error_of(call, **given_ones):
    with pytest.raises(InputError) as caught:
        call(**given_ones)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_argument_of_the_estimator_is_a_keyword_for_keys_that_exist():
    arguments = set(MLPClassifier().get_params())
    assert set(DERIVED) < arguments <= set(keywords())
    for name in keywords():
        assert set(keywords()[name]) <= {*keys_of("train"), *TYPED, *OF_GROUPS}, name


@pytest.mark.parametrize(
    ("given_ones", "overrides"),
    [
        ({"learning_rate": 0.1, "hidden_size": [32, 32]}, ["optimizer.learning_rate=0.1", "model.hidden_size=[32,32]"]),
        ({"hidden_size": (), "num_epochs": np.int64(3)}, ["model.hidden_size=[]", "training.num_epochs=3"]),
        ({"hidden_size": np.array([4, 2])}, ["model.hidden_size=[4,2]"]),
        ({"optimizer": "adam", "beta1": 0.5}, ["optimizer=adam", "optimizer.beta1=0.5"]),
        ({"loss": "huber", "delta": 0.5}, ["loss=huber", "loss.delta=0.5"]),
        ({"activation": {"name": "leaky_relu", "negative_slope": 1e-05}}, ["model.activation={name:leaky_relu,negative_slope:1e-05}"]),
        ({"batch_size": None, "batch_norm": False}, ["training.batch_size=null", "model.batch_norm=false"]),
        ({"learning_rate": None, "beta1": None, "random_state": None}, []),  # their defaults, as for the estimator
        ({"random_state": 7}, ["seed=7", "data.seed=7"]),
        ({"seed": 7}, ["seed=7"]),
        ({"early_stopping": True, "patience": 3}, ["training.early_stopping.enabled=true", "training.early_stopping.patience=3"]),
        ({"clip_norm": 1.0, "label_noise": np.float32(0.5)}, ["training.clip.norm=1.0", "training.label_noise=0.5"]),
        ({"metrics": ["accuracy", "error_rate"]}, ["training.metrics=[accuracy,error_rate]"]),
        ({"data": "moons", "noise": 0.1}, ["data=moons", "data.noise=0.1"]),
        ({"note": "it's 5 o'clock", "experiment_name": "2024"}, [r"run.note='it\'s 5 o\'clock'", 'experiment_name="2024"']),
        ({"tags": {"team": "a b", "fold": 3}}, ["run.tags={team:'a b',fold:3}"]),
        ({"roles": {"zip": "text", "größe (cm)": "category"}}, ["data.roles={zip:text,'größe (cm)':category}"]),
    ],
)  # fmt: skip
def test_a_keyword_is_the_override_of_its_key(given_ones, overrides):
    assert run(**given_ones) == overrides


def test_of_a_sweep_a_list_is_several_values_unless_one_value_may_be_a_list():
    assert sweep(seed=range(3), learning_rate=[0.1, 0.3], optimizer=["sgd", "adam"]) == [
        "seed=0,1,2",
        "optimizer.learning_rate=0.1,0.3",
        "optimizer=sgd,adam",
    ]
    assert sweep(hidden_size=[32, 16]) == ["model.hidden_size=[32,16]"]
    assert sweep(hidden_size=[[32], 16, []]) == ["model.hidden_size=[32],16,[]"]
    assert sweep(batch_size=[None, 8]) == ["training.batch_size=null,8"]


@pytest.mark.parametrize(
    ("call", "given_ones", "line"),
    [
        (run, {"learning_rat": 0.1}, "learning_rat: there is no such keyword; did you mean learning_rate?"),
        (run, {"zzzzz": 1}, "zzzzz: there is no such keyword; see help(mg.run) for the keywords"),
        (run, {"learning_rate": [0.1, 0.3]}, "learning_rate=[0.1, 0.3]: is several values; mg.sweep makes a run of each"),
        (run, {"seed": range(5)}, "seed=range(0, 5): is several values; mg.sweep makes a run of each"),
        (run, {"hidden_size": [[1], [2]]}, "hidden_size=<list>: is several values; mg.sweep makes a run of each"),
        (sweep, {"seed": []}, "seed=[]: holds no value"),
        (sweep, {"random_state": [1, 2]}, "random_state=[1, 2]: is several values; give a list to seed"),
        (run, {"seed": 1, "random_state": 1}, "random_state=1: seed is given twice, also as seed=1"),
        (run, {"learning_rate": float("inf")}, "learning_rate=inf: should be a finite number"),
        (run, {"activation": object()}, "activation: is a value of type object; needs a number, a text or a list"),
        (run, {"dtype": b"float32"}, "dtype: is a value of type bytes; needs a number, a text or a list"),
        (sweep, {"note": "x"}, "note: may be run.note or sweep.note; give it as text, such as 'run.note=...'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_keyword_is_one_line(call, given_ones, line):
    assert error_of(call, **given_ones) == line


def test_a_key_that_is_given_as_text_and_by_name_is_one_line():
    with pytest.raises(
        InputError, match=r"^learning_rate=0.1: optimizer.learning_rate is given twice, also as "
    ):
        overrides_of({"learning_rate": 0.1}, ["+optimizer.learning_rate=0.3"], sweeps=False)


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda text: "${" not in text)
)
def test_hydra_reads_a_text_as_it_was(text):
    read: Any = OverridesParser.create().parse_override(f"key={quoted_text(text)}").value()
    assert (read if isinstance(read, str) else read.text) == text
