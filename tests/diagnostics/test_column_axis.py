"""Rows of columns of every role stand on an axis where the table has them."""

import numpy as np
import pandas as pd
import pytest

from micrograde.data.sets.tables import CsvTable
from micrograde.diagnostics.column_axis import column_axis
from micrograde.runs.building import prepare_data


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    rows = 300
    days = pd.to_timedelta(random.integers(0, 400, rows), unit="D")
    return pd.DataFrame(
        {
            "size": random.normal(size=rows).round(2),
            "gap": np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows).round(2)),
            "colour": random.choice(["red", "green", "blue"], rows),
            "sold": random.choice(["yes", "no"], rows),
            "when": (pd.Timestamp("2020-01-01") + days).strftime("%Y-%m-%d"),
            "price": random.normal(size=rows).round(3),
        }
    )


def test_positions_are_those_of_the_table(table, tmp_path):
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    data = prepare_data(CsvTable(path=str(path), target="price", validation_fraction=0.3), "float64")
    assert data.validation
    rows = table.iloc[data.rows["val"] - 1]
    columns = dict(data.preprocessing.columns())
    found = {
        name: column_axis(data.preprocessing, data.validation.features, place)
        for name, place in columns.items()
    }
    axes = {name: axis for name, axis in found.items() if axis}
    assert axes.keys() == {"size", "gap", "colour", "sold", "when"}
    np.testing.assert_allclose(axes["size"].positions, rows["size"], atol=1e-9)
    np.testing.assert_allclose(axes["gap"].positions, rows["gap"], atol=1e-9)
    for name in ("colour", "sold"):
        levels = np.array(axes[name].levels)
        assert list(levels[axes[name].positions.astype(int)]) == list(rows[name])
    days = (pd.to_datetime(rows["when"]) - pd.to_datetime(rows["when"]).min()).dt.days
    np.testing.assert_allclose(np.diff(axes["when"].positions), np.diff(days), atol=1e-6)
    assert all(text.startswith("202") for _, text in axes["when"].ticks)
