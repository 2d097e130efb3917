"""Recipes of earlier versions: read as they were meant, and known by the digest that they were recorded under."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from pydantic import Field, StrictBool
from pydantic.dataclasses import dataclass
from tests.config.test_schema import PLAIN, with_value
from tests.conftest import ROOT
from tests.narrowing import of_type

from micrograde.config import parsing
from micrograde.config.entries import offer_entries
from micrograde.config.hydra_versions import BEHAVIOUR
from micrograde.config.parsing import parse_train_config
from micrograde.config.recipe_versions import (
    RECIPE_VERSION,
    VERSION_KEY,
    DefaultBefore,
    Later,
    complete,
    without_legacy,
)
from micrograde.config.schema import ModelConfig, TrainConfig, config_digest, to_container
from micrograde.config.types import SCHEMA
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import Fraction, PositiveInt
from micrograde.runs.building import stack_key
from micrograde.runs.replaying import compare_histories
from micrograde.runs.train import PreparedSets
from micrograde.store import tags
from micrograde.sweeps import identity as identity_module
from micrograde.sweeps.identity import identify
from micrograde.training import Optimizer
from micrograde.training.optimizers.sgd import SGD

# --- a copy of the schema with a key added, a default changed, an option added --------------------------


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class Clipping:
    """A part of the config that came later as a whole."""

    name: Literal["none", "norm"] = "norm"
    limit: PositiveInt = 1


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class LaterModel(ModelConfig):
    """With a key whose default is not what version 1 did, and one of which the default has changed."""

    dropout: Annotated[Fraction, Later(since=2, legacy=0.0)] = 0.1
    batch_norm: Annotated[StrictBool, DefaultBefore(version=2, value=True)] = False


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class LaterSGD(SGD):
    """One of a union, with a key of its own."""

    dampening: Annotated[Fraction, Later(since=3, legacy=0.0)] = 0.5


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class LionConfig(Optimizer):
    """An option that came later needs no mark: version 1 could not choose it."""

    name: Literal["lion"] = "lion"


@dataclass(config=SCHEMA, frozen=True, kw_only=True)
class LaterConfig(TrainConfig):
    """The recipe of a later version."""

    recipe_version: PositiveInt = 3
    model: LaterModel
    optimizer: Annotated[LaterSGD | LionConfig, Field(discriminator="name")]
    clipping: Annotated[Clipping, Later(since=2, legacy=Clipping(name="none"))] = Clipping()


@pytest.fixture
def later_schema(monkeypatch):
    """The program as it will be when the schema is that copy."""
    monkeypatch.setattr(parsing, "TrainConfig", LaterConfig)
    monkeypatch.setattr(identity_module, "TrainConfig", LaterConfig)
    monkeypatch.setattr("micrograde.config.recipe_versions.RECIPE_VERSION", 3)


def parse_later_config(recipe: Mapping[str, Any]) -> LaterConfig:
    """A config of that copy."""
    return of_type(LaterConfig, parse_train_config(recipe))


def sgd_of(config: LaterConfig) -> LaterSGD:
    return of_type(LaterSGD, config.optimizer)


def old_recipe(**model):
    return {**PLAIN, "model": model, "optimizer": {"name": "sgd"}}


@pytest.mark.usefixtures("later_schema")
def test_the_absence_of_a_key_means_what_was_done_before_there_was_the_key():
    first = parse_later_config(old_recipe())
    assert (first.recipe_version, first.model.dropout, first.model.batch_norm) == (1, 0.0, True)
    assert (sgd_of(first).dampening, first.clipping.name) == (0.0, "none")
    second = parse_later_config({**old_recipe(), VERSION_KEY: 2})
    assert (second.model.dropout, second.model.batch_norm, sgd_of(second).dampening) == (0.1, False, 0.0)
    third = parse_later_config({**old_recipe(), VERSION_KEY: 3})
    assert (sgd_of(third).dampening, third.clipping.name) == (0.5, "norm")


@pytest.mark.usefixtures("later_schema")
def test_what_is_given_is_never_replaced():
    config = parse_later_config(old_recipe(dropout=0.3, batch_norm=False))
    assert (config.model.dropout, config.model.batch_norm) == (0.3, False)


@pytest.mark.usefixtures("later_schema")
def test_old_runs_keep_their_digest_and_new_settings_have_others():
    before = config_digest(TrainConfig(**vars(_first_version(old_recipe()))))
    assert config_digest(parse_train_config(old_recipe())) == before
    same = {**old_recipe(dropout=0.0, batch_norm=True), VERSION_KEY: 3, "clipping": {"name": "none"}}
    same["optimizer"] = {"name": "sgd", "dampening": 0}
    assert config_digest(parse_train_config(same)) == before  # as a new command line would give it
    for key, value in {"clipping": {"name": "norm"}, "model": {"dropout": 0.1, "batch_norm": True}}.items():
        assert config_digest(parse_train_config({**same, key: value})) != before


def _first_version(recipe):
    """The recipe by today's schema."""
    return parsing._parse(TrainConfig, {**recipe, VERSION_KEY: 1})


