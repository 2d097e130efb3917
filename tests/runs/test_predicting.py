"""A table classified by a model: what it says of the rows, and a line for what is wrong with the table."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.records import stored_run, trees

from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.data.sets.moons import Moons
from micrograde.data.sets.tables import CsvTable
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import MLP
from micrograde.runs.building import prepare_data
from micrograde.runs.predicting import predict_table
from micrograde.runs.recorded_models import RecordedModel

ROWS = 60
OLD, NEW = 2, RECIPE_VERSION  # since version 3 a table's columns have roles
only_old, only_new = (pytest.mark.parametrize("version", [each], indirect=True) for each in (OLD, NEW))


def model_of(data, version, target=None, **changes):
    """A network for these data whose weights are of no account, as a run has left it."""
    prepared = prepare_data(data, "float64", version=version)
    sizes = prepared.training.features.shape[1], (5,), prepared.training.targets.shape[1]
    model = MLP(*sizes, generators=[np.random.default_rng(3)], dtype="float64", **changes).alone(0)
    state = {name: array[0] for name, array in model.state().items()}
    classifier = TrainedNetwork(MLP.from_state(state, model.activation), prepared.preprocessing)
    return RecordedModel(stored_run(), classifier, (target,) if target else ())


def model_of_table(folder, table, version, missing=None, target="kind", **changes):
    path = folder / "trained_on.csv"
    table.to_csv(path, index=False)
    missing = missing or ("fill" if version == NEW else "error")
    data = CsvTable(path=str(path), target=target, missing=missing, test_fraction=0.0)
    return model_of(data, version, target, **changes)


@pytest.fixture(scope="module", params=[OLD, NEW])
def version(request):
    """A version of the recipe: one before columns had roles, and today's."""
    return request.param


@pytest.fixture(scope="module")
def model(tmp_path_factory, version):
    """Of a number, categories of which one looks like a number, and truth values."""
    return model_of_table(tmp_path_factory.mktemp("model"), trees(ROWS), version)


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
@settings(max_examples=10)
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
    for rows, of in ((table.drop(columns="kind"), model), (table, dataclasses.replace(model, targets=()))):
        found = predict_table(of, written(folder, rows))
        assert (found.accuracy, found.known) == (None, 0)


@pytest.mark.parametrize("classes", [[1, 2], ["True", "False"], [True, False], ["a", "01"]])
def test_a_class_is_called_as_it_was_in_training(tmp_path, version, classes):
    table = trees(ROWS).replace({"kind": dict(zip(["oak", "fir"], classes, strict=True))})
    model = model_of_table(tmp_path, table, version)
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


def test_classes_that_are_integers_are_known_as_floats_which_pandas_makes_of_them(tmp_path, version):
    numbers = trees(ROWS)["kind"].map({"oak": 1, "fir": 2}).astype(int)
    model = model_of_table(tmp_path, trees(ROWS).assign(kind=numbers), version)
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


def test_a_model_of_arrays_takes_its_features_by_name(folder, version):
    model = model_of(Moons(samples=50), version)
    points = pd.DataFrame({"x2": [0.5, -0.5], "x1": [1.0, 0.0]})
    found = predict_table(model, written(folder, points))
    pd.testing.assert_frame_equal(found.table[["class"]], model.network.predict(points)[["class"]])
    with pytest.raises(InputError, match="has no column 'x2'; it has 'x1'"):
        predict_table(model, written(folder, points[["x1"]]))


def with_value(name, row, value):
    """The table with one value that is otherwise."""
    return lambda table: table.assign(**{name: table[name].astype(object).where(table.index != row, value)})


