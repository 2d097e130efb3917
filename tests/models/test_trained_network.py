"""A trained network used on raw rows: what was kept gives what was trained, and what is wrong is one line."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.data import Preprocessing, load_dataset
from micrograde.data.sets.tables import CsvTable
from micrograde.models.trained_network import TrainedNetwork, describe_model, read_network, write_network
from micrograde.nn import MLP
from micrograde.runs.building import prepare_data
from micrograde.store import ModelDescription

CONFIG: dict[str, Any] = {
    "data": {"name": "iris"},
    "model": {"hidden_size": 5},
    "optimizer": {"name": "sgd"},
    "schedule": {"name": "constant"},
    "training": {},
    "tracking": {"name": "disabled"},
}


def kept(folder, dataset, dtype="float64", **model):
    """A network for the data, written with its preprocessing, and what it was written from."""
    config = parse_train_config({**CONFIG, "model": {**CONFIG["model"], **model}})
    preprocessing = Preprocessing.fit(dataset, dataset.features, standardize=True)
    sizes = dataset.features.shape[1], config.model.hidden_size, len(dataset.class_names)
    kind = {"activation": config.model.activation, "batch_norm": config.model.batch_norm, "dtype": dtype}
    stack = MLP(*sizes, generators=[np.random.default_rng(3)], loss_epsilon=0.0, **kind)
    stack.statistics += 0.25
    write_network(folder, stack, config, preprocessing)
    return stack, preprocessing


@pytest.fixture
def table(tmp_path):
    """A table of two numbers, a colour and a truth value."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "length": random.normal(size=30).round(3),
            "colour": random.choice(["red", "blue"], 30),
            "wild": random.choice([True, False], 30),
            "kind": random.choice(["a", "b"], 30),
        }
    )
    rows.to_csv(tmp_path / "own.csv", index=False)
    return rows


def dataset_of(tmp_path):
    return prepare_data(CsvTable(path=str(tmp_path / "own.csv"), target="kind"), "float64").dataset


@given(
    st.sampled_from(["tanh", "relu", "sigmoid"]),
    st.booleans(),
    st.lists(st.integers(1, 6), max_size=3),
    st.sampled_from(["float32", "float64"]),
)
@settings(max_examples=20)
def test_what_was_kept_gives_the_very_probabilities(tmp_path_factory, activation, batch_norm, hidden, dtype):
    folder, iris = tmp_path_factory.mktemp("kept"), load_dataset("iris", seed=0)
    model = {"activation": activation, "batch_norm": batch_norm, "hidden_size": hidden}
    stack, preprocessing = kept(folder, iris, dtype, **model)
    classifier = read_network(folder)
    logits = stack.predict_logits(preprocessing.transform(iris.features).astype(dtype))[0].astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(iris.features), shares, rtol=1e-5, atol=1e-12)
    predicted = classifier.predict(pd.DataFrame(iris.features, columns=list(iris.feature_names)))
    assert list(predicted.columns) == ["class", *(f"probability_{name}" for name in iris.class_names)]
    assert list(predicted["class"]) == [iris.class_names[each] for each in logits.argmax(axis=1)]
    np.testing.assert_allclose(predicted.iloc[:, 1:].sum(axis=1), 1)


def test_a_table_is_taken_by_its_columns_whatever_their_order(tmp_path, table):
    kept(tmp_path / "model", dataset_of(tmp_path))
    classifier = read_network(tmp_path / "model")
    assert classifier.columns == ("length", "colour", "wild")
    table.index = range(100, 130)
    one, other = classifier.predict(table), classifier.predict(table[["wild", "length", "colour"]])
    pd.testing.assert_frame_equal(one, other)
    assert list(one.index) == list(table.index)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="colour"), "table: has no column 'colour'; it has"),
        (
            lambda table: table.assign(colour="green"),
            "table: column 'colour' holds the unknown category 'green'",
        ),
        (
            lambda table: table.assign(length="long"),
            "table: column 'length' must hold numbers, as in training",
        ),
        (
            lambda table: table.assign(length=pd.Timestamp("2026-01-01")),
            "table: column 'length' must hold numbers, as in training",
        ),
        (lambda table: table.assign(length=np.nan), "features: missing or infinite values in 'length'"),
        (lambda table: table["length"].to_numpy()[:, None], "features: have the shape (30, 1); needs (n, 5)"),
    ],
)
def test_rows_that_do_not_fit_are_told_in_a_line(tmp_path, table, change, message):
    kept(tmp_path / "model", dataset_of(tmp_path))
    with pytest.raises(InputError) as error:
        read_network(tmp_path / "model").predict(change(table))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_table_for_a_model_of_arrays_needs_its_features_by_name(tmp_path):
    kept(tmp_path, load_dataset("iris", seed=0))
    classifier = read_network(tmp_path)
    with pytest.raises(InputError, match=r"table: has no column .*; it has"):
        classifier.predict(pd.DataFrame(np.ones((2, 4))))
    table = pd.DataFrame(np.ones((2, 4)), columns=list(classifier.columns)).astype(
        {classifier.columns[2]: str}
    )
    with pytest.raises(InputError, match=f"column '{re.escape(classifier.columns[2])}' must hold numbers"):
        classifier.predict(table.replace("1.0", "wide"))


