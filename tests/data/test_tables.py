import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from micrograde.core.errors import InputError
from micrograde.data import load_dataset
from micrograde.data.tables import read_parquet, read_rows

TABLE = "age,colour,member,kind\n30,red,True,cat\n41.5,blue,False,dog\n7,red,False,cat\n"


@pytest.fixture
def csv(tmp_path):
    def load(text, target="kind", **options):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_dataset("csv", seed=0, path=str(path), target=target, **options)

    return load


@pytest.fixture
def parquet(tmp_path):
    def load(table, target="kind", **options):
        path = tmp_path / "table.parquet"
        pq.write_table(pa.Table.from_pandas(table) if isinstance(table, pd.DataFrame) else table, path)
        return load_dataset("parquet", seed=0, path=str(path), target=target, **options)

    return load


def error_of(load, *args, **options):
    with pytest.raises(InputError) as caught:
        load(*args, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_numbers_stay_and_categories_become_one_hot(csv):
    dataset = csv(TABLE)
    assert dataset.feature_names == (
        "age", "colour=blue", "colour=red", "member=False", "member=True"
    )  # fmt: skip
    assert dataset.features.tolist() == [[30, 0, 1, 0, 1], [41.5, 1, 0, 1, 0], [7, 0, 1, 1, 0]]
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 1, 0]


def test_csv_and_parquet_of_the_same_table_have_the_same_digest(csv, parquet):
    frame = pd.DataFrame(
        {
            "x": np.random.default_rng(0).standard_normal(50) * 1e-7,
            "s": pd.Categorical(["u", "v"] * 25),
            "b": [True, False] * 25,
            "kind": [3, 1, 2, 3, 1] * 10,
        }
    )
    assert csv(frame.to_csv(index=False)).digest == parquet(frame).digest


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([2.0, 1.0, 2.0]),
        pd.Series([2, 1, 2], dtype="Int64"),
        pd.Series([2, 1, 2], dtype="uint8"),
        pd.Series(["2", "1", "2"], dtype="category"),
        pd.Series([2, 1, 2], dtype="category"),
    ],
)
def test_every_dtype_of_class_labels(parquet, column):
    dataset = parquet(pd.DataFrame({"x": [0.0, 1.0, 2.0], "kind": column}))
    assert dataset.labels.tolist() == [1, 0, 1]
    assert dataset.class_names == ("1", "2")


def test_every_dtype_of_features(parquet):
    table = pa.table(
        {
            "decimal": pa.array([1.5, 2.25]).cast(pa.decimal128(6, 2)),
            "nullable": pa.array([1, 2], pa.int8()),
            "dictionary": pa.array(["u", "v"]).dictionary_encode(),
            "kind": ["a", "b"],
        }
    )
    dataset = parquet(table)
    assert dataset.features.tolist() == [[1.5, 1, 1, 0], [2.25, 2, 0, 1]]


def test_categories_that_no_row_has_get_no_feature(parquet):
    colour = pd.Categorical(["red", "blue"], categories=["blue", "green", "red"])
    dataset = parquet(pd.DataFrame({"colour": colour, "kind": ["a", "b"]}))
    assert dataset.feature_names == ("colour=blue", "colour=red")


# --- missing values ---


HOLES = "age,height,colour,kind\n30,1,red,a\n,2,blue,b\n50,,red,a\n,4,blue,b\n"


def test_missing_values_are_counted_by_column(csv):
    message = error_of(csv, HOLES)
    assert "missing values in 'age' (2), 'height' (1)" in message
    assert "data.missing=drop or data.missing=mean" in message


def test_long_lists_of_columns_are_cut(csv):
    columns = [f"c{index}" for index in range(15)]
    message = error_of(csv, ",".join([*columns, "kind"]) + "\n" + "," * 15 + "a\n" + "1," * 15 + "b\n")
    assert "'c9' (1) and 5 more" in message


def test_drop_leaves_the_rows_out(csv):
    dataset = csv(HOLES + "60,5,blue,b\n", missing="drop")
    assert dataset.features.tolist() == [[30, 1, 0, 1], [60, 5, 1, 0]]
    assert dataset.labels.tolist() == [0, 1]


def test_drop_also_leaves_out_rows_without_a_label(csv):
    dataset = csv("x,kind\n1,5\n2,\n3,7\n", missing="drop")
    assert dataset.class_names == ("5", "7")


def test_mean_keeps_the_holes_for_the_preprocessing(csv):
    dataset = csv(HOLES, missing="mean")
    assert dataset.fill_missing
    assert np.array_equal(dataset.features[:, 0], [30, np.nan, 50, np.nan], equal_nan=True)


@pytest.mark.parametrize("missing", ["error", "mean"])
@pytest.mark.parametrize(
    ("text", "column"), [("x,c,kind\n1,u,a\n2,,b\n", "c"), ("x,c,kind\n1,u,a\n2,v,\n", "kind")]
)
def test_categories_and_labels_have_no_mean(csv, missing, text, column):
    message = error_of(csv, text, missing=missing)
    assert (
        f"missing values in '{column}' (1); set data.missing=drop; data.missing=mean fills numeric" in message
    )


def test_nothing_left_after_dropping(csv):
    assert "no row is left" in error_of(csv, "x,kind\n,a\n,b\n", missing="drop")


