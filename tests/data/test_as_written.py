"""Classes are kept apart that stand apart in the file, and nothing else is read otherwise than version 0.1 did."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import unpack_old_home

from micrograde.core.errors import InputError
from micrograde.data import load_dataset


def csv(folder, labels, features=None, name="t.csv"):
    """A table whose labels stand in the file like this."""
    path = folder / name
    features = range(len(labels)) if features is None else features
    lines = [f"{feature},{label}" for feature, label in zip(features, labels, strict=True)]
    path.write_text("\n".join(["a,y", *lines]) + "\n", encoding="utf-8")
    return path


def read(path, target="y", **options):
    return load_dataset(path.suffix[1:], seed=0, path=str(path), target=target, **options)


def classes(dataset):
    return [dataset.class_names[label] for label in dataset.labels]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["7", "07", "8", "07"], "'7' and '07' would be the same number"),
        (["1e5", "100000", "3", "1e5"], "'1e5' and '100000' would be the same number"),
        (["1", "1.0", "2", "1"], "'1' and '1.0' would be the same number"),
        (["+1", "1", "-1", "1"], "'+1' and '1' would be the same number"),
        (["0", "-0", "1", "1"], "'0' and '-0' would be the same number"),
        (["01234", "02134", "01234", "99999"], "because of leading zeros"),
        (["007", "008", "007", "008"], "because of leading zeros"),
    ],
)
def test_classes_that_would_merge_or_lose_zeros_are_the_texts_of_the_file(tmp_path, labels, said):
    dataset = read(csv(tmp_path, labels))
    assert classes(dataset) == labels
    (note,) = dataset.notes
    assert note.startswith("data.target=y: classes are taken as text, because")
    assert said in note
    old = read(csv(tmp_path, labels), exact_labels=False)
    assert classes(old) == [str(int(float(label))) for label in labels]


@pytest.mark.parametrize(
    "labels",
    [
        ["1", "2", "1", "10"], ["-1", "1", "-1", "1"], ["1.0", "2.0", "1.0", "2.0"], ["True", "false", "TRUE", "False"],
        ["a", "b", "a", "c d"], ["1e5", "2e5", "1e5", "1e5"], ["0", "1", "0", "1"], [" 1", "1", "2", " 2"],
        ["yes", "no", "yes", "1"], ["0.0", "1.0", "0.0", "1.0"], ["x07", "x7", "x7", "x07"],
    ],
    ids=str,
)  # fmt: skip
def test_of_an_ordinary_column_both_rules_give_the_same(tmp_path, labels):
    new, old = (read(csv(tmp_path, labels), exact_labels=exact) for exact in (True, False))
    assert new.digest == old.digest
    assert new.notes == ()


@given(
    st.one_of(
        st.lists(st.integers(-50, 50), min_size=2, max_size=12),
        st.lists(st.sampled_from(["oak", "fir", "yew"]), min_size=2, max_size=12),
        st.lists(st.booleans(), min_size=2, max_size=12),
        st.lists(st.sampled_from([0.0, 1.0, 2.0, -3.0]), min_size=2, max_size=12),
    ),
    st.booleans(),
    st.sampled_from(["csv", "parquet"]),
    st.sampled_from(["error", "drop", "mean"]),
)
@settings(max_examples=60)
def test_of_what_pandas_writes_both_rules_give_the_same(tmp_path_factory, labels, gap, kind, missing):
    path = tmp_path_factory.getbasetemp() / f"written.{kind}"
    table = pd.DataFrame({"a": np.arange(len(labels)) * 1.5, "y": pd.Series(labels)})
    if gap:
        table["y"] = table["y"].where(table.index != 0)
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    found: list[object] = []
    for exact in (True, False):
        try:
            dataset = read(path, missing=missing, exact_labels=exact)
            found.append((dataset.digest, dataset.notes))
        except InputError as error:
            found.append(str(error))
    assert found[0] == found[1]


WORDS = ["NA", "None", "nan", "null", "NULL", "N/A", "NaN", "n/a", "<NA>", "#N/A", "-nan"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("missing", ["error", "mean"])
def test_a_word_for_missing_is_a_class_beside_other_words(tmp_path, word, missing):
    labels = [word, "EU", "AS", word, "EU"]
    dataset = read(csv(tmp_path, labels), missing=missing)
    assert classes(dataset) == labels
    assert dataset.notes == (
        f"data.target=y: {word!r} (2) is a class; with data.missing=drop such rows are left out as missing",
    )
    with pytest.raises(InputError, match="missing values in 'y'"):
        read(csv(tmp_path, labels), missing=missing, exact_labels=False)
    for exact in (True, False):  # as before
        dropped = read(csv(tmp_path, labels), missing="drop", exact_labels=exact)
        assert classes(dropped) == ["EU", "AS", "EU"]
        assert dropped.notes == ()


def test_several_words_are_several_classes_and_nothing_is_missing_still(tmp_path):
    labels = ["NA", "EU", "None"] * 3
    assert classes(read(csv(tmp_path, labels))) == labels
    with pytest.raises(InputError, match=r"missing values in 'y' \(1\)"):
        read(csv(tmp_path, [*labels, ""]))


@pytest.mark.parametrize("others", [["0", "1"], ["1.0", "2.0"], ["True", "False"]])
def test_beside_numbers_and_truth_values_such_a_word_is_a_missing_one(tmp_path, others):
    with pytest.raises(InputError, match=r"missing values in 'y' \(1\)"):
        read(csv(tmp_path, [*others, *others, "NA"]))
    dropped = read(csv(tmp_path, [*others, *others, "NA"]), missing="drop")
    assert len(dropped) == 4


def test_continuous_values_are_no_classes_however_they_are_written(tmp_path):
    for labels in (["1.5", "1.50", "2", "2.0"], ["0.1", "1e-1", "3", "4"], ["inf", "1", "2", "1"]):
        with pytest.raises(InputError, match="holds continuous values"):
            read(csv(tmp_path, labels))


def test_large_integers_are_kept_apart_as_classes(tmp_path):
    labels = [str(2**60 + row % 2) for row in range(6)]
    assert classes(read(csv(tmp_path, labels))) == labels
    gap = read(csv(tmp_path, [*labels, ""]), missing="drop")
    assert classes(gap) == labels
    apart = [str(2**60 + 10_000 * (row % 2)) for row in range(6)]
    assert classes(read(csv(tmp_path, [*apart, ""]), missing="drop")) == apart
    path = tmp_path / "t.parquet"
    for kind in ("Int64", "UInt64"):
        column = pd.array([int(label) for label in labels] + [None], dtype=kind)
        pd.DataFrame({"a": np.arange(7.0), "y": column}).to_parquet(path)
        assert classes(read(path, missing="drop")) == labels
        with pytest.raises(InputError, match=r"missing values in 'y' \(1\)"):
            read(path)


@pytest.mark.parametrize(
    "column",
    [
        [2**53 + row % 2 for row in range(6)],
        [-(2**60) - row for row in range(6)],
        [2**63 + row for row in range(6)],
        [2**53 + row % 2 if row != 3 else "" for row in range(6)],
    ],
    ids=["2**53", "negative", "unsigned", "one missing"],
)
def test_integers_that_merge_as_features_are_said(tmp_path, column):
    dataset = read(csv(tmp_path, list("abcabc"), column), missing="mean")
    (note,) = dataset.notes
    assert note.startswith(f"data.path={tmp_path / 't.csv'}: column 'a' holds integers beyond 2**53")
    assert "become the same number" in note


def test_of_large_numbers_that_do_not_merge_nothing_is_said(tmp_path):
    for column in (
        [10**16] * 6,
        [2**60, 2**61] * 3,
        [1e200, 2e200, 1e300] * 2,
        [2**53 + 2 * row for row in range(6)],
    ):
        assert read(csv(tmp_path, list("abcabc"), column)).notes == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "a "), ("a b", "a  b"), ("\u00e9", "e\u0301"), ("x\u00b2", "x2"), ("a b", "a\u00a0b")],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_classes_that_look_alike_are_two_and_it_is_said(tmp_path, one, other, kind):
    labels = [one, other, "c", one]
    path = tmp_path / f"t.{kind}"
    table = pd.DataFrame({"a": range(4), "y": labels})
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    dataset = read(path)
    assert classes(dataset) == labels
    (note,) = dataset.notes
    assert "are two classes, which differ in spaces or in how Unicode writes the same characters" in note
    assert note.isascii()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.array([1, 2, 1, 2]), ("1", "2")),
        (np.array([1.0, 2.0, 1.0, 2.0]), ("1", "2")),
        (np.array([True, False, True, True]), ("False", "True")),
        (np.array(["07", "7", "1.0", "1"]), ("07", "1", "1.0", "7")),
        (np.array(["NA", "None", "EU", "NA"]), ("EU", "NA", "None")),
    ],
)
def test_in_parquet_types_tell_classes_apart(tmp_path, labels, names):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": range(4), "y": labels}).to_parquet(path)
    new, old = (read(path, exact_labels=exact) for exact in (True, False))
    assert new.class_names == names
    assert new.digest == old.digest


def test_the_tables_of_version_0_1_are_read_as_they_were(tmp_path):
    home = unpack_old_home(tmp_path / "old")
    found = 0
    for path in home.rglob("*.csv"):
        for target in ("species", "type", "class", "class_type"):
            for missing in ("error", "drop", "mean"):
                try:
                    old = read(path, target, missing=missing, exact_labels=False)
                except InputError:
                    continue
                new = read(path, target, missing=missing)
                assert (new.digest, new.notes) == (old.digest, ())
                found += 1
    assert found >= 2
