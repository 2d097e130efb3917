"""A data frame is the same data set as its CSV and its Parquet file, and is kept as it is given."""

import datetime
import decimal
import io
import os
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import load_dataset
from micrograde.data.arrays import read_npz
from micrograde.data.decimals import shortest_decimals
from micrograde.data.frames import is_data, table_with_labels, table_with_target
from micrograde.data.kept_tables import kept_file, kept_rows, write_table
from micrograde.data.plain_columns import table_digest
from micrograde.data.plain_tables import parquet_rows
from micrograde.data.sets.frame import FrameTable

ROWS = 6
DAY = datetime.date(2024, 1, 1)


def loaded(table, missing="error", version=2):
    entry = FrameTable(digest="0" * 64, target=table.targets, missing=missing)
    return entry.of_rows(table.rows, version)


def error_of(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- one data set, whatever it comes from ---


def columns_of(values, **options):
    return st.lists(values, min_size=ROWS, max_size=ROWS).map(lambda found: pd.Series(found, **options))


FLOATS = st.floats(allow_infinity=False, allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
WORDS = st.sampled_from(["needle", "broad leaf", 'the "third", one', "ü\n"])
FEATURES = st.one_of(
    columns_of(FLOATS),
    columns_of(FLOATS | st.none(), dtype="float64"),
    columns_of(st.floats(width=32, allow_infinity=False, allow_nan=False), dtype="float32"),
    columns_of(st.floats(width=16, allow_infinity=False, allow_nan=False), dtype="float32"),
    columns_of(st.integers(-(2**53), 2**53)),
    columns_of(st.integers(0, 200), dtype="uint8"),
    columns_of(st.integers(-9, 9) | st.none(), dtype="Int8"),
    columns_of(st.booleans()),
    columns_of(TEXTS),
    columns_of(WORDS, dtype="category"),
    columns_of(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))).map(pd.to_datetime),
    columns_of(st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))),
    columns_of(st.decimals(-1000, 1000, places=3), dtype=object),
)
LABELS = st.one_of(
    columns_of(st.integers(-20, 20)), columns_of(st.booleans()), columns_of(WORDS), columns_of(TEXTS)
).filter(lambda column: column.nunique() > 1)


def csv_holds(frame, text):
    """Whether the texts of a frame are still texts, and the same, in its CSV: 'NA', '7' and 'TRUE' are not."""
    read = pd.read_csv(io.BytesIO(text), low_memory=False)
    texts = [name for name in frame if frame[name].map(type).eq(str).any()]
    return all(read[name].tolist() == frame[name].tolist() for name in texts)


@given(st.lists(FEATURES, min_size=1, max_size=4), LABELS, st.sampled_from(["drop", "mean"]))
@settings(max_examples=20)
def test_a_frame_its_csv_and_its_parquet_file_are_one_data_set(tmp_path_factory, features, labels, missing):
    frame = pd.DataFrame({f"c{place}": column for place, column in enumerate(features)} | {"kind": labels})
    text = frame.to_csv(index=False).encode()
    assume(csv_holds(frame, text))
    left = frame.dropna() if missing == "drop" else frame
    assume(left["kind"].nunique() > 1)
    folder = tmp_path_factory.getbasetemp()
    (folder / "table.csv").write_bytes(text)
    frame.to_parquet(folder / "table.parquet")
    table = table_with_target(frame, "kind")
    here = loaded(table, missing)
    for name in ("csv", "parquet"):
        path = str(folder / f"table.{name}")
        found = load_dataset(name, version=2, seed=0, path=path, target="kind", missing=missing)
        assert np.array_equal(found.features, here.features, equal_nan=True)
        assert found.feature_names == here.feature_names
        assert found.class_names == here.class_names
        assert found.digest == here.digest
    write_table(table.rows, folder / "kept.parquet")
    kept = parquet_rows(folder / "kept.parquet", "kept")
    assert table_digest(kept) == table_digest(table.rows)
    assert loaded(type(table)(kept, ("kind",)), missing).digest == here.digest


