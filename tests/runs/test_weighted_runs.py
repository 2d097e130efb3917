"""Runs with weights and label smoothing: every loss that they record is of one kind, and what needs none has none."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.recipes import with_keys

import micrograde as mg
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import as_params, config_digest, to_container
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.runs.building import learned_classes, prepare_data
from micrograde.runs.train import PreparedSets

RECIPE = {
    "recipe_version": RECIPE_VERSION,
    "data": {"name": "iris"},
    "model": {},
    "optimizer": {"name": "sgd"},
    "schedule": {"name": "constant"},
    "training": {},
    "tracking": {"name": "disabled"},
}


def config(**changes):
    return parse_train_config(
        with_keys(RECIPE, {key.replace("__", "."): each for key, each in changes.items()})
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of an unbalanced table with weights of rows and classes and smoothed targets, and what it is trained on."""
    patch = pytest.MonkeyPatch()
    patch.setenv("MICROGRADE_HOME", str(tmp_path_factory.mktemp("home")))
    random = np.random.default_rng(0)
    x = random.normal(size=(160, 2))
    kind = np.where(x[:, 0] + random.normal(0, 0.7, 160) > 1, "rare", "often")
    frame = pd.DataFrame({"x": x[:, 0], "z": x[:, 1], "kind": kind, "w": random.uniform(0.5, 3, 160)})
    found = mg.run(
        frame, "training.class_weights={rare: 3}", "training.label_smoothing=0.1", "training.num_epochs=6",
        "data.validation_fraction=0.25", target="kind", weight="w", dtype="float64",
    )  # fmt: skip
    yield frame, found
    patch.undo()


def test_every_recorded_loss_is_weighted_and_smoothed_and_metrics_are_not(run):
    frame, found = run
    rows = mg.load_predictions(found)
    logs = np.log(rows[["probability_often", "probability_rare"]].to_numpy(np.float64))
    classes = (rows["true"] == "rare").to_numpy(np.int64)
    np.testing.assert_allclose(rows["loss"], -logs[np.arange(len(rows)), classes], rtol=1e-9)
    weights = frame["w"].to_numpy()[rows["row"] - 1]
    of_classes = np.array([1.0, 3.0])
    targets = 0.9 * np.eye(2)[classes] + 0.05
    losses, divisors = -(of_classes * targets * logs).sum(axis=1) * weights, of_classes[classes] * weights
    for part in ("train", "val", "test"):
        of_part = (rows["part"] == part).to_numpy()
        expected = losses[of_part].sum() / divisors[of_part].sum()
        np.testing.assert_allclose(found.metrics[f"kept/{part}/loss"], expected, rtol=1e-9)
        right = (rows["true"] == rows["predicted"])[of_part].mean()
        np.testing.assert_allclose(found.metrics[f"kept/{part}/accuracy"], right)
        np.testing.assert_allclose(
            found.metrics[f"kept/{part}/log_loss"], rows["loss"][of_part].mean(), rtol=1e-9
        )
    kept = int(found.metrics["kept/epoch"])
    np.testing.assert_allclose(
        found.history["val/loss"].iloc[kept - 1], found.metrics["kept/val/loss"], rtol=1e-12
    )
    assert found.metrics["within/gradient_check/max_relative_error"] < 1e-12


def test_keys_that_came_later_are_hashed_only_where_they_differ():
    plain = config()
    for none in ({"training__class_weights": None}, {"training__label_smoothing": 0.0}):
        assert config_digest(config(**none)) == config_digest(plain)
    others = [
        config(training__class_weights="balanced"),
        config(training__class_weights={"setosa": 2}),
        config(training__class_weights={"setosa": 3}),
        config(training__label_smoothing=0.1),
    ]
    assert len({config_digest(each) for each in [plain, *others]}) == 5
    table = {"data": {"name": "csv", "path": "t.csv", "target": "kind"}}
    assert config_digest(config(**table)) == config_digest(config(**table, data__weight=None))
    assert config_digest(config(**table)) != config_digest(config(**table, data__weight="w"))


@pytest.mark.parametrize(
    "typed",
    [{"setosa": 3, "virginica": 0.5}, ["virginica: 0.5", "setosa: 3"], {"virginica": 0.5, "setosa": 3.0}],
)
def test_weights_are_written_as_a_mapping_and_are_one_param(typed):
    found = config(training__class_weights=typed)
    assert found.training.class_weights == (("setosa", 3.0), ("virginica", 0.5))
    container = to_container(found)
    assert container["training"]["class_weights"] == {"setosa": 3.0, "virginica": 0.5}
    assert parse_train_config(container) == found
    assert json.loads(as_params(found)["training.class_weights"]) == container["training"]["class_weights"]
    assert as_params(config())["training.class_weights"] == "null"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("even", "should be null, balanced, or classes with a weight each"),
        (3, "should be null, balanced, or classes with a weight each"),
        ({}, "should be null, balanced, or classes with a weight each"),
        ({"setosa": "x"}, "should be null, balanced, or classes with a weight each"),
        ({"setosa": True}, "should be null, balanced, or classes with a weight each"),
        ({"setosa": -1}, "the weight of 'setosa' should be a finite number from 0"),
        ({"setosa": float("inf")}, "the weight of 'setosa' should be a finite number from 0"),
    ],
)
def test_class_weights_that_are_none_are_refused_in_one_line(typed, said):
    with pytest.raises(InputError, match=r"^training\.class_weights=[^\n]*: " + said):
        config(training__class_weights=typed)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"rose": 1}, "there is no class 'rose'; the classes are 'setosa', 'versicolor', 'virginica'"),
        ({"setosa": 0, "versicolor": 0, "virginica": 0}, "every row of the training part counts 0"),
    ],
)
def test_class_weights_that_do_not_fit_the_data_are_refused_before_anything_is_trained(weights, said):
    with pytest.raises(InputError, match=r"^training\.class_weights: " + said):
        PreparedSets().check(config(training__class_weights=weights))


def test_balanced_is_of_the_training_part_alone_and_of_labels_before_noise():
    unequal = config(training__class_weights="balanced", training__label_noise=0.4, data__stratify=False)
    data = prepare_data(unequal.data, "float32")
    classes = learned_classes([unequal], [data])
    assert classes is not None
    counts = np.bincount(data.training.labels)
    np.testing.assert_allclose(classes.weights, [len(data.training) / (3 * counts)], rtol=1e-15)


def test_a_class_that_weighs_more_is_predicted_more():
    shares = []
    for weight in (0.05, 1, 20):
        found = mg.run(
            "data=iris", "tracking=disabled", f"training.class_weights={{versicolor: {weight}}}", "model.hidden_size=[]",
            num_epochs=30,
        )  # fmt: skip
        shares.append(found.metrics["kept/train/recall/versicolor"])
    assert shares == sorted(shares)
    assert shares[0] < 0.6 < 0.99 < shares[2]
