"""What becomes of each column of a table, and that it is the same whatever the table comes from."""

import io
import re
import shlex
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import load_dataset, split_dataset
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.column_rules import ColumnRules, decide
from micrograde.data.columns import Column
from micrograde.data.frames import table_with_target
from micrograde.data.number_texts import NumberStyle, parse_numbers
from micrograde.data.raw_table import RawTable
from micrograde.data.role_tables import TableOptions, dataset_of_table
from micrograde.data.roles import ROLES, role_from_state

CHANCE = np.random.default_rng(0)


def column(values, name="x"):
    texts = [None if value is None else str(value) for value in values]
    return Column.of_array(name, pa.array(texts, pa.large_string()))


def role_of(values, name="x", **rules):
    return decide({name: column(values, name)}, ColumnRules(**rules), "table")[name]


def dataset(frame, target="kind", missing="fill", **rules):
    table = table_with_target(frame, target)
    options = TableOptions(targets=(target,), missing=missing, rules=ColumnRules(**rules))
    return dataset_of_table(RawTable(table.rows), options, name="frame", file="frame", source="frame")


def by_column(summary):
    return {each.name: each for each in summary.columns}


TWENTY = [f"{each:.3f}" for each in CHANCE.normal(size=20)]


@pytest.mark.parametrize(
    ("values", "name", "role"),
    [
        (TWENTY, "x", "number"),
        ([*TWENTY, "?"], "x", "number"),
        ([*TWENTY, "?", "?", "-", " ", "n/a"], "x", "number"),
        ([*TWENTY, "lost"], "x", "number"),  # one row, but one in twenty
        ([*TWENTY, "lost", "stolen", "strayed"], "x", "identifier"),
        (["1,5", "2,25", "-3,0"] * 5, "x", "number"),
        (["007", "012", "113"] * 5, "x", "category"),  # a code has leading zeros
        (["1e5", "-2.5E-3", ".5", "5."] * 4, "x", "number"),
        (["red", "blue"] * 10, "x", "category"),
        (["True", "False"] * 10, "x", "truth"),
        (["TRUE", "FALSE", None] * 10, "x", "truth"),
        (["Yes", "No"] * 10, "x", "truth"),
        (["yes", "no", "maybe"] * 10, "x", "category"),
        (["7"] * 20, "x", "constant"),
        ([None] * 20, "x", "constant"),
        (["7", None] * 10, "x", "number"),  # whether it is there may tell something
        ([f"{each:05x}" for each in range(0xABC00, 0xABC00 + 40)], "x", "identifier"),
        (range(1, 41), "x", "identifier"),  # row numbers
        (range(1950, 1990), "year", "number"),  # which begin with 0 or 1
        (CHANCE.permutation(40), "x", "identifier"),
        (CHANCE.integers(10**6, size=40) * 7 + np.arange(40), "customer_id", "identifier"),
        (CHANCE.integers(10**6, size=40) * 7 + np.arange(40), "paid", "number"),
        (np.repeat(CHANCE.integers(10**6, size=20), 2), "PatientID", "identifier"),
        (np.repeat(CHANCE.integers(10**6, size=4), 20), "regionId", "category"),
        ([f"see you at {each} o'clock then" for each in range(40)], "x", "text"),
        (["first line\nsecond line", "ok"] * 10, "x", "text"),
        (["2024-01-31", "2023-02-28"] * 5, "x", "date"),
        (["2024-01-31T10:00:00Z", "2023-02-28T23:59:59+01:00"] * 5, "x", "date"),
        (["31/01/2024 10:30", "28/02/2024 09:00"] * 5, "x", "date"),
        (["01/31/2024", "02/28/2024"] * 5, "x", "date"),
        (["31.01.2024", "28.02.2023"] * 5, "x", "date"),
        (["3 Jan 2024", "12 Mar 2023"] * 5, "x", "date"),
        (["10:30", "23:59"] * 5, "x", "clock"),
        (["10-30", "23-59"] * 5, "x", "category"),
        (range(2**53, 2**53 + 40), "x", "identifier"),  # which float64 cannot tell apart
        ([each * 2**55 for each in range(-20, 20)], "x", "number"),
    ],
)
def test_the_role_of_a_column(values, name, role):
    assert role_of(list(values), name).name == role


@pytest.mark.parametrize(("name", "said"), [("id", True), ("userID", True), ("Id", True), ("order.id", True)])
def test_names_of_identifiers(name, said):
    values = (np.arange(40) * 17 % 1009).tolist()
    assert (role_of(values, name).name == "identifier") == said