def test_what_libraries_call_a_type_makes_no_difference():
    plain = pd.DataFrame(
        {
            "x": [0.1, 2.25, None, -3.0],
            "whole": [3, 0, 200, 1],
            "city": ["bern", "graz", "oslo", "bern"],
            "day": [DAY, DAY, DAY + datetime.timedelta(3), DAY],
            "kind": ["p", "q", "p", "q"],
        }
    )
    table = pa.Table.from_pandas(plain)
    digest = table_digest(table_with_target(plain, "kind").rows)
    city = pd.Categorical(plain.city, ["aaa", "oslo", "graz", "bern"])
    texts = pa.array(plain.city.tolist(), pa.string_view())  # of a series, older PyArrow makes broken ones
    halves = pa.concat_tables([table[:2], table[2:]])
    numbers = [decimal.Decimal(str(each)) for each in (0.1, 2.25)] + [None, decimal.Decimal(-3)]
    same = {
        "categories that no row has": plain.assign(city=city),
        "dictionary of views": table.set_column(
            2, "city", pa.array(city).cast(pa.dictionary(pa.int8(), pa.string()))
        ),
        "views": table.set_column(2, "city", texts),
        "chunks": halves,
        "a stream": table.to_reader(),
        "decimals": plain.assign(x=pd.Series(numbers, dtype=object)),
        "float32": plain.astype({"x": "float32"}),
        "nullable float32": plain.astype({"x": "Float32"}),
        "Arrow's types": plain.convert_dtypes(dtype_backend="pyarrow"),
        "uint8": plain.astype({"whole": "uint8"}),
        "times at midnight": plain.assign(day=pd.to_datetime(plain.day)),
        "in a time zone": plain.assign(day=pd.to_datetime(plain.day).dt.tz_localize("Asia/Tokyo")),
        "an index of dates": plain.set_index(pd.to_datetime(plain.day)),
        "objects": plain.astype(object),
    }
    for name, given_one in same.items():
        assert table_digest(table_with_target(given_one, "kind").rows) == digest, name


def test_a_half_missing_value_and_a_sparse_column_are_what_they_stand_for():
    frame = pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1]), "n": [None] * 3, "kind": ["a", "b", "a"]})
    frame["bin"] = pd.cut([1, 5, 9], [0, 4, 10])
    frame["month"] = pd.period_range("2024-01", periods=3, freq="M")
    rows = table_with_target(frame, "kind").rows.to_pydict()
    assert rows["s"] == [0, 0, 1]
    assert np.isnan(rows["n"]).all()
    assert rows["bin"] == ["(0, 4]", "(4, 10]", "(4, 10]"]
    assert rows["month"] == ["2024-01", "2024-02", "2024-03"]


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_decimals_of_a_float32_are_those_that_numpy_writes(values):
    numbers = np.array(values, np.float32)
    written = np.array([float(str(each)) for each in numbers])
    assert np.array_equal(shortest_decimals(numbers), written, equal_nan=True)
    assert np.array_equal(shortest_decimals(numbers).astype(np.float32), numbers, equal_nan=True)


def test_version_1_read_a_float32_and_no_dates_in_parquet(tmp_path):
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"x": np.array([0.1, 0.5], np.float32), "kind": ["a", "b"]})
    frame.to_parquet(path)
    options: dict[str, Any] = {"seed": 0, "path": str(path), "target": "kind"}
    old = load_dataset("parquet", version=1, **options)
    assert old.features[0, 0] == float(np.float32(0.1)) != 0.1
    assert load_dataset("parquet", version=2, **options).features[0, 0] == 0.1
    frame.assign(x=pd.to_datetime(DAY)).to_parquet(path)
    with pytest.raises(InputError, match="holds datetime64 values"):
        load_dataset("parquet", version=1, **options)
    assert load_dataset("parquet", version=2, **options).feature_names == ("x=2024-01-01",)


def test_the_index_is_left_out_and_that_is_said_of_one_with_a_name():
    frame = pd.DataFrame({"x": [1, 2], "kind": ["a", "b"]}, index=[7, 3])
    assert table_with_target(frame, "kind").notes == ()
    assert table_with_target(frame.rename_axis("id"), "kind").notes == (
        "frame: the index 'id' is left out; frame.reset_index() makes it a column",
    )
    assert table_with_target(frame.rename_axis("x"), "kind").notes == ("frame: the index 'x' is left out",)
    of_index = table_with_target(frame.set_index("kind"), "kind")  # as in a Parquet file
    assert of_index.rows.column_names == ["kind", "x"]
    assert of_index.notes == ()


# --- features and labels ---


