"""A table classified by a model: what it says of the rows, and a line for what is wrong with the table."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.records import stored_run, trees

from micrograde.core.errors import InputError
from micrograde.data.sets.moons import Moons
from micrograde.data.sets.tables import CsvTable
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import MLP
from micrograde.runs.building import prepare_data
from micrograde.runs.predicting import predict_table
from micrograde.runs.recorded_models import RecordedModel

ROWS = 60


def model_of(data, target=None, **changes):
    """A network for these data whose weights are of no account, as a run has left it."""
    prepared = prepare_data(data, "float64")
    sizes = prepared.training.features.shape[1], (5,), prepared.training.targets.shape[1]
    model = MLP(*sizes, generators=[np.random.default_rng(3)], dtype="float64", **changes).alone(0)
    state = {name: array[0] for name, array in model.state().items()}
    classifier = TrainedNetwork(MLP.from_state(state, model.activation), prepared.preprocessing)
    return RecordedModel(stored_run(), classifier, target)


def model_of_table(folder, table, missing="error", target="kind", **changes):
    path = folder / "trained_on.csv"
    table.to_csv(path, index=False)
    data = CsvTable(path=str(path), target=target, missing=missing, test_fraction=0.0)
    return model_of(data, target, **changes)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Of a number, categories of which one looks like a number, and truth values."""
    return model_of_table(tmp_path_factory.mktemp("model"), trees(ROWS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def written(folder, table, name="new.csv"):
    path = folder / name
    table.to_parquet(path) if name.endswith("parquet") else table.to_csv(path, index=False)
    return str(path)


def test_predictions_stand_behind_the_tables_own_columns(model, folder):
    table = trees(ROWS).assign(id=[f"{number:03}" for number in range(ROWS)])
    found = predict_table(model, written(folder, table))
    expected = model.network.predict(table)
    assert list(found.table) == [*table, "class", "probability_fir", "probability_oak"]
    pd.testing.assert_frame_equal(found.table[list(expected)], expected)
    pd.testing.assert_frame_equal(found.table[list(table)], table, check_dtype=False)
    assert list(found.shown) == ["kind", "id", "class", "probability_fir", "probability_oak"]
    without = predict_table(model, written(folder, table), keep_columns=False)
    for each in (without.table, without.shown):
        pd.testing.assert_frame_equal(each, expected)


@given(
    st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=30),
    st.permutations(["height", "leaf", "wild", "kind", "more"]),
    st.sampled_from(["new.csv", "new.parquet"]),
    st.data(),
)
@settings(max_examples=20)
def test_each_row_is_classified_for_itself_wherever_its_columns_stand(
    model, folder, rows, columns, name, data
):
    table = trees(ROWS).assign(more=1.5)
    everything = model.network.predict(table)
    told = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    some = table.iloc[rows][columns].reset_index(drop=True)
    some["kind"] = some["kind"].where(told)
    found = predict_table(model, written(folder, some, name))
    expected = everything.iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.table[list(expected)], expected, rtol=1e-12)
    assert sum(found.counts.values()) == len(rows)
    assert list(found.counts.values()) == sorted(found.counts.values(), reverse=True)
    for kind, count in found.counts.items():
        assert count == list(expected["class"]).count(kind)
    right = [expected["class"][place] == some["kind"][place] for place in range(len(rows)) if told[place]]
    assert found.known == len(right)
    assert found.accuracy == (pytest.approx(sum(right) / len(right)) if right else None)


def test_without_the_target_nothing_is_said_of_accuracy(model, folder):
    table = trees(ROWS)
    for rows, of in ((table.drop(columns="kind"), model), (table, dataclasses.replace(model, target=None))):
        found = predict_table(of, written(folder, rows))
        assert (found.accuracy, found.known) == (None, 0)


@pytest.mark.parametrize("classes", [[1, 2], ["True", "False"], [True, False], ["a", "01"]])
def test_a_class_is_called_as_it_was_in_training(tmp_path, classes):
    table = trees(ROWS).replace({"kind": dict(zip(["oak", "fir"], classes, strict=True))})
    model = model_of_table(tmp_path, table)
    names = set(model.network.preprocessing.class_names)
    gap = table.assign(kind=table["kind"].where(table.index != 3))  # integers become floats
    found = predict_table(model, written(tmp_path, gap))
    assert set(found.counts) <= names
    assert found.known == ROWS - 1
    right = [str(kind) == name for kind, name in zip(table["kind"], found.table["class"], strict=True)]
    del right[3]
    assert found.accuracy == pytest.approx(sum(right) / len(right))
    assert found.accuracy is not None
    assert 0 < found.accuracy < 1