@pytest.mark.parametrize("name", ["width", "paid", "humid", "idle", "acid", "IDEA", "valid"])
def test_names_that_only_hold_the_letters(name):
    assert role_of((np.arange(40) * 17 % 1009).tolist(), name).name == "number"


def test_what_the_user_says_wins():
    zips = ["10115", "20095"] * 10
    assert role_of(zips).name == "number"
    assert role_of(zips, roles={"x": "category"}).categories == ("10115", "20095")
    assert role_of(zips, drop=("x",)).described() == "by data.drop"
    names = [f"n{each}" for each in range(20)]
    assert role_of(names, keep=("x",)).name == "category"
    with pytest.raises(InputError, match=r"^table: column 'x' cannot be date: it holds no such values"):
        role_of(names, roles={"x": "date"})


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"drop": ("z",)}, "data.drop: there is no column 'z'; the columns are 'x', 'kind'"),
        ({"keep": ("kind",)}, "data.keep: 'kind' is the target, which is always used"),
        ({"roles": {"x": "colour"}}, "data.roles: 'x' is to be 'colour'; a role is one of category, clock, "),
        ({"drop": ("x",), "keep": ("x",)}, "data.drop: 'x' is to be used as well"),
    ],
)
def test_rules_that_name_what_is_not_there(rules, said):
    with pytest.raises(InputError) as caught:
        dataset(pd.DataFrame({"x": [1.0, 2.0], "kind": ["p", "q"]}), **rules)
    assert str(caught.value).startswith(said)


# --- numbers and dates as people write them ---


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("1,234.5", NumberStyle(".", ","), 1234.5),
        ("1.234,5", NumberStyle(",", "."), 1234.5),
        ("1 234,5", NumberStyle(",", " "), 1234.5),
        ("1\u202f234\u00a0567", NumberStyle(".", " "), 1234567.0),
        ("1'234.50", NumberStyle(".", " "), 1234.5),
        (" +3.5 ", NumberStyle(), 3.5),
        ("1,23,4", NumberStyle(".", ","), None),
        ("12.34.5", NumberStyle(), None),
        ("1e400", NumberStyle(), None),
        ("0x10", NumberStyle(), None),
        ("", NumberStyle(), None),
    ],
)
def test_numbers_in_a_style(text, style, number):
    (found,) = parse_numbers(pa.array([text], pa.large_string()), style).tolist()
    assert found == number if number is not None else np.isnan(found)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("{:.2f} €", "in €"),
        ("€{:.2f}", "in €"),
        ("$ {:.2f}", "in $"),
        ("EUR {:.2f}", "in EUR"),
        ("{:.1f}%", "in %"),
        ("{:.0f}\u00a0%", "in %"),
        ("{:.1f} cm", "in cm"),
        ("{:.1f}km/h", "in km/h"),
        ("{:.0f} years old", "in years old"),
        ("{:.1f} °C", "in °C"),
    ],
)
def test_numbers_may_have_a_unit(form, said):
    numbers = np.linspace(-1000.25, 999.75, 40)
    texts = [form.format(each) for each in numbers]
    role = role_of([*texts, None, "?"])
    assert (role.name, role.described()) == ("number", said)
    expected = [float(re.sub("[^0-9.-]", "", each)) for each in texts]
    assert role.encode(column(texts)).values[:, 0].tolist() == expected
    assert role.encode(column(["12.5", form.format(7), "much"])).values[:, 0].tolist()[:2] == [12.5, 7]
    assert role.encode(column(["much", "1"])).unreadable.tolist() == [True, False]


def test_a_unit_does_not_hide_the_decimal_comma():
    role = role_of([f"1.{each}0,50 €" for each in range(10, 50)])
    assert role.described() == "in €, decimal comma, points between thousands"
    frame = pd.DataFrame(
        {
            "price": ["1,299 €", "2,75 €"] * 20,
            "plain": ["1,299", "2,501"] * 20,
            "kind": ["p", "q", "p", "p"] * 10,
        }
    )
    assert dataset(frame).features.max() < 3


@pytest.mark.parametrize(
    "form",
    ["T{:03}", "A{}", "#{}", "row{}", "{}-A", "+1-555-{}", "No. {}", "{}:30", "Q{}", "1{}/2024", "v{}.1.2"],
)
def test_codes_are_no_numbers_with_a_unit(form):
    assert role_of([form.format(each) for each in range(40)]).name != "number"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_number_is_the_float_that_its_decimals_are_nearest_to(numbers):
    texts = pa.array([repr(each) for each in numbers], pa.large_string())
    assert parse_numbers(texts, NumberStyle()).tolist() == numbers