@pytest.mark.parametrize("rows", [0, 1, 1024, 1025, 2500])
def test_many_rows_are_taken_in_parts(tmp_path, rows):
    kept(tmp_path, load_dataset("iris", seed=0))
    classifier, features = read_network(tmp_path), np.random.default_rng(rows).normal(4, 2, (rows, 4))
    found = classifier.probabilities(features)
    assert found.shape == (rows, 3)
    for start in range(0, rows, 1024):
        part = slice(start, start + 1024)
        np.testing.assert_array_equal(found[part], classifier.probabilities(features[part]))


def test_mlflow_is_told_the_raw_columns_and_rows_that_can_be_predicted(tmp_path, table):
    dataset = dataset_of(tmp_path)
    kept(tmp_path / "model", dataset)
    description = describe_model(dataset)
    assert isinstance(description, ModelDescription)
    assert description.inputs == {"length": "double", "colour": "string", "wild": "boolean"}
    assert description.outputs == {"class": "string", "probability_a": "double", "probability_b": "double"}
    assert description.example == table[["length", "colour", "wild"]].iloc[:3].to_numpy().tolist()
    rows = pd.DataFrame(description.example, columns=list(description.inputs))
    assert len(read_network(tmp_path / "model").predict(rows)) == 3


def break_nothing(folder):
    for path in folder.iterdir():
        path.unlink()


def break_header(folder):
    (folder / "weights.safetensors").write_bytes((2**60).to_bytes(8, "little") + b"{}")


def break_preprocessing(folder):
    state = json.loads((folder / "preprocessing.json").read_text())
    state["means"] = state["means"][:-1]
    (folder / "preprocessing.json").write_text(json.dumps(state))


@pytest.mark.parametrize("damage", [break_nothing, break_header, break_preprocessing])
def test_a_folder_without_a_sound_model_is_refused_in_a_line(tmp_path, damage):
    kept(tmp_path, load_dataset("iris", seed=0))
    damage(tmp_path)
    with pytest.raises(InputError, match=r"holds no micrograde model \(.+\)$"):
        read_network(tmp_path)


def test_a_classifier_is_made_of_a_network_alone(tmp_path):
    kept(tmp_path, load_dataset("iris", seed=0))
    classifier = read_network(tmp_path)
    assert isinstance(classifier, TrainedNetwork)
    assert classifier.model.parameters.ndim == 1


def test_rows_that_overflow_are_named_and_are_of_no_class(tmp_path):
    kept(tmp_path, load_dataset("iris", seed=0), "float32", activation="relu")
    classifier, features = read_network(tmp_path), load_dataset("iris", seed=0).features.copy()
    features[[60]] *= 1e40
    with pytest.raises(
        InputError, match=r"^features: row 61 has no probabilities: the network's numbers overflow$"
    ):
        classifier.predict(features)
    features[70:90] *= 1e40
    with pytest.raises(
        InputError, match=r"^features: rows 61, 71, 72, 73, 74 and 16 more have no probabilities"
    ):
        classifier.probabilities(features)
    assert np.isnan(classifier.unchecked_probabilities(features)).any(axis=1).sum() == 21


def test_rows_may_be_records(tmp_path, table):
    kept(tmp_path / "model", dataset_of(tmp_path))
    classifier, rows = read_network(tmp_path / "model"), table.to_dict("records")
    expected = classifier.predict(table)
    pd.testing.assert_frame_equal(classifier.predict(rows), expected)
    pd.testing.assert_frame_equal(classifier.predict(rows[0]), expected.head(1))


def test_rows_may_be_the_frame_of_another_library(tmp_path, table):
    kept(tmp_path / "model", dataset_of(tmp_path))
    classifier = read_network(tmp_path / "model")
    pd.testing.assert_frame_equal(classifier.predict(pa.Table.from_pandas(table)), classifier.predict(table))
