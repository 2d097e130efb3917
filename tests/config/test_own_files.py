"""The project's own config files: they win, their gaps are filled, and mistakes name the file."""

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.types import RunMode
from omegaconf import OmegaConf
from tests.narrowing import of_type

from micrograde.config.guard import GuardedLoader
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import flatten, to_container
from micrograde.core.errors import InputError
from micrograde.core.project import MARK, conf_folder


@pytest.fixture
def compose(monkeypatch, tmp_path):
    """Compose as a command does in a project; yields a function, and the project's conf/ is ``.folder``."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setattr(ConfigStore.instance(), "repo", dict(ConfigStore.instance().repo))
    (tmp_path / MARK).touch()

    def composed(*overrides, **files):
        for name, text in files.items():
            path = tmp_path / "conf" / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        loader = GuardedLoader(create_config_search_path(str(conf_folder())))
        config = loader.load_configuration("train", list(overrides), RunMode.RUN)
        container = of_type(dict, OmegaConf.to_container(config))
        return {key: value for key, value in container.items() if key not in ("hydra", "sweep")}

    return composed


def recipe_of(container):
    """Check a composed config, and return its keys and values."""
    return flatten(to_container(parse_train_config(container)))


def test_a_file_wins_and_what_it_leaves_out_has_its_default(compose):
    usual = recipe_of(compose())
    mine = recipe_of(
        compose(
            "optimizer.momentum=0.5",
            optimizer__sgd="learning_rate: 0.037\n",
            model__mlp="hidden_size: [7]\n",
            training__default="num_epochs: 3\nclip:\n  norm: 1.0\n",
            data__digits="validation_fraction: 0.2\n",
        )
    )
    assert (mine["optimizer.learning_rate"], mine["optimizer.momentum"]) == (0.037, 0.5)
    assert mine["model.hidden_size"] == 7
    assert mine["model.activation"] == usual["model.activation"]
    assert mine["training.num_epochs"] == 3
    assert mine["training.clip.norm"] == 1.0
    assert mine["training.batch_size"] == usual["training.batch_size"]
    assert mine["data.validation_fraction"] == 0.2


def test_a_new_option_says_of_which_kind_it_is(compose):
    files = {"optimizer__slow": "name: adam\nbeta1: 0.5\n", "schedule__mine": "name: step\n"}
    mine = recipe_of(compose("optimizer=slow", "schedule=mine", "schedule.factor=0.1", **files))
    assert mine["optimizer.name"] == "adam"
    assert mine["optimizer.beta1"] == 0.5
    assert mine["schedule.factor"] == 0.1


def test_a_file_may_build_on_another(compose):
    text = "defaults:\n  - sgd\n  - _self_\nmomentum: 0.9\n"
    files = {"optimizer__sgd": "learning_rate: 0.037\n", "optimizer__fast": text}
    mine = recipe_of(compose("optimizer=fast", **files))
    assert (mine["optimizer.learning_rate"], mine["optimizer.momentum"]) == (0.037, 0.9)


def test_a_preset_is_found_and_what_is_typed_wins(compose):
    text = (
        "# @package _global_\ndefaults:\n  - override /optimizer: adam\ntraining:\n  num_epochs: 3\nseed: 5\n"
    )
    mine = recipe_of(compose("experiment=mine", "seed=6", experiment__mine=text))
    assert (mine["optimizer.name"], mine["training.num_epochs"], mine["seed"]) == ("adam", 3, 6)


@pytest.mark.parametrize(
    ("files", "overrides", "line"),
    [
        (
            {"optimizer__typo": "name: sgd\nlerning_rate: 0.1\n"},
            ["optimizer=typo"],
            r"conf/optimizer/typo\.yaml: optimizer\.lerning_rate: there is no such key; did you mean optimizer\.learning_rate",
        ),
        (
            {"optimizer__mine": "learning_rate: 0.1\n"},
            ["optimizer=mine"],
            r"conf/optimizer/mine\.yaml: name=mine: should be one of adam, adamw, rmsprop, sgd",
        ),
        (
            {"training__default": "clip:\n  nrm: 1\n"},
            [],
            r"conf/training/default\.yaml: training\.clip\.nrm: there is no such key; did you mean training\.clip\.norm",
        ),
        ({"optimizer__sgd": "- 1\n"}, [], r"conf/optimizer/sgd\.yaml: should hold keys and values"),
        ({"train": "seed: 5\n"}, [], r"conf/train\.yaml: would stand in for the whole config; .*conf/experiment/NAME\.yaml"),
        (
            {"optimizer__evil": "name: sgd\n_target_: os.system\n"},
            ["optimizer=evil"],
            r"optimizer\._target_: would run Python code",
        ),
        (
            {"hydra__launcher__evil": "_target_: os.system\n"},
            ["hydra/launcher=evil"],
            r"hydra\.launcher\._target_: would run Python code",
        ),
    ],
)  # fmt: skip
def test_a_mistake_names_the_file(compose, files, overrides, line):
    with pytest.raises(InputError, match=line):
        compose(*overrides, **files)


def test_the_conf_of_another_program_is_left_alone(compose, tmp_path):
    (tmp_path / MARK).unlink()
    config = compose(optimizer__sgd="_target_: torch.optim.SGD\n", train="anything: 1\n")
    assert recipe_of(config)["optimizer.learning_rate"] == 0.2