def test_one_file_has_one_decimal_sign():
    columns = {
        "betrag": column(["12,5", "1.901,47", "3,25"] * 4, "betrag"),
        "stueck": column(["1.232", "884", "12.000"] * 4, "stueck"),
        "preis": column(["12,750", "2,500", "1,299"] * 4, "preis"),
    }
    roles = decide(columns, ColumnRules(), "table", ";")
    first = {name: role.encode(columns[name]).values[:3, 0].tolist() for name, role in roles.items()}
    assert first == {
        "betrag": [12.5, 1901.47, 3.25],
        "stueck": [1232, 884, 12000],
        "preis": [12.75, 2.5, 1.299],
    }
    english = {"x": column(["1,299", "2,500", "12,750"] * 4), "y": column(["0.5", "1.25"] * 6, "y")}
    role = decide(english, ColumnRules(), "table", ",")["x"]
    assert role.encode(english["x"]).values[0, 0] == 1299
    assert (
        decide(english, ColumnRules(decimal=","), "table", ",")["x"].encode(english["x"]).values[0, 0]
        == 1.299
    )


def test_dates_become_numbers_by_the_days_that_are_possible():
    role = role_of(["13/04/1912 16:30", "04/05/1912 00:00"] * 5)
    values = role.encode(column(["14/04/1912 12:00", None])).values
    assert role.features("x") == ("x (year)", "x (month)", "x (weekday)", "x (hour)", "x (days)")
    assert values[0].tolist() == [1912, 4, 6, 12, 1.5]
    assert np.isnan(values[1]).all()
    assert not role.either
    both = role_of(["03/04/2024", "05/06/2024"] * 5)
    assert both.either
    assert both.encode(column(["03/04/2024"])).values[0, 1] == 4
    american = role_of(["03/04/2024", "05/06/2024"] * 5, day_first=False)
    assert american.encode(column(["03/04/2024"])).values[0, 1] == 3


# --- missing values, rare categories ---


def test_missing_values_are_filled_or_a_category_of_their_own():
    frame = pd.DataFrame(
        {
            "age": [1.0, None, 3.0, None] * 5,
            "cabin": ["a", "b", None, "a"] * 5,
            "kind": ["p", "q", "p", None] * 5,
        }
    )
    found = dataset(frame)
    assert found.feature_names == ("age", "age (missing)", "cabin=a", "cabin=b", "cabin (missing)")
    assert len(found) == 15
    assert found.features[1, 1:].tolist() == [1, 0, 1, 0]
    assert found.features[2, 1:].tolist() == [0, 0, 0, 1]
    assert np.isnan(found.features[1, 0])
    assert found.summary is not None
    assert found.summary.without_label == 5
    assert "5 left out, which have no class" in "\n".join(found.summary.lines())
    dropped = dataset(frame, missing="drop", drop=("age",))
    assert (len(dropped), dropped.feature_names) == (10, ("cabin=a", "cabin=b"))
    with pytest.raises(
        InputError, match=r"missing values in 'age' \(5\), 'cabin' \(5\); data.missing=fill fills"
    ):
        dataset(frame, missing="error")


def test_a_class_that_is_lost_with_its_rows_is_named():
    frame = pd.DataFrame({"x": [1.0, 2.0, None] * 6, "kind": ["p", "q", "yew"] * 6})
    found = dataset(frame, missing="drop")
    assert found.class_names == ("p", "q")
    assert found.summary is not None
    assert found.summary.lost == ("yew",)


def test_rare_categories_are_other_and_so_are_unknown_ones():
    values = ["a"] * 30 + ["b"] * 20 + [f"c{each}" for each in range(20)]
    role = role_of(values, max_categories=5)
    assert role.features("x") == ("x=a", "x=b", "x (other)")
    encoded = role.encode(column(["a", "c3", "never seen", None]))
    assert encoded.values.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]
    few = role_of(["a", "b"] * 10)
    encoded = few.encode(column(["b", "z"]))
    assert encoded.values.tolist() == [[0, 1], [0, 0]]
    assert encoded.unknown is not None
    assert encoded.unknown.tolist() == [False, True]


