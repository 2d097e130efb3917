"""Entries are options of config groups without a YAML file; a file of the same name wins."""

import dataclasses
import warnings
from pathlib import Path

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.types import RunMode
from omegaconf import OmegaConf
from tests.narrowing import of_type

from micrograde.config import entries
from micrograde.config.entries import groups
from micrograde.config.guard import GuardedLoader
from micrograde.config.parsing import parse_train_config
from micrograde.data import DATA_SETS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compose(monkeypatch, tmp_path):
    """Compose as a command does, with a folder of the user's own in front."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setattr(ConfigStore.instance(), "repo", dict(ConfigStore.instance().repo))

    def composed(*overrides, command="train"):
        search_path = create_config_search_path(str(ROOT / "conf"))
        search_path.prepend("mine", f"file://{tmp_path}")
        config = GuardedLoader(search_path).load_configuration(command, list(overrides), RunMode.RUN)
        container = of_type(dict, OmegaConf.to_container(config))
        return {key: value for key, value in container.items() if key != "hydra"}

    return composed


@pytest.mark.parametrize("group", ["optimizer", "schedule"])
def test_every_entry_is_an_option_with_all_its_keys_and_needs_no_file(compose, group):
    assert not (ROOT / "conf" / group).exists()
    for name, entry in groups()[group].items():
        container = compose(f"{group}={name}")
        assert list(container[group]) == list(entry.__dataclass_fields__)
        assert getattr(parse_train_config(container), group) == entry()


def test_only_what_is_chosen_becomes_a_config(compose, monkeypatch):
    made = []
    real = entries.defaults_of

    def defaults_of(entry):
        made.append(entry)
        return real(entry)

    monkeypatch.setattr(entries, "defaults_of", defaults_of)
    compose("optimizer=adam")
    group = groups()["optimizer"]
    assert group["adam"] in made
    assert group["rmsprop"] not in made


def test_every_data_set_is_an_option_with_all_its_keys(compose):
    for name, entry in DATA_SETS.items():
        chosen = compose(f"data={name}")["data"]
        assert set(chosen) == {field.name for field in dataclasses.fields(entry)}
        required = {field.name for field in dataclasses.fields(entry) if field.default is dataclasses.MISSING}
        assert {key for key, value in chosen.items() if value == "???"} == required


def test_replay_takes_the_paths_of_every_data_set(compose, monkeypatch):
    monkeypatch.setattr(DATA_SETS["npz"], "path_keys", ("path", "labels_path"))
    container = compose("data.labels_path=b.csv", command="replay")
    names = ("path", "validation_path", "test_path", "images", "labels", "test_images", "test_labels")
    paths = dict.fromkeys(names)
    assert container["data"] == {**paths, "labels_path": "b.csv"}


def test_a_file_wins_without_a_warning_and_the_entry_is_back_when_it_is_gone(compose, tmp_path):
    path = tmp_path / "optimizer" / "adamw.yaml"
    path.parent.mkdir()
    path.write_text("# mine\nname: adamw\nlearning_rate: 0.5\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compose("optimizer=adamw")["optimizer"] == {"name": "adamw", "learning_rate": 0.5}
    assert compose("optimizer=adam")["optimizer"]["beta1"] == 0.9
    path.unlink()
    assert compose("optimizer=adamw")["optimizer"]["learning_rate"] == 0.01


def test_a_preset_beside_the_entries_is_an_option_too(compose, tmp_path):
    (tmp_path / "schedule").mkdir()
    (tmp_path / "schedule" / "mine.yaml").write_text("# mine\nname: step\nfactor: 0.1\n")
    assert compose("schedule=mine")["schedule"] == {"name": "step", "factor": 0.1}
