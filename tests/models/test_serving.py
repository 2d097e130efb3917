"""The model as MLflow loads and serves it: it takes its own training file however pandas holds it, and refuses in a line.

MLflow's own functions are called in this process, those of its server too.
"""

import json

import numpy as np
import pandas as pd
import pytest

from micrograde.config.parsing import parse_train_config
from micrograde.data import Preprocessing, load_dataset
from micrograde.models.trained_network import describe_model, write_network
from micrograde.nn import MLP
from micrograde.store.mlmodel import write_mlmodel

CONFIG = parse_train_config(
    {
        "data": {"name": "iris"},
        "model": {"hidden_size": 5, "activation": "relu"},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {},
        "tracking": {"name": "disabled"},
    }
)
ROWS = 30


def a_table():
    return pd.DataFrame(
        {
            "count": np.arange(ROWS) % 2,
            "height": np.arange(ROWS) + 20,
            "leaf": ["needle", "broad"] * (ROWS // 2),
            "wild": [True, False, False] * (ROWS // 3),
            "kind": ["a", "b", "b"] * (ROWS // 3),
        }
    )


def served(folder, path, **options):
    """MLflow's model of a network for this table, as a run leaves it."""
    import mlflow

    dataset = load_dataset(path.suffix[1:], seed=0, path=str(path), target="kind", **options)
    preprocessing = Preprocessing.fit(dataset, dataset.features, standardize=True)
    sizes = dataset.features.shape[1], 5, len(dataset.class_names)
    network = MLP(*sizes, activation="relu", initializer="xavier", initial_scale=4.0, dtype="float32",
                  generators=[np.random.default_rng(3)], loss_epsilon=0.0)  # fmt: skip
    write_network(folder, network, CONFIG, preprocessing)
    write_mlmodel(folder, describe_model(dataset), "0" * 32)
    return mlflow.pyfunc.load_model(str(folder))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "own.csv"
    a_table().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def model(path, tmp_path_factory):
    return served(tmp_path_factory.mktemp("models") / "model", path)


def post(model, rows):
    """What MLflow's server answers to these records."""
    from mlflow.pyfunc import scoring_server

    body = json.dumps({"dataframe_records": rows})
    answer = scoring_server.invocations(body, "application/json", model, model.metadata.get_input_schema())
    return json.loads(answer.response)["predictions"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dtype_backend": "numpy_nullable"},
        {"dtype_backend": "pyarrow"},
        {"dtype": "str"},
        {"dtype": "category"},
    ],
    ids=str,
)
def test_it_takes_its_own_training_file_however_pandas_reads_it(model, path, options):
    found = model.predict(pd.read_csv(path, **options))
    pd.testing.assert_frame_equal(found, model.predict(a_table()))
    assert len(set(found["class"])) == 2  # of a network that always says the same the test would show little


@pytest.mark.parametrize(
    ("column", "dtypes"),
    [
        ("height", ["int8", "uint16", "float32", "Int64", "Float64", "int64[pyarrow]", "object", "category"]),
        ("count", ["bool", "boolean", "int8"]),
        ("leaf", ["object", "category", "string", "string[pyarrow]"]),
        ("wild", ["object", "boolean", "bool[pyarrow]", "category", "str", "string"]),
    ],
)
def test_a_column_may_be_of_any_dtype_that_holds_the_same(model, column, dtypes):
    table = a_table()
    expected = model.predict(table)
    for dtype in dtypes:
        pd.testing.assert_frame_equal(model.predict(table.astype({column: dtype})), expected)


def test_rows_may_come_as_records_alone_reordered_with_others_or_not_at_all(model):
    table = a_table()
    expected = model.predict(table)
    for rows in (
        table.to_dict("records"),
        table.to_dict("list"),
        table[["kind", "wild", "leaf", "height", "count"]].assign(more=1),
    ):
        pd.testing.assert_frame_equal(model.predict(rows), expected)
    for one in (table.head(1), table.head(1).to_dict("records"), table.to_dict("records")[0]):
        pd.testing.assert_frame_equal(model.predict(one), expected.head(1))
    none = model.predict(table.head(0))
    assert (len(none), list(none)) == (0, list(expected))


def test_truth_values_over_http_are_those_of_training_and_nothing_else(model):
    record = a_table().drop(columns="kind").astype({"wild": object}).iloc[0].to_dict() | {
        "height": 20,
        "count": 1,
    }
    truth, untruth = (post(model, [{**record, "wild": value}]) for value in (True, False))
    assert truth != untruth
    for value in ("True", "true", "TRUE"):
        assert post(model, [{**record, "wild": value}]) == truth
    for value in ("False", "false", "FALSE"):
        assert post(model, [{**record, "wild": value}]) == untruth
    refused(model, record, {"wild": None}, "missing values in the categorical column 'wild' (1)")
    for unknown in ("no", "yes", "", "tRUE", " True", 7, 1, 0, 1.0, -1):
        refused(model, record, {"wild": unknown}, "column 'wild' holds the unknown category")
    for no_category in ([True], {"a": True}):
        refused(model, record, {"wild": no_category}, "column 'wild' holds")


def refused(model, record, change, message):
    """Alone, and beside a row that is right."""
    from mlflow.exceptions import MlflowException

    for rows in ([{**record, **change}], [record, {**record, **change}]):
        with pytest.raises(MlflowException) as error:
            post(model, rows)
        assert error.value.error_code == "INVALID_PARAMETER_VALUE"
        assert message in str(error.value)
        assert "\n" not in str(error.value)


def test_numbers_over_http(model):
    record = {"height": 20, "count": 1, "leaf": "broad", "wild": True}
    assert post(model, [record]) == post(model, [{**record, "height": 20.0}])
    assert post(model, [record]) != post(model, [{**record, "height": 20.75}])  # not cut off
    refused(model, record, {"height": None}, "missing or infinite values in 'height' (1)")
    refused(model, record, {"height": "tall"}, "column 'height' must hold numbers")
    refused(model, record, {"height": [20]}, "column 'height' must hold numbers")
    refused(model, record, {"leaf": None}, "missing values in the categorical column 'leaf' (1)")
    refused(model, record, {"leaf": ["broad"]}, "column 'leaf' holds the unknown category \"['broad']\"")


def test_rows_that_overflow_are_refused_by_their_numbers(model):
    from mlflow.exceptions import MlflowException

    table = a_table().astype({"height": float})
    table.loc[[3, 7], "height"] = [1e300, -1e300]
    with pytest.raises(
        MlflowException, match="table: rows 4 and 8 have no probabilities: the network's numbers overflow"
    ):
        model.predict(table)
    record = {"height": 1e300, "count": 1, "leaf": "broad", "wild": True}
    refused(model, {**record, "height": 20}, record, "no probabilities: the network's numbers overflow")


def test_a_column_that_is_missing_is_named(model):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=r"Model is missing inputs \['wild'\]"):
        model.predict(a_table().drop(columns="wild"))
    assert model.metadata.metadata == {
        "columns": {"count": "double", "height": "double", "leaf": "string", "wild": "boolean"}
    }


def test_of_a_table_whose_truth_values_are_text_both_are_taken(tmp_path):
    table = a_table()
    table.astype({"wild": "str"}).to_parquet(tmp_path / "own.parquet")
    model = served(tmp_path / "model", tmp_path / "own.parquet")
    expected = model.predict(pd.read_parquet(tmp_path / "own.parquet"))
    pd.testing.assert_frame_equal(model.predict(table), expected)


def test_a_missing_number_is_filled_where_training_did(tmp_path):
    table = a_table().astype({"height": "Int64"})
    table.loc[4, "height"] = pd.NA
    table.to_csv(tmp_path / "own.csv", index=False)
    model = served(tmp_path / "model", tmp_path / "own.csv", missing="mean")
    expected = model.predict(pd.read_csv(tmp_path / "own.csv"))
    for rows in (table, table.astype({"height": object}), table.astype({"height": "Float64"})):
        pd.testing.assert_frame_equal(model.predict(rows), expected)
    record = {"height": None, "count": 0, "leaf": "needle", "wild": False}
    assert post(model, [record])[0]["class"] == expected["class"][4]