@given(
    dropout=st.none() | st.floats(0, 0.9),
    batch_norm=st.none() | st.booleans(),
    limit=st.none() | st.integers(1, 9),
    version=st.none() | st.integers(1, 3),
)
def test_a_recipe_that_is_complete_stays_as_it_is(dropout, batch_norm, limit, version):
    model = {"dropout": dropout, "batch_norm": batch_norm}
    recipe = {"model": {key: value for key, value in model.items() if value is not None}}
    if limit:
        recipe["clipping"] = {"name": "norm", "limit": limit}
    if version:
        recipe[VERSION_KEY] = version
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("micrograde.config.recipe_versions.RECIPE_VERSION", 3)
        whole = complete(recipe, LaterConfig)
        assert complete(whole, LaterConfig) == whole
    stripped = without_legacy(whole, LaterConfig)
    assert VERSION_KEY not in stripped
    assert without_legacy(stripped, LaterConfig) == stripped
    assert {**whole["model"], **stripped["model"]} == whole["model"]
    assert ("dropout" in stripped["model"]) == (whole["model"].get("dropout", 0.0) != 0.0)


def test_true_is_not_one_and_one_is_one_point_zero():
    @dataclass(config=SCHEMA)
    class Schema:
        count: Annotated[int, Later(since=2, legacy=1)] = 1

    assert without_legacy({"count": 1.0}, Schema) == {}
    assert without_legacy({"count": True}, Schema) == {"count": True}


@pytest.mark.parametrize("version", [0, -1, True, "two", 1.5, None])
def test_a_version_that_is_none(version):
    with pytest.raises(InputError, match=r"^recipe_version=.*: should be a whole number from 1 to \d+$"):
        parse_train_config({**PLAIN, VERSION_KEY: version})


def test_a_recipe_of_a_later_version_is_refused_for_that_alone():
    recipe = {**with_value("model.of_the_future", 1), VERSION_KEY: RECIPE_VERSION + 1}
    with pytest.raises(InputError) as caught:
        parse_train_config(recipe)
    assert str(caught.value) == (
        f"recipe_version={RECIPE_VERSION + 1}: was made by a later micrograde; this one knows recipes up to "
        f"version {RECIPE_VERSION}, so install a newer one to use it"
    )


def test_commands_make_recipes_of_the_present_version():
    offer_entries()
    with initialize_config_dir(str(ROOT / "conf"), **BEHAVIOUR):
        composed = of_type(dict, OmegaConf.to_container(compose("train"), resolve=True))
    assert parse_train_config(composed).recipe_version == RECIPE_VERSION
    assert to_container(parse_train_config(composed))[VERSION_KEY] == RECIPE_VERSION


# --- what version 0.1 recorded ---------------------------------------------------------------------------


def recorded(old_home):
    """Of each run that version 0.1 trained: its recipe, and the digest that it was recorded under."""
    with sqlite3.connect(old_home / "mlruns" / "mlflow.db") as connection:
        digests = dict(
            connection.execute("select run_uuid, value from tags where key = ?", (tags.CONFIG_DIGEST,))
        )
    recipes = {
        path.parts[-4]: path for path in old_home.glob("mlruns/artifacts/*/*/artifacts/config/config.yaml")
    }
    assert len(digests) == 9
    assert set(recipes) == set(digests)
    return [(yaml.safe_load(recipes[run_id].read_text()), digest) for run_id, digest in digests.items()]


