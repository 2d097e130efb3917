"""A model whose columns have roles gives the same by itself, as ONNX, and after it was written and read."""

import numpy as np
import onnx
import pandas as pd
import pytest

from micrograde.data import Preprocessing
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.column_rules import ColumnRules
from micrograde.data.frames import table_with_target
from micrograde.data.raw_table import RawTable
from micrograde.data.role_tables import TableOptions, dataset_of_table
from micrograde.models.onnx_export import as_feeds, compare_onnx, example_rows, export_onnx, run_onnx
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import MLP

ROWS = 60


def frame():
    """A table with a column of every role that is used, and with values that are missing."""
    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": np.where(np.arange(ROWS) % 7, chance.normal(40, 9, ROWS).round(1), np.nan),
            "height": chance.normal(20, 4, ROWS).round(2),
            "leaf": [["needle", "broad", None][place % 3] for place in range(ROWS)],
            "town": [f"t{place % 12}" if place % 2 else "bern" for place in range(ROWS)],
            "wild": [place % 3 == 0 for place in range(ROWS)],
            "tame": [["yes", "no", None][place % 3] for place in range(ROWS)],
            "day": [
                f"2024-{place % 12 + 1:02}-{place % 28 + 1:02} 0{place % 10}:30" for place in range(ROWS)
            ],
            "hour": [f"{place % 24:02}:15" for place in range(ROWS)],
            "kind": ["oak", "fir"] * (ROWS // 2),
        }
    )


@pytest.fixture(scope="module")
def network():
    table = table_with_target(frame(), "kind")
    options = TableOptions(targets=("kind",), rules=ColumnRules(max_categories=3))
    dataset = dataset_of_table(RawTable(table.rows), options, name="frame", file="frame", source="frame")
    preprocessing = Preprocessing.fit(dataset, dataset.features, standardize=True)
    model = MLP(dataset.features.shape[1], [8], 2, generators=np.random.default_rng(1), dtype="float64")
    return TrainedNetwork(model, preprocessing)


def test_every_role_that_is_used_is_there(network):
    encoding = network.preprocessing.encoding
    assert isinstance(encoding, ColumnEncoding)
    assert {role.name for role in encoding.roles} == {"number", "category", "truth", "date", "clock"}
    assert encoding.input_types == {
        "age": "double", "height": "double", "leaf": "string", "town": "string", "wild": "boolean",
        "tame": "string", "day": "string", "hour": "string",
    }  # fmt: skip


def test_as_onnx_it_gives_the_same(network):
    model = export_onnx(network)
    onnx.checker.check_model(model, full_check=True)
    rows = frame().drop(columns="kind")
    rows.loc[5, "leaf"] = "never seen"
    rows.loc[6, "town"] = "never seen"
    rows.loc[7, "town"] = None
    _, probabilities = run_onnx(model.SerializeToString(), as_feeds(network, rows))
    np.testing.assert_allclose(probabilities, network.probabilities(rows), rtol=0, atol=1e-12)
    assert compare_onnx(model.SerializeToString(), network, example_rows(network, 50))


def test_after_it_was_written_it_gives_the_same(network):
    again = Preprocessing.from_state(network.preprocessing.state())
    again.check()
    rows = frame()
    assert np.array_equal(again.transform_table(rows), network.preprocessing.transform_table(rows))
    records = rows.drop(columns="kind").to_dict("records")
    assert np.array_equal(network.probabilities(records), network.probabilities(rows))
