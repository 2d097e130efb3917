import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import first_sentence, hyperparameters_of
from micrograde.data import DATA_SETS, DataSet, load, load_dataset
from micrograde.data.sets import GeneratedDataSet

CONF = Path(__file__).parents[2] / "conf" / "data"
FILES = [path.stem for path in CONF.glob("*.yaml")]
GENERATED = [name for name, entry in DATA_SETS.items() if issubclass(entry, GeneratedDataSet)]

DIGESTS = {
    "digits": "a4405798d8c2ea42",
    "iris": "2e51e7aa56a64896",
    "wine": "c0392606ac4a6fcd",
    "breast_cancer": "57f018f840f4d9e0",
    "gaussian": "f8166bb52314d9eb",
    "blobs": "954d3d9bb7dac922",
    "moons": "d50e486b0dc06fdd",
    "circles": "c46433b12e87efc4",
    "spirals": "562ae154c9fb164b",
    "xor": "62f615b6bb9334fb",
}
"""How the digests that micrograde 0.1 recorded begin, of each data set with its defaults."""

DIGESTS_OF_NUMBERS = {
    "sine": "e342a0ef59eb",
    "surface": "57e4e0501bed",
    "friedman1": "aeb6b5691135",
    "friedman2": "1f94c9169f25",
    "friedman3": "b11da4b49894",
    "diabetes": "deabeb88bb6f",
}
"""The same of the data sets that came with regression."""


def made_of(name):
    """Return the data set with its defaults, and with a text for each key that has none."""
    keys: dict[str, Any] = {
        each.name: "0" * 64 if each.name == "digest" else f"some_{each.name}"
        for each in hyperparameters_of(DATA_SETS[name]).values()
        if each.default is dataclasses.MISSING
    }
    return DATA_SETS[name](**keys)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_data_set_is_what_it_has_always_been(name):
    assert load(DATA_SETS[name]()).digest.startswith(DIGESTS[name])
    assert load(DATA_SETS[name](), version=1).digest.startswith(DIGESTS[name])


@pytest.mark.parametrize("name", DIGESTS_OF_NUMBERS)
def test_a_data_set_of_numbers_stays_what_it_is(name):
    dataset = load(DATA_SETS[name]())
    assert dataset.digest.startswith(DIGESTS_OF_NUMBERS[name])
    assert (dataset.task, dataset.class_names) == ("regression", ())
    assert dataset.labels.shape == (len(dataset.features), len(dataset.target_names))
    assert load(DATA_SETS[name](), task="regression").digest == dataset.digest
    with pytest.raises(InputError, match=rf"^task=classification: data.name={name} is for regression; "):
        load(DATA_SETS[name](), task="classification")


@pytest.mark.parametrize("name", GENERATED)
def test_the_seed_decides_about_generated_rows(name):
    digests = {load(DATA_SETS[name](seed=seed)).digest for seed in (3, 3, 4)}
    assert len(digests) == 2


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_says_what_it_and_each_of_its_keys_is(name):
    entry, keys = DATA_SETS[name], hyperparameters_of(DATA_SETS[name])
    assert first_sentence(entry)
    assert set(keys) == {field.name for field in dataclasses.fields(entry)} - {"name"}
    assert [key.name for key in keys.values() if not key.sentence] == []
    assert set(entry.path_keys) | {entry.size_key or "seed"} <= set(keys)


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_data_set_is_part_of_a_recipe(name):
    data = made_of(name)
    container = {
        "data": dataclasses.asdict(data),
        "model": {},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {},
        "tracking": {"name": "disabled"},
    }
    assert parse_train_config(container).data == data
    with pytest.raises(InputError, match=r"data.seeds: there is no such key; did you mean data.seed\b"):
        parse_train_config({**container, "data": {**container["data"], "seeds": 3}})


@pytest.mark.parametrize("name", FILES)
def test_the_yaml_file_says_what_it_is_for_and_has_the_entrys_keys(name):
    text = (CONF / f"{name}.yaml").read_text()
    assert text.startswith("# ")
    given = {key: f"some_{key}" if value == "???" else value for key, value in yaml.safe_load(text).items()}
    common = {field.name for field in dataclasses.fields(DataSet)} if name == "gaussian" else set()
    expected = dataclasses.asdict(made_of(name))
    assert set(given) == set(expected)
    assert {key for key in given if given[key] != expected[key]} <= common


def test_of_several_files_of_a_kind_the_suffix_decides():
    endings = [suffix for entry in DATA_SETS.values() for suffix in entry.suffixes]
    assert len(endings) == len(set(endings))
    assert "" in endings


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"data.name=mnist: must be one of blobs, .*, xor"):
        load_dataset("mnist", seed=0)


@pytest.mark.parametrize("name", [*DIGESTS, *DIGESTS_OF_NUMBERS])
def test_what_only_splits_rows_does_not_tell_them_apart_and_the_seed_of_generated_ones_does(name):
    plain = DATA_SETS[name]()
    otherwise = dataclasses.replace(
        plain, validation_fraction=0.3, test_fraction=0.2, stratify=False, standardize=False
    )
    seeded = dataclasses.replace(plain, seed=7)
    assert otherwise.rows_key() == plain.rows_key()
    assert load(otherwise).digest == load(plain).digest
    same_rows = load(seeded).digest == load(plain).digest
    assert (seeded.rows_key() == plain.rows_key()) == same_rows == (name not in GENERATED)


def test_entries_of_a_plug_in_share_no_rows(monkeypatch):
    monkeypatch.setattr("micrograde.data.sets.plugin_of", lambda _: object())
    iris = DATA_SETS["iris"]
    assert iris(seed=1).rows_key() != iris(seed=2).rows_key() == iris(seed=2).rows_key()
