"""What the model that a run keeps says of each row of its data, as a file of the run."""

import numpy as np
import pandas as pd
import pytest

import micrograde as mg
from micrograde.core.errors import InputError
from micrograde.runs.row_predictions import FILE, read_predictions

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