def test_runs_of_version_0_1_are_known_by_their_digests(old_home):
    for recipe, digest in recorded(old_home):
        assert config_digest(parse_train_config(recipe)) == digest


@pytest.mark.usefixtures("later_schema")
def test_they_still_are_when_keys_come_and_defaults_change(old_home):
    for recipe, digest in recorded(old_home):
        if recipe["optimizer"]["name"] == "sgd":
            config = parse_later_config(recipe)
            assert config.model.dropout == 0.0
            assert config_digest(config) == digest


def sweep_of_version_0_1():
    """Its command again, as Hydra composes it today; with the master config."""
    typed = ["data=moons", "seed=range(2)", "optimizer.learning_rate=0.1,0.5", "training.num_epochs=6"]
    offer_entries()
    with initialize_config_dir(str(ROOT / "conf"), **BEHAVIOUR):
        fixed = [text for text in typed if "," not in text and "(" not in text]
        master = compose("train", fixed, return_hydra_config=True)
        composed = OmegaConf.masked_copy(master, [str(key) for key in master if key != "hydra"])
    sweeper = OmegaConf.to_container(master.hydra.sweeper, resolve=True)
    master = OmegaConf.create({"hydra": {"overrides": {"task": typed}, "sweeper": sweeper}})
    return master, OmegaConf.to_container(composed, resolve=True)


def recorded_sweep(old_home):
    with sqlite3.connect(old_home / "mlruns" / "mlflow.db") as connection:
        ((digest,),) = connection.execute("select value from tags where key = ?", (tags.SWEEP_DIGEST,))
    return digest


def test_a_sweep_of_version_0_1_is_known_by_its_digest(old_home):
    assert identify(*sweep_of_version_0_1()).digest == recorded_sweep(old_home)


@pytest.mark.usefixtures("later_schema")
def test_it_still_is_when_keys_come_that_are_at_what_was_done_before(old_home):
    master, composed = sweep_of_version_0_1()
    later = json.loads(json.dumps(composed))
    later["clipping"], later["recipe_version"] = {"name": "none", "limit": 1}, 3
    later["model"]["dropout"], later["optimizer"]["dampening"] = 0.0, 0.0
    assert identify(master, later).digest == recorded_sweep(old_home)
    later["model"]["dropout"] = 0.1
    assert identify(master, later).digest != recorded_sweep(old_home)


# --- what later versions measure besides -----------------------------------------------------------------


def test_a_metric_that_was_not_recorded_then_is_no_difference():
    known, new = compare_histories(
        {"loss": {1: 0.5, 2: 0.25}}, {"loss": {1: 0.5, 2: 0.25}, "kept/loss": {2: 0.5}}
    )
    assert known.line().endswith("2 values  identical")
    assert (new.different, new.recorded) == (0, False)
    assert new.line().endswith("1 values  not recorded then")


def test_a_metric_that_is_missing_now_or_at_one_step_is_a_difference():
    lost, short = compare_histories({"gone": {1: 1.0}, "loss": {1: 0.5}}, {"loss": {1: 0.5, 2: 0.25}})
    assert (lost.metric, short.metric) == ("loss", "gone")
    assert (lost.different, short.different) == (1, 1)
    assert lost.recorded
    assert short.recorded


# --- what a version changes in reading -------------------------------------------------------------------


def test_a_recipe_of_version_1_goes_on_reading_classes_as_it_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{row},{('7', '07', '8')[row % 3]}\n" for row in range(60))
    (tmp_path / "codes.csv").write_text(f"x,code\n{rows}")
    data = {"name": "csv", "path": "codes.csv", "target": "code"}

    def read(version):
        return PreparedSets().of(parse_train_config({**PLAIN, "data": data, VERSION_KEY: version})).dataset

    first, second = read(1), read(2)
    assert first.class_names == ("7", "8")
    assert sorted(second.class_names) == ["07", "7", "8"]
    assert first.digest != second.digest


def test_runs_of_two_versions_are_no_stack():
    first, second = (parse_train_config({**PLAIN, VERSION_KEY: version}) for version in (1, 2))
    assert stack_key(first) != stack_key(second)
    assert config_digest(first) == config_digest(second)