# --- bad tables ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; needs a header line and rows"),
        ("x,kind\n", "has columns but no rows"),
        ("kind\na\nb\n", "has no column beside the target 'kind'"),
        ("x,x,kind\n1,2,a\n3,4,b\n", "has more than one column named 'x'"),
        (",x,kind\n0,2,a\n1,4,b\n", "column 1 has no name"),
        ("x,kind\n1,2,a\n3,4,b\n", "rows with more values than the header has columns"),
        ("x,kind\n1,a\n3,4,b\n", "is no CSV table: Error tokenizing data"),
        ("x,kind\ninf,a\n1,b\n", "column 'x' holds 1 infinite values"),
        ("x,kind\n1,a\n2,a\n", "data.name=csv: every row is of class 'a'"),
        ("x,kind\n1,0.5\n2,1.5\n", "data.target=kind: holds continuous values such as 0.5"),
        (b"x,kind\n1,\xff\xfe\n", "is no UTF-8 text"),
    ],
)
def test_bad_csv(csv, text, words):
    assert words in error_of(csv, text)


def test_a_target_that_is_not_there(csv):
    message = error_of(csv, TABLE, target="species")
    assert message == (
        "data.target=species: there is no such column; the columns are 'age', 'colour', 'member', 'kind'"
    )


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_missing_file_is_named(name):
    with pytest.raises(InputError, match=r"data.path=/no/where: there is no such file"):
        load_dataset(name, seed=0, path="/no/where", target="kind")


def test_a_damaged_compressed_csv(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_text(TABLE)
    with pytest.raises(InputError, match=r"table.csv.gz: is no CSV table: Not a gzipped file"):
        load_dataset("csv", seed=0, path=str(path), target="kind")


def test_unreadable_parquet(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text(TABLE)
    with pytest.raises(InputError, match=r"table.parquet: is no Parquet table: ") as caught:
        load_dataset("parquet", seed=0, path=str(path), target="kind")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pa.table([[1], [2], ["a"]], names=["x", "x", "kind"]), "more than one column named 'x'"),
        (pa.table({"x": [[1], [2]], "kind": ["a", "b"]}), "column 'x' holds list<element: int64> values"),
        (pa.table({"x": pa.array([1, 2], pa.duration("s")), "kind": ["a", "b"]}), "'x' holds timedelta64"),
        (pa.table({"x": [1, 2], "kind": [[1], [2]]}), "column 'kind' holds list<element: int64> values"),
        (
            pa.table({"x": [1, 2], "kind": pa.array([1, 2], pa.time32("s"))}),
            "data.target=kind: holds values such",
        ),
        (pa.table({"x": pa.array([], pa.int64()), "kind": pa.array([], pa.string())}), "columns but no rows"),
    ],
)
def test_bad_parquet(parquet, table, words):
    assert words in error_of(parquet, table)


def test_parquet_names_are_the_texts_of_the_file(tmp_path):
    # pandas would make numbers, truth values and dates of them again, which nobody can type.
    path = tmp_path / "table.parquet"
    dates = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"])
    for columns in (
        [0, 1, 2],
        range(3),
        [0.5, 1.5, 2.5],
        [True, False, "2"],
        pd.CategoricalIndex(["a", "b", "c"]),
        dates,
    ):
        table = pd.DataFrame(
            {"x": [1.0, 2.0, 3.0, 4.0], "y": [5.0, 6.0, 7.0, 8.0], "z": ["a", "b", "a", "b"]}
        )
        table = table.set_axis(columns, axis="columns")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of pandas, of mixed names
            table.to_parquet(path)
        names = [str(name) for name in columns]
        assert list(read_rows(str(path), names).columns) == names
        dataset = read_parquet(path=str(path), target=names[2])
        assert dataset.feature_names == tuple(names[:2])
        assert dataset.class_names == ("a", "b")


def test_parquet_names_of_two_rows_are_refused_with_what_helps(tmp_path):
    path = tmp_path / "table.parquet"
    table = pd.DataFrame({0: [1.0, 2.0, 1.0, 2.0], 1: list("abab")})
    table.columns = pd.MultiIndex.from_tuples([("size", "1"), ("class", "kind")])
    table.to_parquet(path)
    for read in (lambda: read_rows(str(path), []), lambda: read_parquet(path=str(path), target="kind")):
        with pytest.raises(InputError) as error:
            read()
        line = str(error.value)
        assert line.startswith(f"data.path={path}: column \"('size', '1')\" has a name of 2 rows; ")
    exec(line.partition("one row: ")[2], {"table": table})  # as it is advised
    table.to_parquet(path)
    assert read_parquet(path=str(path), target="class_kind").feature_names == ("size_1",)


def test_an_index_in_a_parquet_file(tmp_path):
    path = tmp_path / "table.parquet"
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "kind": ["a", "b", "a", "b"]})
    sites = list("uvuv")
    for index, columns in (
        (pd.RangeIndex(4), ["x", "kind"]),
        (pd.Index(sites, name="x"), ["x", "kind"]),  # named like a column, which stays
        (pd.RangeIndex(4, name="kind"), ["x", "kind"]),
        (pd.Index(sites, name="site"), ["site", "x", "kind"]),
        (pd.MultiIndex.from_arrays([sites, range(4)], names=["site", "x"]), ["site", "x", "kind"]),
        (pd.MultiIndex.from_arrays([sites, range(4)], names=[None, "row"]), ["row", "x", "kind"]),
    ):
        table.index = index
        table.to_parquet(path)
        rows = read_rows(str(path), ["x"])
        assert list(rows.columns) == columns
        assert rows["x"].tolist() == [1.0, 2.0, 3.0, 4.0]
        assert read_parquet(path=str(path), target="kind").feature_names == ("x",)
    table.index = pd.Index(sites, name="site")
    table.to_parquet(path)
    assert read_parquet(path=str(path), target="site").class_names == ("u", "v")