@pytest.mark.parametrize("shape", [(5, 2), (5, 2, 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "bool"])
@pytest.mark.parametrize("labels", [[3, 1, 2, 3, 1], ["b", "a", "b", "b", "ü"], [True, False] * 2 + [True]])
def test_arrays_are_the_data_set_that_their_npz_file_is(tmp_path, shape, dtype, labels):
    features = (np.random.default_rng(0).normal(size=shape) * 9).astype(dtype)
    np.savez(tmp_path / "arrays.npz", features=features, labels=labels)
    table = table_with_labels(features, labels)
    assert loaded(table).digest == read_npz(path=str(tmp_path / "arrays.npz")).digest
    assert table.targets == ("y",)


def test_labels_are_a_column_however_they_are_given():
    features = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0, 1, 0]})
    labels = pd.Series(["a", "b", "a"], name="kind", index=[9, 8, 7])
    table = table_with_labels(features, labels)
    assert table.rows.to_pydict() == {"x": [1, 2, 3], "y": [0, 1, 0], "kind": ["a", "b", "a"]}
    for again in (labels.to_frame(), pa.table({"kind": labels.tolist()})):
        assert table_with_labels(features, again).rows.equals(table.rows)
    for nameless in (
        labels.tolist(),
        labels.to_numpy(),
        labels.to_numpy()[:, None],
        labels.rename(None),
        pd.Categorical(labels),
        pa.array(labels.tolist()),
        pa.chunked_array([["a"], ["b", "a"]]),
    ):
        found = table_with_labels(features, nameless)
        assert found.targets == ("y_",)  # the features have a column 'y'
        assert found.rows["y_"].to_pylist() == ["a", "b", "a"]
    records = np.array([(1.0, "a"), (2.0, "b")], dtype=[("x", float), ("kind", "U1")])
    assert table_with_target(records, "kind").rows.to_pydict() == {"x": [1, 2], "kind": ["a", "b"]}
    masked = np.ma.masked_equal(np.array([[1, 2], [3, 4]]), 3)
    assert np.isnan(table_with_labels(masked, [0, 1]).rows["feature_0"].to_pylist()).tolist() == [False, True]


# --- what cannot be used ---

GOOD = pd.DataFrame({"x": [1.0, 2.0], "kind": ["a", "b"]})


def with_o(values: Any) -> pd.DataFrame:
    return GOOD.assign(o=values)


def test_nothing_untrue_is_noted_of_dates():
    assert table_with_target(GOOD.assign(day=pd.Timestamp("2024-01-31")), "kind").notes == ()


class Lazy:
    def collect(self):
        return GOOD


