"""Several columns of numbers that are to be learned together."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import load, split_dataset
from micrograde.data.column_rules import ColumnRules
from micrograde.data.frames import table_with_labels, table_with_target
from micrograde.data.raw_table import RawTable
from micrograde.data.role_tables import TableOptions, dataset_of_table
from micrograde.data.sets.frame import FrameTable
from micrograde.data.sets.tables import CsvTable, ParquetTable

CHANCE = np.random.default_rng(0)
ROWS = 40
FRAME = pd.DataFrame(
    {
        "width": CHANCE.normal(size=ROWS),
        "height": CHANCE.normal(size=ROWS).round(2),
        "weight": CHANCE.integers(1, 90, ROWS),
        "leaf": np.where(np.arange(ROWS) % 2, "broad", "needle"),
        "sound": np.where(np.arange(ROWS) % 3, "yes", "no"),
        "old": np.arange(ROWS) % 2,
        "young": (np.arange(ROWS) % 4 == 0).astype(int),
        "legs": 4,
        "depth": [*(f"{each:.2f}" for each in CHANCE.normal(size=ROWS - 1)), "lost"],
    }
)
NUMBERS = st.lists(
    st.floats(-1e6, 1e6).map(lambda number: round(number, 3)) | st.none(), min_size=4, max_size=4
)


def dataset(frame, *targets, task=None, **rules):
    table = table_with_target(frame, *targets)
    options = TableOptions(targets=table.targets, task=task, rules=ColumnRules(**rules))
    return dataset_of_table(RawTable(table.rows), options, name="frame", file="frame", source="frame")


def refusal(*targets, frame=FRAME, **said):
    with pytest.raises(InputError) as caught:
        dataset(frame, *targets, **said)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_columns_of_numbers_are_learned_together():
    found = dataset(FRAME, "height", "weight", drop=("depth",))
    assert (found.task, found.target_names, found.class_names) == ("regression", ("height", "weight"), ())
    assert np.array_equal(found.labels, FRAME[["height", "weight"]].to_numpy(np.float64))
    assert not {"height", "weight"} & set(found.feature_names)
    assert found.notes == (
        "data.target=[height,weight]: these columns are predicted together, as numbers (a regression)",
    )
    assert dataset(FRAME, "height", "weight", task="regression", drop=("depth",)).notes == ()
    roles = {each.name: each.role for each in found.summary.columns}
    assert [name for name, role in roles.items() if role == "target"] == ["height", "weight"]
    assert [line.split(":")[0] for line in found.summary.lines() if line.startswith("target")] == [
        "target      'height'",
        "target      'weight'",
    ]


def test_rows_that_lack_one_of_the_targets_are_left_out_and_told():
    frame = FRAME[["width", "height", "weight"]].astype(float)
    frame.loc[3, "height"] = frame.loc[[4, 7], "weight"] = np.nan
    found = dataset(frame, "height", "weight")
    there = frame.dropna()
    assert np.array_equal(found.labels, there[["height", "weight"]].to_numpy())
    assert np.array_equal(found.features[:, 0], there["width"].to_numpy())
    assert "rows        3 left out, which lack a target" in found.summary.lines()
    missing = {each.name: each.missing for each in found.summary.columns}
    assert missing == {"width": 0, "height": 1, "weight": 2}
    frame["height"] = np.where(frame.index % 2, frame["height"], np.nan)
    frame["weight"] = np.where(frame.index % 2, np.nan, frame["weight"])
    line = refusal("height", "weight", frame=frame)
    assert line == "data.target=[height,weight]: no row has a number in each of 'height', 'weight'"


@given(
    st.lists(st.tuples(*[st.floats(-9, 9)] * 3), min_size=12, max_size=40), st.integers(0, 2**32), st.data()
)
def test_the_order_of_targets_is_that_of_the_outputs_and_changes_no_part(rows, seed, data):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(x=np.arange(len(rows)) % 7)
    assume(all(frame[name].nunique() > 1 for name in "abc"))
    order = data.draw(st.permutations(["a", "b", "c"]))
    first, other = dataset(frame, "a", "b", "c"), dataset(frame, *order)
    assert np.array_equal(other.labels, first.labels[:, ["abc".index(name) for name in order]])
    parts = [
        split_dataset(each, validation_fraction=0.2, test_fraction=0.2, stratify=True, seed=seed)
        for each in (first, other)
    ]
    for name in ("train", "validation", "test"):
        mine, theirs = (getattr(each, name) for each in parts)
        assert np.array_equal(mine.rows, theirs.rows)
        assert np.array_equal(mine.features, theirs.features)
    assert (first.digest == other.digest) == (order == ["a", "b", "c"])


@given(a=NUMBERS, b=NUMBERS)
def test_a_frame_its_csv_and_its_parquet_are_one_data_set(tmp_path_factory, a, b):
    frame = pd.DataFrame({"a": [1.5, 2.5, *a], "x": np.arange(6.0), "b": [3.25, 4.0, *b]}, dtype="float64")
    folder = tmp_path_factory.mktemp("several")
    frame.to_csv(folder / "t.csv", index=False)
    frame.to_parquet(folder / "t.parquet")
    rows = table_with_target(frame, "b", "a").rows
    target = ("b", "a")
    of_frame = FrameTable(digest="0" * 64, target=target).of_rows(rows)
    for entry in (CsvTable, ParquetTable):
        found = load(entry(path=str(folder / f"t.{entry.suffixes[0]}"), target=target))
        assert found.digest == of_frame.digest
    complete = frame.dropna()
    assert np.array_equal(of_frame.labels, complete[["b", "a"]].to_numpy())


def test_a_list_of_one_is_its_name():
    (one,) = dataset(FRAME, "height", drop=("depth",)).target_names
    assert one == "height"
    entry: Any = FrameTable(digest="0" * 64, target=("height",))
    assert entry.target_columns == FrameTable(digest="0" * 64, target="height").target_columns


@pytest.mark.parametrize(
    ("targets", "said", "line"),
    [
        (
            ("height", "leaf"), {},
            "data.target=[height,leaf]: 'leaf' holds 'needle', and several columns are learned together only as "
            "numbers; data.target=leaf learns it alone, data.target=height leaves it out",
        ),
        (
            ("height", "weight", "sound"), {},
            "data.target=[height,weight,sound]: 'sound' holds 'no', and several columns are learned together only "
            "as numbers; data.target=sound learns it alone, 'data.target=[height,weight]' leaves it out",
        ),
        (
            ("sound", "weight"), {"task": "multilabel"},
            "task=multilabel: 'weight' does not hold yes and no (or true and false, or 1 and 0), as labels do; "
            "leave it out",
        ),
        (
            ("sound",), {"task": "multilabel"},
            "task=multilabel: is for several columns of yes and no, and data.target=sound is one; name several, as "
            "in data.target=[a,b], or leave task out",
        ),
        (
            ("height", "depth"), {},
            "data.target=[height,depth]: 'depth' holds numbers but for 'lost'; "
            "with 'data.na_values=[lost]' such rows are left out",
        ),
        (
            ("height", "weight"), {"task": "classification"},
            "task=classification: several columns are learned together only as numbers, or as yes and no; leave it out, "
            "or name one target, data.target=height",
        ),
        (
            ("height", "weight"), {"roles": {"weight": "category"}},
            "'data.roles={weight: category}': several columns are learned together only as numbers, or as yes and no; leave it out, "
            "or name one target, data.target=weight",
        ),
        (("height", "legs"), {}, "data.target=legs: every row has the number 4; there is nothing to learn"),
        (("height", "weight"), {"drop": ("weight",)}, "data.drop: 'weight' is a target, which is always used"),
        (("height", "name"), {}, "target=name: there is no such column; the columns are 'width', 'height', "),
        (tuple(FRAME), {}, "frame: has no column beside the targets 'width', 'height', "),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_together_is_one_line_with_what_to_type(targets, said, line):
    assert refusal(*targets, **said).startswith(line)


def test_what_a_line_says_to_type_works():
    assert dataset(FRAME, "old", "young", task="regression").labels.shape == (ROWS, 2)
    without = dataset(FRAME, "height", "depth", na_values=("lost",))
    assert without.labels.shape == (ROWS - 1, 2)
    number = {"weight": "number"}
    assert dataset(FRAME, "height", "weight", roles=number, drop=("depth",)).labels.shape == (ROWS, 2)


def test_numbers_of_an_array_are_columns_of_their_own():
    numbers = CHANCE.normal(size=(ROWS, 3))
    features = FRAME[["width"]].assign(y_1=1.0)
    table = table_with_labels(features, numbers)
    assert table.targets == ("y_0", "y_1_", "y_2")  # the features have a column 'y_1'
    assert np.array_equal(np.stack([table.rows[name] for name in table.targets], axis=1), numbers)
    named = pd.DataFrame(numbers, columns=["a", "b", "c"])
    for given_numbers in (named, pa.Table.from_pandas(named)):
        found = table_with_labels(features[["width"]], given_numbers)
        assert found.targets == ("a", "b", "c")
        assert np.array_equal(np.stack([found.rows[name] for name in found.targets], axis=1), numbers)
    (one,) = table_with_labels(features, numbers[:, :1]).targets
    assert one == "y"


def test_an_index_can_be_one_of_the_targets():
    indexed = FRAME.set_index("height")
    assert table_with_target(indexed, "weight", "height").rows.column_names[0] == "height"


def test_a_recipe_from_before_there_were_roles_knows_one_target():
    rows = table_with_target(FRAME, "height", "weight").rows
    entry = FrameTable(digest="0" * 64, target=("height", "weight"))
    with pytest.raises(
        InputError, match=r"^data.target=\[height,weight\]: a recipe of version 2 knows one target"
    ):
        entry.of_rows(rows, version=2)


@pytest.mark.parametrize("task", [None, "multilabel"])
def test_columns_of_yes_and_no_are_labels_however_they_are_written(task):
    frame = FRAME.assign(
        there=np.where(FRAME["young"], "True", " false"),
        sure=FRAME["old"] == 1,
        lone=FRAME["sound"].where(FRAME["old"] == 0),
    )
    found = dataset(frame, "sound", "old", "there", "sure", task=task)
    assert (found.task, found.target_names) == ("multilabel", ("sound", "old", "there", "sure"))
    expected = [FRAME["sound"] == "yes", FRAME["old"], FRAME["young"], FRAME["old"]]
    assert found.labels.dtype == np.int64
    assert np.array_equal(found.labels, np.stack(expected, axis=1).astype(np.int64))
    note = "data.target=[sound,old,there,sure]: these columns are learned together, each as yes or no (task=multilabel)"
    assert (note in found.notes) == (task is None)
    assert found.summary is not None
    yes = int((FRAME["sound"] == "yes").sum())
    assert f"{'target':<11} 'sound': yes in {yes} of 40 rows ({yes / 40:.1%})" in found.summary.lines()
    gaps = dataset(frame, "young", "lone", task=task)
    assert len(gaps) == 20
    assert gaps.summary is not None
    assert gaps.summary.without_label == 20


def test_0_and_1_are_numbers_if_they_are_asked_for():
    assert dataset(FRAME, "old", "young", task="regression").task == "regression"
    assert dataset(FRAME, "old", "young", "weight").task == "regression"
    assert dataset(FRAME, "sound", "old", roles={"sound": "truth", "old": "truth"}).task == "multilabel"
