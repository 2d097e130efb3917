"""What the model that a run keeps says of each row of its data, as a file of the run."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import micrograde as mg
from micrograde.core.errors import InputError
from micrograde.runs.row_predictions import FILE, _column, _texts, read_predictions
from micrograde.tasks import Names

PARTS = ("train", "val", "test")


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))


def table(rows=80):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 2)), columns=["a", "b"])
    frame["kind"] = np.where(frame["a"] + random.normal(size=rows) > 0, "yes, it is", "no")
    frame["place"] = np.arange(rows)
    return frame


def test_each_row_has_a_prediction_that_the_recorded_values_follow_from():
    frame = table()
    frame.loc[[3, 40], "kind"] = None  # two rows without a label are left out
    run = mg.run(frame, target="kind", drop=["place"], num_epochs=15, pictures="light")
    rows = mg.load_predictions("latest")
    pd.testing.assert_frame_equal(rows, run.predictions)
    assert list(rows) == [
        "row",
        "part",
        "true",
        "predicted",
        "loss",
        "probability_no",
        "probability_yes, it is",
    ]
    assert sorted(rows["row"]) == [row for row in range(1, 81) if row not in (4, 41)]
    assert rows["true"].tolist() == frame["kind"].iloc[rows["row"] - 1].tolist()
    for part in PARTS:
        of_part = rows[rows["part"] == part]
        assert (of_part["true"] == of_part["predicted"]).mean() == run.metrics[f"kept/{part}/accuracy"]
        assert of_part["loss"].mean() == pytest.approx(run.metrics[f"kept/{part}/loss"], rel=1e-5)
        shares = of_part[["probability_no", "probability_yes, it is"]].to_numpy()
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
        assert (np.array(["no", "yes, it is"])[shares.argmax(axis=1)] == of_part["predicted"]).all()
    again = run.model.predict(frame.iloc[rows["row"] - 1])
    assert again["class"].tolist() == rows["predicted"].tolist()


def test_a_run_without_predictions_says_so():
    run = mg.run("data=moons", "training.num_epochs=1", "tracking=disabled")
    with pytest.raises(InputError, match=rf"run of no store: has no {FILE}"):
        mg.load_predictions(run)


def test_a_file_that_is_none_is_one_line(tmp_path):
    (tmp_path / FILE).write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match=f"{FILE}: cannot be read"):
        read_predictions(tmp_path / FILE)
    pd.DataFrame({"row": [1]}).to_parquet(tmp_path / FILE)
    with pytest.raises(InputError, match=f"{FILE}: cannot be read"):
        read_predictions(tmp_path / FILE)


def test_numbers_stand_beside_those_that_are_predicted_in_their_own_unit():
    frame = table().assign(price=lambda rows: rows["a"] * 1000 + 20_000).drop(columns=["kind", "place"])
    run = mg.run(frame, target="price", num_epochs=15, pictures="light", loss="mse", learning_rate=0.05)
    assert run.status == "FINISHED"
    rows = run.predictions
    assert list(rows) == ["row", "part", "true", "predicted", "loss"]
    assert rows["true"].tolist() == frame["price"].iloc[rows["row"] - 1].tolist()
    for part in PARTS:
        of_part = rows[rows["part"] == part]
        errors = of_part["true"] - of_part["predicted"]
        assert np.sqrt((errors**2).mean()) == pytest.approx(run.metrics[f"kept/{part}/rmse"])
        assert of_part["loss"].mean() == pytest.approx(run.metrics[f"kept/{part}/loss"], rel=1e-5)
    scale = frame["price"].iloc[rows["row"][rows["part"] == "train"] - 1].std(ddof=0)
    np.testing.assert_allclose(
        rows["loss"], ((rows["true"] - rows["predicted"]) / scale) ** 2, rtol=1e-3, atol=1e-9
    )
    again = run.model.predict(frame.iloc[rows["row"] - 1])
    assert again["predicted_price"].tolist() == rows["predicted"].tolist()


def test_several_numbers_have_columns_each(tmp_path):
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 3))
    np.savez(tmp_path / "arrays.npz", features=features, labels=features[:, :2] * [10, 1000])
    run = mg.run("data=npz", f"data.path={tmp_path / 'arrays.npz'}", num_epochs=2, pictures="light")
    rows = run.predictions
    assert list(rows) == [
        "row", "part", "true_labels_0", "predicted_labels_0", "true_labels_1", "predicted_labels_1", "loss",
    ]  # fmt: skip
    np.testing.assert_array_equal(rows["true_labels_1"], features[rows["row"] - 1, 1] * 1000)


def test_numbers_that_overflow_are_missing(tmp_path):
    features = np.linspace(-1, 1, 100)[:, np.newaxis]
    labels = features[:, 0] * 5
    features[91] = 1e40  # beyond float32; it is in the test part, which is not trained on
    np.savez(tmp_path / "arrays.npz", features=features, labels=labels)
    run = mg.run(
        "data=npz", f"data.path={tmp_path / 'arrays.npz'}", "data.standardize=false", "task=regression",
        "data.test_fraction=0.5", num_epochs=1, pictures="light", activation="relu",
    )  # fmt: skip
    assert run.status == "FINISHED", run.reason
    rows = run.predictions.set_index("row")
    assert rows["part"][92] == "test"
    assert rows.index[rows["predicted"].isna()].tolist() == [92]


@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.int32, np.uint8]), st.integers(0, 20)
    ),
    st.integers(1, 3),
)
def test_columns_are_those_of_pyarrow_which_imports_pandas_for_them(values, step):
    values = values[::step]  # also a view
    assert _column(values).equals(pa.array(np.ascontiguousarray(values), from_pandas=True))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=9), st.data())
def test_columns_of_classes_are_those_of_pyarrow(names, data):
    places = np.array(data.draw(st.lists(st.integers(-1, len(names) - 1))), np.int64)
    column = _column(Names(places, tuple(names)))
    assert _texts(names).equals(pa.array(names, pa.string()))
    assert column.indices.equals(pa.array(places.astype(np.int32), mask=places < 0))
    column.validate(full=True)