WRONG_IN_ALL = [
    (
        "csv",
        lambda table: table.drop(columns="leaf"),
        "has no column 'leaf'; it has 'height', 'wild', 'kind'",
    ),
    ("csv", lambda table: table[["kind"]], "has no column 'height', 'leaf', 'wild'; it has 'kind'"),
    ("csv", lambda table: table.iloc[:0], "has columns but no rows"),
]
WRONG = [
    *((version, *each) for version in (OLD, NEW) for each in WRONG_IN_ALL),
    (
        NEW,
        "csv",
        with_value("wild", 0, "perhaps"),
        "column 'wild' holds no truth in row 1, as it did in training",
    ),
    (
        NEW,
        "csv",
        with_value("height", 2, "tall"),
        "column 'height' holds no number in row 3, as it did in training",
    ),
    (
        NEW,
        "parquet",
        lambda table: table.assign(height=pd.Timestamp("2026-01-01")),
        "column 'height' holds no number in rows 1, 2, 3",
    ),
    (
        OLD,
        "csv",
        with_value("leaf", 4, "round"),
        "column 'leaf' holds the unknown category 'round'; known are '01', 'broad'",
    ),
    (OLD, "csv", with_value("leaf", 4, "1"), "column 'leaf' holds the unknown category '1'"),
    (OLD, "csv", with_value("leaf", 4, None), "missing values in the categorical column 'leaf' (1)"),
    (OLD, "csv", with_value("wild", 0, "perhaps"), "column 'wild' holds the unknown category 'perhaps'"),
    (
        OLD,
        "csv",
        with_value("height", 2, "tall"),
        "column 'height' holds 'tall' in row 3; it must hold numbers, as in training",
    ),
    (
        OLD,
        "csv",
        with_value("height", 1, None),
        "missing values in 'height' (1); the model was trained without any",
    ),
    (OLD, "csv", with_value("height", 1, "inf"), "column 'height' holds 1 infinite values"),
    (OLD, "csv", with_value("height", 1, 1e400), "column 'height' holds 1 infinite values"),
    (
        OLD,
        "csv",
        lambda table: table.assign(probability_oak=0.5),
        "has a column 'probability_oak', and so have the predictions",
    ),
    (
        OLD,
        "csv",
        lambda table: table.assign(**{"class": 1}),
        "has a column 'class', and so have the predictions",
    ),
    (
        OLD,
        "parquet",
        lambda table: table.assign(height=pd.Timestamp("2026-01-01")),
        "column 'height' holds '2026-01-01' in row 1",
    ),
    (
        OLD,
        "parquet",
        lambda table: table.assign(height=pd.Timedelta("1s")),
        "column 'height' holds '0 days 00:00:01' in row 1",
    ),
    (
        OLD,
        "parquet",
        lambda table: table.assign(height=table["height"].astype("Float64").where(table.index > 0)),
        "missing values in 'height' (1)",
    ),
]


@pytest.mark.parametrize(
    ("version", "ending", "change", "message"),
    WRONG,
    indirect=["version"],
    ids=[f"{version}: {message[:50]}" for version, *_, message in WRONG],
)
def test_what_is_wrong_with_the_table_is_a_line(model, folder, ending, change, message):
    path = written(folder, change(trees(ROWS)), f"wrong.{ending}")
    with pytest.raises(InputError) as error:
        predict_table(model, path)
    assert str(error.value).startswith(f"data.path={path}: {message}")
    assert len(str(error.value).splitlines()) == 1


FILES_IN_ALL = [
    ("folder.csv", None, "is a directory"),
    ("empty.csv", b"", "is empty"),
    ("twice.csv", b"height,leaf,leaf,wild\n1,broad,broad,True\n", "has more than one column named 'leaf'"),
]
FILES = [
    *((version, *each) for version in (OLD, NEW) for each in FILES_IN_ALL),
    (NEW, "binary.csv", bytes(range(256)) * 20, "holds bytes of 0"),
    (NEW, "binary.parquet", b"PAR1" + bytes(range(256)) * 20, "is no Parquet table"),
    (NEW, "longer.csv", b"height,leaf,wild\n1,broad,True\n1,broad,True,1\n", ""),
    (OLD, "binary.csv", bytes(range(256)) * 20, "is no "),
    (OLD, "binary.parquet", bytes(range(256)) * 20, "is no Parquet table"),
    (OLD, "longer.csv", b"height,leaf,wild\n1,broad,True,1\n", "has rows with more values"),
]


@pytest.mark.parametrize(
    ("version", "name", "content", "message"),
    FILES,
    indirect=["version"],
    ids=[f"{version}: {name}" for version, name, *_ in FILES],
)
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


