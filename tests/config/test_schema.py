"""The schema: what is accepted comes back as it was, what is not gives one line that helps."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.recipes import with_keys

from micrograde.config.commands import CompareConfig
from micrograde.config.parsing import parse_command, parse_train_config
from micrograde.config.schema import RunConfig, as_params, config_digest, flatten, to_container
from micrograde.core.errors import InputError
from micrograde.training.callbacks.early_stopping import EarlyStoppingSettings

PLAIN = {
    "data": {"name": "digits"},
    "model": {},
    "optimizer": {"name": "sgd"},
    "schedule": {"name": "constant"},
    "training": {},
    "tracking": {"name": "local"},
}


def with_value(key, value):
    return with_keys(PLAIN, {key: value})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("optimizer.learning_rate", -1, "optimizer.learning_rate=-1: should be greater than 0"),
        ("optimizer.learning_rate", 0, "optimizer.learning_rate=0: should be greater than 0"),
        (
            "optimizer.learning_rate",
            float("inf"),
            "optimizer.learning_rate=Infinity: should be a finite number",
        ),
        ("optimizer.learning_rate", "fast", "optimizer.learning_rate=fast: should be a valid number"),
        ("optimizer.learning_rate", True, "optimizer.learning_rate=true: should be a valid number"),
        ("optimizer.momentum", 1.0, "optimizer.momentum=1.0: should be less than 1"),
        (
            "optimizer.nesterov",
            True,
            "optimizer.nesterov=true: needs momentum, but optimizer.momentum=0; set it to 0.9, say",
        ),
        ("optimizer.name", "lion", "optimizer.name=lion: must be one of 'adam', 'adamw', 'rmsprop', 'sgd'"),
        ("optimizer.lerning_rate", 1, "optimizer.lerning_rate: there is no such key; did you mean"),
        ("model.hidden_size", [8, 0], "model.hidden_size[1]=0: should be greater than or equal to 1"),
        ("model.hidden_size", "wide", "model.hidden_size=wide: should be a valid integer"),
        (
            "model.activation",
            "swish",
            "model.activation=swish: should be 'elu', 'gelu', 'gelu_tanh', 'leaky_relu', ",
        ),
        ("model.activation", 3, "model.activation=3: should be 'elu', 'gelu', "),
        (
            "model.activation",
            {"name": "swish"},
            "model.activation.name=swish: must be one of 'elu', 'gelu', ",
        ),
        (
            "model.activation",
            {"name": "leaky_relu", "negative_slope": 1.5},
            "model.activation.negative_slope=1.5: should be less than 1",
        ),
        (
            "model.activation",
            {"name": "tanh", "negative_slope": 0.1},
            "model.activation.negative_slope: there is no such key",
        ),
        ("model.normalization", "layer", "model.normalization=layer: should be 'batch_norm'"),
        ("training.num_epochs", 0, "training.num_epochs=0: should be greater than or equal to 1"),
        ("training.num_epochs", 1.5, "training.num_epochs=1.5: should be a valid integer"),
        ("training.batch_size", 0, "training.batch_size=0: should be greater than or equal to 1"),
        ("training.dtype", "float16", "training.dtype=float16: should be 'float32' or 'float64'"),
        ("training.early_stopping.patience", 0, "training.early_stopping.patience=0: should be greater"),
        ("data.name", "mnist", "data.name=mnist: must be one of 'blobs', 'breast_cancer'"),
        ("data.validation_fraction", 1.5, "data.validation_fraction=1.5: should be less than 1"),
        (
            "data.validation_fraction",
            0.95,
            "data.validation_fraction=0.95 and data.test_fraction=0.1: must add up",
        ),
        ("data.seed", -1, "data.seed=-1: should be greater than or equal to 0"),
        ("data", {"name": "csv", "target": "y"}, "data.path: is missing; it needs a value"),
        ("data", {"name": "csv", "path": "???", "target": "y"}, "data.path: is missing; it needs a value"),
        ("data", 3, "data=3: should be a valid dictionary"),
        ("experiment_name", "a/b", "experiment_name=a/b: should hold neither a slash nor control"),
        ("seed", "one", "seed=one: should be a valid integer"),
        ("experiment_name", "", 'experiment_name="": should have at least 1 character'),
        (
            "tracking",
            {"name": "server", "uri": "ftp://x"},
            "tracking.uri: should be an address that starts with http",
        ),
        ("run.name", 1e5, "run.name=100000.0: is read as a number; put it in quotes: '\"1e5\"'"),
        ("run.name", "a\nb", "run.name=a\\nb: should hold neither control characters"),
        ("run.tags", "team", "run.tags=team: should be tags such as '{team: a, fold: 3}'"),
        (
            "run.tags",
            {"mlflow.x": "a"},
            'run.tags={"mlflow.x": "a"}: holds a tag mlflow.x, but names that begin',
        ),
        ("run.tags", {"a": None}, 'run.tags={"a": null}: holds a tag a that is neither text nor a number'),
        ("run.tags", {"a\x1b": 1}, 'run.tags={"a'),
        ("learning_rate", 1, "learning_rate: there is no such key; did you mean"),
    ],
)
def test_a_mistake_gives_one_line_that_names_key_value_and_what_is_allowed(key, value, message):
    with pytest.raises(InputError) as caught:
        parse_train_config(with_value(key, value))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_early_stopping_needs_a_validation_part():
    container = with_value("training.early_stopping.enabled", True)
    container["data"]["validation_fraction"] = 0
    with pytest.raises(InputError, match=r"needs a validation part, but data.validation_fraction=0"):
        parse_train_config(container)


TABLE = {"name": "csv", "path": "trees.csv", "target": "species"}


@pytest.mark.parametrize(
    ("data", "enabled"),
    [
        (TABLE, True),
        ({**TABLE, "name": "parquet"}, True),
        ({"name": "frame", "digest": "0" * 64, "target": "y"}, True),
        ({**TABLE, "validation_fraction": 0}, False),
        ({"name": "iris"}, False),
        ({"name": "npz", "path": "a.npz"}, False),
    ],
)
@pytest.mark.parametrize("given", [{}, {"early_stopping": {"enabled": None}}])
def test_tables_are_trained_with_early_stopping_unless_it_is_said_otherwise(data, enabled, given):
    recipe = {**PLAIN, "recipe_version": 3, "data": data, "training": given}
    config = parse_train_config(recipe)
    assert to_container(config)["training"]["early_stopping"]["enabled"] is enabled
    assert as_params(config)["training.early_stopping.enabled"] == str(enabled).lower()
    assert parse_train_config(to_container(config)) == config
    off = {**recipe, "training": {"early_stopping": {"enabled": False}}}
    assert not parse_train_config(off).training.settings_of(EarlyStoppingSettings).enabled
    assert (config_digest(parse_train_config(off)) == config_digest(config)) is not enabled
    for version in (1, 2):
        before = parse_train_config({**recipe, "recipe_version": version, "training": {}})
        assert before.training.settings_of(EarlyStoppingSettings).enabled is False


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("trees.csv", "trees"),
        ("/some/where/customers_made.csv.gz", "customers_made"),
        ("penguins (1).csv", "penguins (1)"),
        ("adult.data", "adult"),
        ("2024.csv", "2024"),
        ("v1.2.csv", "v1.2"),
        ("no ending", "no ending"),
        (".csv", ".csv"),
        ("a\u202eb.csv", "a_b"),
        ("token=abc.csv", "token=***"),
        ("x" * 300 + ".csv", "x" * 250),
        (" .csv", "csv"),
        ("/", "csv"),
    ],
)
def test_runs_of_a_table_are_filed_under_the_name_of_its_file(path, name):
    assert parse_train_config({**PLAIN, "data": {**TABLE, "path": path}}).experiment_name == name


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_the_name_of_any_file_is_that_of_an_experiment(path):
    config = parse_train_config({**PLAIN, "data": {**TABLE, "path": path}})
    again = parse_train_config({**PLAIN, "experiment_name": config.experiment_name})
    assert again.experiment_name == config.experiment_name


def test_a_name_that_is_given_wins_and_other_data_give_theirs():
    named = {**PLAIN, "data": TABLE, "experiment_name": "mine"}
    assert parse_train_config(named).experiment_name == "mine"
    assert parse_train_config({**named, "experiment_name": None}).experiment_name == "trees"
    assert parse_train_config(PLAIN).experiment_name == "digits"


def test_every_mistake_has_its_line():
    container = with_value("optimizer.learning_rate", -1)
    container["training"]["num_epochs"] = 0
    with pytest.raises(InputError) as caught:
        parse_train_config(container)
    assert len(str(caught.value).splitlines()) == 2


@given(
    hidden=st.one_of(st.integers(1, 99), st.lists(st.integers(1, 99), max_size=3)),
    rate=st.floats(1e-9, 1e3),
    seed=st.integers(0, 2**63 - 1),
    optimizer=st.sampled_from(["sgd", "adam"]),
    data=st.sampled_from(
        [{"name": "moons", "noise": 1}, {"name": "iris"}, {"name": "idx", "images": "a", "labels": "b"}]
    ),
)
def test_a_config_survives_the_way_to_yaml_and_back(hidden, rate, seed, optimizer, data):
    container = {
        **PLAIN,
        "model": {"hidden_size": hidden},
        "optimizer": {"name": optimizer, "learning_rate": rate},
        "seed": seed,
        "data": data,
    }
    config = parse_train_config(container)
    again = parse_train_config(to_container(config))
    assert again == config
    assert config_digest(again) == config_digest(config)
    assert flatten(to_container(config))["optimizer.learning_rate"] == rate


def test_the_digest_tells_recipes_apart_and_nothing_else():
    plain = config_digest(parse_train_config(PLAIN))
    assert config_digest(parse_train_config({**PLAIN, "experiment_name": "other"})) == plain
    assert config_digest(parse_train_config({**PLAIN, "tracking": {"name": "disabled"}})) == plain
    assert config_digest(parse_train_config(with_value("optimizer.learning_rate", 0.2))) == plain
    assert config_digest(parse_train_config(with_value("model.hidden_size", [32]))) == plain
    words = with_value("run", {"name": 7, "tags": {"team": "a", "fold": 3}, "note": "why"})
    assert parse_train_config(words).run == RunConfig(name="7", tags={"team": "a", "fold": "3"}, note="why")
    assert config_digest(parse_train_config(words)) == plain
    assert as_params(parse_train_config(words)) == as_params(parse_train_config(PLAIN))
    drawn = parse_train_config(with_value("drawing.format", "pdf"))
    assert config_digest(drawn) == plain
    assert as_params(drawn) == as_params(parse_train_config(PLAIN))
    assert to_container(drawn)["drawing"] == {"format": "pdf"}
    assert parse_train_config(PLAIN).drawing.format == "auto"
    assert config_digest(parse_train_config(with_value("seed", 1))) != plain
    assert config_digest(parse_train_config(with_value("optimizer.weight_decay", 1e-9))) != plain


def test_compare():
    config = parse_command(CompareConfig, {"where": ["seed=1"], "limit": 3})
    assert config.where == ("seed=1",)
    with pytest.raises(InputError, match="order=up: should be 'auto', 'ascending' or 'descending'"):
        parse_command(CompareConfig, {"order": "up"})


def test_what_version_0_1_had_in_micrograde_config_can_still_be_imported_from_there():
    from micrograde.config import TrainConfig as FormerName
    from micrograde.config import schema

    assert FormerName is schema.TrainConfig
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from micrograde.config import nothing  # noqa: F401


def test_roles_of_columns_are_one_param_whose_name_mlflow_takes():
    from mlflow.utils.validation import _validate_param

    table = {"name": "csv", "path": "trees.csv", "target": "kind"}
    roles = {"größe (cm)": "category", "n,m": "text"}
    params = as_params(parse_train_config({**PLAIN, "data": {**table, "roles": roles}}))
    assert json.loads(params["data.roles"]) == roles
    for name, value in params.items():
        _validate_param(name, value)
    assert "data.roles" not in as_params(parse_train_config({**PLAIN, "data": table}))