def test_classes_that_are_integers_are_known_as_floats_which_pandas_makes_of_them(tmp_path):
    numbers = trees(ROWS)["kind"].map({"oak": 1, "fir": 2}).astype(int)
    model = model_of_table(tmp_path, trees(ROWS).assign(kind=numbers))
    gap = trees(ROWS).assign(kind=numbers.where(numbers.index != 3))
    path = written(tmp_path, gap)
    assert ",1.0\n" in (tmp_path / "new.csv").read_text()
    found = predict_table(model, path)
    right = (found.table["class"] == numbers.map(str)).drop(3)
    assert found.known == ROWS - 1
    assert found.accuracy == pytest.approx(right.mean())
    assert found.accuracy is not None
    assert found.accuracy > 0


def test_one_row_whose_categories_all_look_like_numbers(model, folder):
    (folder / "one.csv").write_text("leaf,height,wild\n01,36,True\n")
    found = predict_table(model, str(folder / "one.csv"))
    expected = model.network.predict(pd.DataFrame({"leaf": ["01"], "height": [36.0], "wild": [True]}))
    assert list(found.counts) == list(expected["class"])


def test_a_named_index_of_parquet_is_a_column(model, folder):
    table = trees(ROWS).set_index(pd.Index(range(100, 100 + ROWS), name="tree"))
    found = predict_table(model, written(folder, table, "indexed.parquet"))
    assert found.table["tree"].tolist() == list(range(100, 100 + ROWS))


def test_a_model_of_arrays_takes_its_features_by_name(folder):
    model = model_of(Moons(samples=50))
    points = pd.DataFrame({"x2": [0.5, -0.5], "x1": [1.0, 0.0]})
    found = predict_table(model, written(folder, points))
    pd.testing.assert_frame_equal(found.table[["class"]], model.network.predict(points)[["class"]])
    with pytest.raises(InputError, match="has no column 'x2'; it has 'x1'"):
        predict_table(model, written(folder, points[["x1"]]))


def with_value(name, row, value):
    """The table with one value that is otherwise."""
    return lambda table: table.assign(**{name: table[name].astype(object).where(table.index != row, value)})


WRONG = [
    ("csv", lambda table: table.drop(columns="leaf"), "has no column 'leaf'; it has 'height', 'wild', 'kind'"),
    ("csv", lambda table: table[["kind"]], "has no column 'height', 'leaf', 'wild'; it has 'kind'"),
    ("csv", lambda table: table.iloc[:0], "has columns but no rows"),
    ("csv", with_value("leaf", 4, "round"), "column 'leaf' holds the unknown category 'round'; known are '01', 'broad'"),
    ("csv", with_value("leaf", 4, "1"), "column 'leaf' holds the unknown category '1'"),
    ("csv", with_value("leaf", 4, None), "missing values in the categorical column 'leaf' (1)"),
    ("csv", with_value("wild", 0, "perhaps"), "column 'wild' holds the unknown category 'perhaps'"),
    ("csv", with_value("height", 2, "tall"), "column 'height' holds 'tall' in row 3; it must hold numbers, as in training"),
    ("csv", with_value("height", 1, None), "missing values in 'height' (1); the model was trained without any"),
    ("csv", with_value("height", 1, "inf"), "column 'height' holds 1 infinite values"),
    ("csv", with_value("height", 1, 1e400), "column 'height' holds 1 infinite values"),
    ("csv", lambda table: table.assign(probability_oak=0.5), "has a column 'probability_oak', and so have the predictions"),
    ("csv", lambda table: table.assign(**{"class": 1}), "has a column 'class', and so have the predictions"),
    ("parquet", lambda table: table.assign(height=pd.Timestamp("2026-01-01")), "column 'height' holds '2026-01-01' in row 1"),
    ("parquet", lambda table: table.assign(height=pd.Timedelta("1s")), "column 'height' holds '0 days 00:00:01' in row 1"),
    ("parquet", lambda table: table.assign(height=table["height"].astype("Float64").where(table.index > 0)), "missing values in 'height' (1)"),
]  # fmt: skip