def test_what_is_read_as_missing_is_said_but_not_what_stands_in_one_row():
    frame = pd.DataFrame({"x": [*TWENTY, *TWENTY, "Jane Doe", " ", " "], "kind": ["p", "q"] * 21 + ["p"]})
    found = dataset(frame)
    text = "\n".join(found.summary.lines()) if found.summary else ""
    assert "'x' holds numbers but for ' ' (3 rows), read as missing" in text
    assert "Jane" not in text + str(found.encoding.state() if found.encoding else "")


# --- the target ---


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            [f"{each / 7:.3f}" for each in range(40)],
            "holds 40 different numbers with fractions, which are predicted as numbers (a regression); "
            "task=classification data.stratify=false makes a class of each",
        ),
        (
            range(1000, 1040),
            "holds 40 different whole numbers, which are predicted as numbers (a regression); "
            "task=classification data.stratify=false makes a class of each",
        ),
        (
            list(range(25)) * 4,
            "holds 25 different whole numbers, which are predicted as numbers (a regression); "
            "'data.roles={kind: category}' makes a class of each",
        ),
    ],
)
def test_numbers_of_many_values_are_predicted_as_numbers_and_that_is_said(numbers, said):
    numbers = list(numbers)
    frame = pd.DataFrame({"x": CHANCE.normal(size=len(numbers)), "kind": numbers})
    found = dataset(frame)
    assert found.task == "regression"
    assert (found.class_names, found.target_names) == ((), ("kind",))
    assert found.labels[:, 0].tolist() == [float(each) for each in numbers]
    assert f"data.target=kind: {said}" in found.notes


def test_whole_numbers_are_classes_if_the_user_says_so():
    classes = list(range(25)) * 4
    frame = pd.DataFrame({"x": CHANCE.normal(size=100), "kind": classes})
    assert dataset(frame, roles={"kind": "category"}).class_names == tuple(map(str, range(25)))


def test_spaces_around_classes_do_not_make_them_others():
    found = dataset(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "kind": [" p", "q", "p", "q "]}))
    assert found.class_names == ("p", "q")


def test_classes_that_differ_in_capitals_are_pointed_out():
    found = dataset(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "kind": ["good", "Good", "bad", "Größe"]}))
    assert found.class_names == ("Good", "Größe", "bad", "good")
    assert found.notes == ("data.target=kind: 'Good' and 'good' are two classes, which differ in capitals",)


def test_a_class_that_is_too_rare_is_left_out_as_the_line_says():
    kinds = ["p", "q"] * 20 + ["very rare", "it's"]
    frame = pd.DataFrame({"x": CHANCE.normal(size=42), "kind": kinds})
    with pytest.raises(InputError) as caught:
        split(dataset(frame))
    (typed,) = re.findall(r"leave the class out \((.*)\), or", str(caught.value))
    assert shlex.split(typed) == ['data.na_values=["it\'s",very rare]']
    assert len(split(dataset(frame, na_values=("it's", "very rare"))).train.labels) == 32
    numbers = frame.assign(kind=[3, 4] * 20 + [5, 5])
    with pytest.raises(InputError, match=r"predict the classes as numbers \(task=regression\), or set"):
        split(dataset(numbers))
    as_numbers = table_with_target(numbers, "kind")
    options = TableOptions(targets=("kind",), task="regression")
    found = dataset_of_table(RawTable(as_numbers.rows), options, name="frame", file="frame", source="frame")
    assert split(found).train.labels.shape == (34, 1)


def split(data):
    return split_dataset(data, validation_fraction=0.1, test_fraction=0.1, stratify=True, seed=0)


def test_numbers_with_many_limits_among_them_are_pointed_out():
    values = [f"{each / 7:.2f}" if each % 4 else "<0.5" for each in range(80)]
    frame = pd.DataFrame(
        {"x": CHANCE.normal(size=80), "crp": values, "kind": CHANCE.permutation(["p", "q"] * 40)}
    )
    found = dataset(frame)
    assert found.notes == (
        "frame: 'crp' holds numbers but for '<0.5' (20), and is category; "
        "'data.roles={crp: number}' reads the numbers, and those as missing",
    )
    assert dataset(frame, roles={"crp": "number"}).feature_names == ("x", "crp", "crp (missing)")
    assert dataset(frame, roles={"crp": "number"}).notes == ()
    sizes = frame.assign(crp=["10", "12", "small", "large"] * 20)
    assert dataset(sizes).notes == ()


