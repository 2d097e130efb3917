import dataclasses
import inspect
from pathlib import Path
from typing import get_args

import pytest
import yaml

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import AnyData, DataConfig
from micrograde.core.errors import InputError
from micrograde.data import load_dataset
from micrograde.data.loading import GENERATORS, READERS

CONF = Path(__file__).parents[2] / "conf" / "data"
SPLIT_FIELDS = {field.name for field in dataclasses.fields(DataConfig)} - {"seed"}
MEMBERS = {
    name: member
    for member in get_args(get_args(AnyData)[0])
    for name in get_args(member.__annotations__["name"])
}


def own_fields(name):
    return {
        field.name: field.default
        for field in dataclasses.fields(MEMBERS[name])
        if field.name not in SPLIT_FIELDS | {"name"}
    }


def test_every_data_set_of_the_config_has_a_loader_and_a_yaml_file():
    assert set(MEMBERS) == set(GENERATORS) | set(READERS)
    assert set(MEMBERS) == {path.stem for path in CONF.glob("*.yaml")}


@pytest.mark.parametrize("name", MEMBERS)
def test_the_loaders_parameters_are_the_configs_keys(name):
    loader = GENERATORS.get(name) or READERS[name]
    parameters = inspect.signature(loader).parameters
    seed = set() if name in GENERATORS else {"seed"}
    assert set(parameters) | seed == set(own_fields(name))
    for parameter in parameters.values():
        if parameter.default is not inspect.Parameter.empty:
            assert parameter.default == own_fields(name)[parameter.name]


@pytest.mark.parametrize("name", MEMBERS)
def test_the_yaml_file_says_what_it_is_for_and_has_the_configs_keys(name):
    text = (CONF / f"{name}.yaml").read_text()
    assert text.startswith("# ")
    values = yaml.safe_load(text)
    assert values["name"] == name
    assert set(values) == {"name"} | SPLIT_FIELDS | set(own_fields(name))
    for key, default in own_fields(name).items():
        mandatory = default is dataclasses.MISSING
        assert values[key] == ("???" if mandatory else default)


@pytest.mark.parametrize("name", MEMBERS)
def test_the_yaml_file_is_a_valid_config(name):
    values = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    given = {key: f"some_{key}" if value == "???" else value for key, value in values.items()}
    container = {
        "data": given,
        "model": {},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {},
        "tracking": {"name": "disabled"},
    }
    assert dataclasses.asdict(parse_train_config(container).data) == given


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"data.name=mnist: must be one of gaussian, .*, idx"):
        load_dataset("mnist", seed=0)