class Broken:
    def __arrow_c_stream__(self, requested_schema=None):
        raise RuntimeError("the connection\nis closed")


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (GOOD.rename(columns={"kind": "class"}), "target=kind: there is no such column; the columns are 'x', 'class'"),
        (GOOD.set_axis(["x", "x"], axis=1), "frame: has more than one column named 'x'; give each its own name"),
        (GOOD.set_axis([1, "1"], axis=1), "frame: has more than one column named '1'; give each its own name"),
        (GOOD.set_axis([np.nan, "kind"], axis=1), "frame: column 1 has no name; give it one, or remove it"),
        (GOOD.set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), axis=1), "frame: its columns have names of 2 rows"),
        (GOOD[:0], "frame: has columns but no rows"),
        (pd.DataFrame(), "frame: has no columns; needs at least one feature"),
        (with_o([1, "secret"]), "frame: column 'o' holds values of several kinds: int (1), str (1); make them one, as in frame['o'].astype(str)"),
        (with_o([True, 1]), "frame: column 'o' holds values of several kinds: bool (1), int (1)"),
        (with_o([2**70, 1]), "frame: column 'o' holds whole numbers of more than 64 bits; make them floats or text"),
        (with_o([object(), object()]), "frame: column 'o' holds object values; a table needs"),
        (with_o([1j, 2j]), "frame: column 'o' holds complex values"),
        (with_o([b"secret", b""]), "frame: column 'o' holds binary values"),
        (with_o([[1], [2]]), "frame: column 'o' holds list<item: int64> values; make a column of each part"),
        (with_o([{"a": 1}] * 2), "frame: column 'o' holds struct<a: int64> values; make a column of each part"),
        (with_o(pd.to_timedelta([1, 2])), "frame: column 'o' holds duration[ns] values; make numbers of them, such as seconds"),
        (with_o([datetime.time(3)] * 2), "frame: column 'o' holds time64[us] values; make numbers of them"),
        (with_o(pd.Series([uuid.UUID(int=1)] * 2, dtype=object)), "frame: column 'o' holds "),
        (with_o(pd.Series(["\ud800", ""], dtype=object)), "frame: column 'o' holds "),
        (np.ones(3), "frame: has the shape (3,); needs (rows, features)"),
        ({"x": [1], "kind": ["a"]}, "frame: is a dict; give a table: pandas.DataFrame(...)"),
        (Lazy(), "frame: is a Lazy, which has no rows yet; give what .collect() returns"),
        (Broken(), "frame: cannot be read as a table: "),
        ([[1, 2], [3]], "frame: cannot be read as an array: "),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_frame_is_one_line_without_its_values(frame, line):
    assert is_data(frame)
    message = error_of(table_with_target, frame, "kind")
    assert message.startswith(line)
    assert "secret" not in message


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ([0, 1, 2], "y: has 3 labels for 2 rows of X"),
        (np.eye(2), "y: has the shape (2, 2); needs one label a row; of one-hot rows give y.argmax(axis=1)"),
        (np.array([["a", "b"], ["b", "a"]]), "y: has the shape (2, 2); needs one label a row"),
        (np.zeros((2, 0)), "y: has the shape (2, 0); needs one label a row"),
        (np.zeros((2, 1, 2)), "y: has the shape (2, 1, 2); needs one label a row"),
        ({0: "a"}, "y: is a dict; needs one label a row, as an array or a column"),
        (None, "y: is a NoneType; needs one label a row, as an array or a column"),
        (np.array(3), "y: has the shape (); needs one label a row"),
    ],
)
def test_what_is_wrong_with_labels_is_one_line(labels, line):
    assert error_of(table_with_labels, np.ones((2, 2)), labels) == line


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (GOOD.assign(kind="a"), "data.name=frame: every row is of class 'a'; classification needs two or more"),
        (GOOD.assign(kind=["a", np.nan]), "frame: missing values in 'kind' (1); set data.missing=drop; "),
        (GOOD.assign(x=[np.nan, 1]), "frame: missing values in 'x' (1); set data.missing=drop or data.missing=mean"),
        (GOOD.assign(x=[np.inf, 1]), "frame: column 'x' holds 1 infinite values"),
        (GOOD.assign(kind=[0.5, 1]), "data.target=kind: holds continuous values such as 0.5; "),
        (GOOD[["kind"]], "frame: has no column beside the target 'kind'; needs at least one feature"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_a_data_set_is_one_line(frame, line):
    assert error_of(loaded, table_with_target(frame, "kind")).startswith(line)


# --- what is kept ---


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A kept table, its digest and its file."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    table = table_with_target(GOOD, "kind")
    digest = table_digest(table.rows)
    file = kept_file(tmp_path / "mlruns", digest)
    file.parent.mkdir(parents=True)
    write_table(table.rows, file)
    return table, digest, file


def test_a_kept_table_is_found_by_its_digest(kept):
    table, digest, _ = kept
    assert (
        load_dataset("frame", version=2, seed=0, digest=digest, target="kind").digest == loaded(table).digest
    )


def test_a_digest_is_that_of_the_content(kept):
    _, digest, _ = kept
    changed = [
        GOOD.assign(x=[1.0, 2.5]),
        GOOD.assign(kind=["a", "c"]),
        GOOD.assign(kind=["ab", ""]),
        GOOD[["kind", "x"]],
        GOOD[::-1],
        GOOD.rename(columns={"x": "z"}),
        GOOD.assign(x=[1, 2]),
        GOOD.assign(x=[1.0, np.nan]),
        GOOD.assign(kind=["a", np.nan]),
    ]
    assert len({digest, *(table_digest(table_with_target(each, "kind").rows) for each in changed)}) == 10


def test_a_kept_table_that_is_gone_or_another_is_one_line(kept):
    _, digest, file = kept
    write_table(table_with_target(GOOD.assign(x=[5.0, 6.0]), "kind").rows, file)
    assert "is not the one that Python gave; remove the file" in error_of(kept_rows, digest)
    file.write_bytes(b"PAR1")
    assert "is no Parquet table" in error_of(kept_rows, digest)
    os.unlink(file)
    assert error_of(kept_rows, digest) == (
        f"data.digest={digest[:12]}: the table that Python gave is no longer in {file.parent}; "
        "give the same data to mg.run again, or put the file back"
    )


@pytest.mark.parametrize("digest", ["", "../" * 22, "A" * 64, "0" * 64 + "\n"])
def test_a_digest_that_is_none_is_no_path(digest):
    assert "should be 64 hexadecimal digits" in error_of(kept_rows, digest)
