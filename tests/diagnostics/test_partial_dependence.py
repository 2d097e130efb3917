"""Mean probabilities if all rows had one value in a column, against a table in which they have it."""

import numpy as np
import pandas as pd
import pytest
from tests.narrowing import not_none

from micrograde.data.sets.tables import CsvTable
from micrograde.diagnostics import partial_dependence, values_to_try
from micrograde.nn import MLP, softmax
from micrograde.runs.building import prepare_data


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(1)
    rows = 200
    days = pd.to_timedelta(random.integers(0, 900, rows), unit="D")
    many = [f"level {each:02}" for each in random.choice(20, rows, p=np.arange(1, 21) / 210)]
    return pd.DataFrame(
        {
            "size": random.normal(size=rows).round(2),
            "many": many,
            "gap": np.where(random.random(rows) < 0.4, np.nan, random.normal(size=rows).round(2)),
            "flag": random.choice(["yes", "no"], rows),
            "count": random.integers(0, 4, rows) * 10,
            "when": (pd.Timestamp("2020-01-01") + days).strftime("%Y-%m-%d"),
            "kind": random.choice(["a", "b", "c"], rows),
        }
    )


@pytest.fixture(scope="module")
def prepared(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "table.csv"
    frame.to_csv(path, index=False)
    return prepare_data(CsvTable(path=str(path), target="kind", validation_fraction=0.4), "float64")


@pytest.fixture(scope="module")
def model(prepared):
    features = prepared.training.features.shape[1]
    return MLP(features, (8,), 3, initial_scale=2.0, generators=[np.random.default_rng(0)])


def found_for(name, model, prepared):
    columns = prepared.preprocessing.columns()
    at = [column for column, _ in columns].index(name)
    values = not_none(values_to_try(prepared.preprocessing, prepared.training, at))
    place, task = columns[at][1], prepared.task
    return partial_dependence(model, prepared.validation, place, values, task=task, column=name)


def with_value(frame, prepared, model, name, value):
    rows = frame.iloc[prepared.rows["val"] - 1].assign(**{name: value})
    return softmax(model.predict_logits(prepared.preprocessing.transform_table(rows))[0]).mean(axis=0)


@pytest.mark.parametrize("name", ["size", "many", "gap", "flag", "count"])
def test_it_is_what_a_table_gives_in_which_all_rows_have_the_value(name, frame, prepared, model):
    found = found_for(name, model, prepared)
    values = [label for _, label in found.values.ticks] or found.values.positions
    assert len(values) == len(found.means)
    for value, means in list(zip(values, found.means, strict=True))[::4]:
        np.testing.assert_allclose(means, with_value(frame, prepared, model, name, value), atol=1e-9)
    if name == "gap":
        right = with_value(frame, prepared, model, name, np.nan)
        np.testing.assert_allclose(found.if_missing, right, atol=1e-9)
    else:
        assert found.if_missing is None


def test_of_numbers_there_are_quantiles_or_all_if_they_are_few(frame, prepared, model):
    of_training = frame["size"].iloc[prepared.rows["train"] - 1]
    positions = found_for("size", model, prepared).values.positions
    assert 15 < len(positions) <= 20
    assert (np.diff(positions) > 0).all()
    assert of_training.min() < positions[0] <= of_training.quantile(0.08)
    assert of_training.quantile(0.92) <= positions[-1] < of_training.max()
    np.testing.assert_allclose(
        found_for("count", model, prepared).values.positions, [0, 10, 20, 30], atol=1e-9
    )


def test_of_many_categories_there_are_the_most_frequent_ones(frame, prepared, model):
    values = found_for("many", model, prepared).values
    counts = frame["many"].iloc[prepared.rows["train"] - 1].value_counts()
    names = [label for _, label in values.ticks]
    assert values.are_levels
    assert len(names) == 12 < values.of_levels == len(counts)
    assert names == sorted(names)
    assert counts[names].min() >= counts.drop(names).max()


def test_a_date_is_set_as_a_whole(frame, prepared, model):
    found = found_for("when", model, prepared)
    first = prepared.preprocessing.encoding.roles[5].first
    for position, means in list(zip(found.values.positions, found.means, strict=True))[::5]:
        day = str((pd.Timestamp(first) + pd.Timedelta(days=round(position))).date())
        np.testing.assert_allclose(means, with_value(frame, prepared, model, "when", day), atol=1e-9)
    for position, label in found.values.ticks:
        assert str((pd.Timestamp(first) + pd.Timedelta(days=position)).date()) == label


def test_a_column_of_one_value_has_none_to_try(prepared):
    training = prepared.training.first(1)
    columns = range(len(prepared.preprocessing.columns()))
    assert all(values_to_try(prepared.preprocessing, training, column) is None for column in columns)