@only_new
def test_columns_that_are_called_like_the_predictions_are_no_obstacle(model, folder):
    taken = trees(ROWS).assign(**{"class": 1})
    found = predict_table(model, written(folder, taken))
    assert list(found.table)[-3:] == [
        "predicted_class",
        "predicted_probability_fir",
        "predicted_probability_oak",
    ]
    assert found.main_columns == ("predicted_class",)
    assert len(predict_table(model, written(folder, taken), keep_columns=False).table) == ROWS


@only_old
def test_columns_that_are_called_like_the_predictions_are_left_out_as_the_line_says(model, folder):
    taken = written(folder, trees(ROWS).assign(probability_oak=0.5))
    with pytest.raises(InputError, match="keep_columns=false"):
        predict_table(model, taken)
    assert len(predict_table(model, taken, keep_columns=False).table) == ROWS


@only_new
def test_a_target_called_class_is_no_obstacle(tmp_path, version):
    table = trees(ROWS).rename(columns={"kind": "class"})
    found = predict_table(model_of_table(tmp_path, table, version, target="class"), written(tmp_path, table))
    assert found.known == ROWS
    assert found.table["class"].tolist() == table["class"].tolist()


@only_new
def test_what_training_did_not_have_counts_as_other_and_is_said(model, folder):
    table = with_value("leaf", 4, "round")(trees(ROWS))
    found = predict_table(model, written(folder, table))
    assert found.notes == (
        "column 'leaf': 1 row holds a category that training did not have, the first in row 5; it counts as other",
    )
    several = trees(ROWS).assign(leaf="round")
    (note,) = predict_table(model, written(folder, several)).notes
    assert note.startswith(
        f"column 'leaf': {ROWS} rows hold categories that training did not have, the first in row 1"
    )


@only_new
def test_a_target_that_holds_other_classes_gives_no_accuracy(model, folder):
    table = trees(ROWS)
    found = predict_table(model, written(folder, table.assign(kind=table["kind"] + ".")))
    assert (found.accuracy, found.known) == (None, 0)
    assert found.notes == (
        f"'kind' holds 'oak.' in row 1, none of the classes 'fir', 'oak'; {ROWS} rows of {ROWS} like that are not compared",
    )
    some = predict_table(model, written(folder, with_value("kind", 7, "yew")(table)))
    assert some.known == ROWS - 1


@only_new
def test_missing_values_are_filled_as_in_training_and_said(model, folder):
    table = with_value("leaf", 2, None)(with_value("height", 1, "?")(trees(ROWS)))
    found = predict_table(model, written(folder, table))
    assert found.notes == ("filled as in training: 'height' (1), 'leaf' (1)",)


def test_a_missing_number_is_filled_if_it_was_in_training(tmp_path, version):
    table = trees(ROWS)
    gaps = table.assign(height=table["height"].where(table.index > 1))
    model = model_of_table(tmp_path, gaps, version, missing="fill" if version == NEW else "mean")
    found = predict_table(model, written(tmp_path, gaps))
    mean = model.network.preprocessing.fill[0]
    filled = predict_table(model, written(tmp_path, gaps.fillna({"height": mean})))
    assert found.table["height"].isna().sum() == 2
    pd.testing.assert_frame_equal(found.table.iloc[:, -3:], filled.table.iloc[:, -3:])


def test_a_row_whose_numbers_overflow_is_named(tmp_path, version):
    model = model_of_table(tmp_path, trees(ROWS), version, activation="relu", batch_norm=False)
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
        (("1", "2"), ("",)),
        (("a", "b"), ("NA",)),
    ],
)
def test_the_accuracy_is_told_by_classes_as_they_stand_in_the_file(tmp_path, version, names, missing):
    """A word for a missing value is one, unless it is a class."""
    codes = pd.Series(np.arange(ROWS) % 2).map(dict(enumerate(names)))
    table = pd.DataFrame({"height": np.arange(ROWS) * 1.5, "kind": codes})
    model = model_of_table(tmp_path, table, version)
    predicted = model.network.predict(table[["height"]])["class"]
    assert set(predicted) <= set(names)
    table.loc[: len(missing) - 1, "kind"] = list(missing)
    found = predict_table(model, written(tmp_path, table))
    assert found.known == ROWS - len(missing)
    told = slice(len(missing), None)
    assert found.accuracy == (predicted[told] == table["kind"][told]).mean()