def test_nothing_is_left_to_learn_from():
    texts = [f"win {each} free tickets now" for each in range(40)]
    frame = pd.DataFrame({"text": texts, "kind": ["spam", "ham"] * 20})
    with pytest.raises(InputError) as caught:
        dataset(frame)
    assert "nothing is left to learn from: 'text' is text" in str(caught.value)
    assert "data.keep=[text]" in str(caught.value)
    dataset(frame, keep=("text",))  # the advice works


def test_a_column_that_tells_the_class_is_pointed_out():
    frame = pd.DataFrame({"x": CHANCE.normal(size=40), "copy": ["u", "v"] * 20, "kind": ["p", "q"] * 20})
    found = dataset(frame)
    assert any("'copy' alone tells the class" in note for note in found.notes)
    assert found.summary is not None
    assert found.summary.telling == ("copy",)
    frame["copy"] = ["u", "v", "v", "v"] * 10
    assert not any("alone tells" in note for note in dataset(frame).notes)


@pytest.mark.parametrize("role", ["identifier", "text", "constant", "dropped"])
def test_any_column_may_be_given_a_role_that_leaves_it_out(role):
    frame = pd.DataFrame({"x": CHANCE.normal(size=40), "leaf": ["u", "v"] * 20, "kind": ["p", "q"] * 20})
    found = dataset(frame, roles={"leaf": role})
    assert found.feature_names == ("x",)
    assert by_column(found.summary)["leaf"].said == "by data.roles"


# --- laws ---