@pytest.mark.parametrize(("ending", "change", "message"), WRONG, ids=[message[:50] for *_, message in WRONG])
def test_what_is_wrong_with_the_table_is_a_line(model, folder, ending, change, message):
    path = written(folder, change(trees(ROWS)), f"wrong.{ending}")
    with pytest.raises(InputError) as error:
        predict_table(model, path)
    assert str(error.value).startswith(f"data.path={path}: {message}")
    assert len(str(error.value).splitlines()) == 1


FILES = [
    ("folder.csv", None, "is a directory"),
    ("empty.csv", b"", "is empty"),
    ("binary.csv", bytes(range(256)) * 20, "is no "),
    ("binary.parquet", bytes(range(256)) * 20, "is no Parquet table"),
    ("twice.csv", b"height,leaf,leaf,wild\n1,broad,broad,True\n", "has more than one column named 'leaf'"),
    ("longer.csv", b"height,leaf,wild\n1,broad,True,1\n", "has rows with more values"),
]


@pytest.mark.parametrize(("name", "content", "message"), FILES, ids=[name for name, *_ in FILES])
def test_a_file_that_is_no_table_is_a_line(model, tmp_path, name, content, message):
    path = tmp_path / name
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(InputError) as error:
        predict_table(model, str(path))
    assert str(error.value).startswith(f"data.path={path}: {message}")
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_a_line(model, tmp_path):
    with pytest.raises(InputError, match=r"no\.csv: there is no such file"):
        predict_table(model, str(tmp_path / "no.csv"))


def test_what_the_advice_says_works(model, folder):
    taken = written(folder, trees(ROWS).assign(probability_oak=0.5))
    with pytest.raises(InputError, match="keep_columns=false"):
        predict_table(model, taken)
    assert len(predict_table(model, taken, keep_columns=False).table) == ROWS


def test_a_missing_number_is_filled_if_it_was_in_training(tmp_path):
    table = trees(ROWS)
    gaps = table.assign(height=table["height"].where(table.index > 1))
    model = model_of_table(tmp_path, gaps, missing="mean")
    found = predict_table(model, written(tmp_path, gaps))
    mean = model.network.preprocessing.fill[0]
    filled = predict_table(model, written(tmp_path, gaps.fillna({"height": mean})))
    assert found.table["height"].isna().sum() == 2
    pd.testing.assert_frame_equal(found.table.iloc[:, -3:], filled.table.iloc[:, -3:])


def test_a_row_whose_numbers_overflow_is_named(tmp_path):
    model = model_of_table(tmp_path, trees(ROWS), activation="relu", batch_norm=False)
    huge = trees(ROWS).assign(height=lambda table: table["height"].where(table.index != 1, 1e308))
    # Weights that are as large make infinities of it, and NaN of their differences.
    model.network.model.parameters[:] = np.sign(model.network.model.parameters) * 1e10
    with pytest.raises(InputError, match="row 2 has no probabilities: the network's numbers overflow"):
        predict_table(model, written(tmp_path, huge))


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (("7", "07"), ()),
        (("1e5", "100000"), ()),
        (("NA", "EU"), ()),
        (("1", "2"), ("NA",)),
        (("a", "b"), ("NA",)),
    ],
)
def test_the_accuracy_is_told_by_classes_as_they_stand_in_the_file(tmp_path, names, missing):
    """A word for a missing value is one, unless it is a class."""
    codes = pd.Series(np.arange(ROWS) % 2).map(dict(enumerate(names)))
    table = pd.DataFrame({"height": np.arange(ROWS) * 1.5, "kind": codes})
    model = model_of_table(tmp_path, table)
    predicted = model.network.predict(table[["height"]])["class"]
    assert set(predicted) <= set(names)
    table.loc[: len(missing) - 1, "kind"] = list(missing)
    found = predict_table(model, written(tmp_path, table))
    assert found.known == ROWS - len(missing)
    told = slice(len(missing), None)
    assert found.accuracy == (predicted[told] == table["kind"][told]).mean()