CELLS = st.one_of(
    st.none(),
    st.integers(-5, 3000).map(str),
    st.floats(-1e6, 1e6).map(str),
    st.sampled_from(
        ["a", "b", "c d", "?", " ", "NA", "True", "False", "yes", "2024-01-31", "31/12/2023", "7,5", "007"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=5),
)
COLUMNS = st.one_of(
    st.lists(CELLS, min_size=12, max_size=12),
    st.lists(st.integers(-5, 5), min_size=12, max_size=12),
    st.lists(st.floats(-10, 10) | st.none(), min_size=12, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.lists(
        st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2050-01-01")), min_size=12, max_size=12
    ).map(lambda dates: [pd.Timestamp(each) for each in dates]),
)


def outcome(read):
    """What comes of a table: its data set, or what is wrong with it."""
    try:
        found = read()
    except InputError as error:
        return str(error).split(": ", 1)[1]
    return found.digest, found.feature_names, found.class_names


@given(st.lists(COLUMNS, min_size=1, max_size=3), st.sampled_from(["fill", "median", "drop", "error"]))
@settings(max_examples=15, deadline=None)
def test_a_frame_its_csv_and_its_parquet_file_are_one_data_set(tmp_path_factory, columns, missing):
    frame = pd.DataFrame({f"c{place}": pd.Series(values) for place, values in enumerate(columns)})
    frame["kind"] = ["p", "q", "r"] * 4
    folder = tmp_path_factory.getbasetemp()
    frame.to_csv(folder / "roles.csv", index=False)
    frame.to_parquet(folder / "roles.parquet")

    def of(name, **options):
        path = str(folder / f"roles.{name}")
        return lambda: load_dataset(name, seed=0, path=path, target="kind", missing=missing, **options)

    here = outcome(lambda: dataset(frame, missing=missing))
    assert outcome(of("parquet")) == here
    if not any(isinstance(each, str) and each != each.strip("\r") for values in columns for each in values):
        assert outcome(of("csv", header=True, separator=",", decimal=".")) == outcome(
            lambda: dataset(frame, missing=missing, decimal=".")
        )


@given(COLUMNS)
@settings(max_examples=25, deadline=None)
def test_a_role_survives_its_file_and_reads_its_own_column(values):
    text = io.StringIO()
    pd.DataFrame({"x": pd.Series(values)}).to_csv(text, index=False)
    texts = pd.read_csv(
        io.StringIO(text.getvalue()), dtype="str", keep_default_na=False, skip_blank_lines=False
    )["x"]
    given_column = column([each or None for each in texts.tolist()])
    role = decide({"x": given_column}, ColumnRules(), "table")["x"]
    again = role_from_state(role.state())
    assert again == role
    encoded = again.encode(given_column)
    assert encoded.values.shape == (len(given_column), len(role.features("x")))
    assert encoded.unknown is None
    if role.used:
        assert np.isfinite(encoded.values).any(axis=1).sum() >= 1
        decoded = role.decode(np.nan_to_num(encoded.values))
        assert len(decoded) == len(given_column)


def test_every_role_says_what_it_is():
    for name, role in ROLES.items():
        assert role.name == name
        assert 0 < len(role.plural) <= 12
        assert (role.__doc__ or "").strip()


@pytest.mark.parametrize("state", [{"role": "nothing"}, {"role": "number", "code": "x"}])
def test_states_that_are_none(state):
    with pytest.raises(ValueError, match="role"):
        role_from_state(state)


def test_an_encoding_survives_its_file():
    frame = pd.DataFrame(
        {"x": [1.5, 2.5] * 10, "leaf": ["a", "b"] * 10, "day": ["2024-01-31", "2024-02-01"] * 10}
    )
    columns = {str(name): Column.of_series(str(name), frame[name]) for name in frame}
    roles = decide(columns, ColumnRules(), "table")
    encoding = ColumnEncoding(tuple(roles), tuple(roles.values()))
    assert ColumnEncoding.from_state(encoding.state()) == encoding
    features = encoding.encode(frame)
    again = pd.DataFrame(encoding.decode(features), columns=list(frame))
    assert np.array_equal(encoding.encode(again), features)
    with pytest.raises(
        InputError, match=r"^table: column 'x' holds no number in rows 1 and 2, as it did in training"
    ):
        encoding.encode(frame.assign(x=["much", "more", *["1"] * 18]))
    with pytest.raises(InputError, match=r"^table: has no column 'leaf'"):
        encoding.encode(frame.drop(columns="leaf"))


# --- groups, times, files of one's own ---


def test_a_group_is_in_one_part_and_no_feature(tmp_path):
    frame = pd.DataFrame(
        {"customer_id": np.repeat(range(40), 5), "x": CHANCE.normal(size=200), "kind": ["p", "q"] * 100}
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    path = str(tmp_path / "x.csv")
    found = load_dataset("csv", seed=0, path=path, target="kind", group="customer_id")
    assert found.feature_names == ("x",)
    assert found.groups is not None
    assert len(set(found.groups.tolist())) == 40
    split = split_dataset(found, validation_fraction=0.2, test_fraction=0.2, stratify=True, seed=0)
    of_part = [set(found.groups[part.rows]) for part in (split.train, split.validation, split.test) if part]
    assert sum(map(len, of_part)) == 40
    without = load_dataset("csv", seed=0, path=path, target="kind")
    assert any("data.group=customer_id puts the rows of each into one part" in note for note in without.notes)


def test_times_are_dates_or_numbers(tmp_path):
    frame = pd.DataFrame(
        {"day": [f"{day:02}/03/2024" for day in range(1, 31)], "x": range(30), "kind": ["p", "q"] * 15}
    )
    frame["x"] = frame["x"] / 7
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "x.csv", index=False)
    found = load_dataset("csv", seed=0, path=str(tmp_path / "x.csv"), target="kind", time="day")
    assert found.feature_names == ("x",)
    split = split_dataset(found, validation_fraction=0.1, test_fraction=0.1, stratify=True, seed=0)
    assert split.test is not None
    assert sorted(np.round(split.test.features[:, 0] * 7).tolist()) == [27, 28, 29]
    with pytest.raises(InputError, match=r"^data\.time: .kind. is the target"):
        load_dataset("csv", seed=0, path=str(tmp_path / "x.csv"), target="kind", time="kind")
    with pytest.raises(InputError, match=r"^data\.group: there is no column"):
        load_dataset("csv", seed=0, path=str(tmp_path / "x.csv"), target="kind", group="customer")


def test_parts_may_be_files(tmp_path):
    for name, rows in (("train", 20), ("validation", 6), ("test", 4)):
        frame = pd.DataFrame(
            {
                "x": CHANCE.normal(size=rows),
                "leaf": ["a", "b"] * (rows // 2),
                "kind": ["p", "q"] * (rows // 2),
            }
        )
        if name == "test":
            frame = frame.assign(leaf=["a", "b", "c", "a"], more=1)
            frame.loc[3, "kind"] = None
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    options: dict[str, Any] = {"path": str(tmp_path / "train.csv"), "target": "kind", "drop": ["leaf"]}
    parts: dict[str, Any] = {f"{name}_path": str(tmp_path / f"{name}.csv") for name in ("validation", "test")}
    found = load_dataset("csv", seed=0, **options, **parts)
    assert (len(found), found.validation_rows, found.test_rows) == (29, 6, 3)
    (tmp_path / "test.csv").write_text("x,kind\n1,p\n")
    with pytest.raises(InputError, match=r"^data.test_path=.*: has no column 'leaf'; it has 'x', 'kind'"):
        load_dataset("csv", seed=0, **options, **parts)
