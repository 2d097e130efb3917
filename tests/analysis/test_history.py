import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile_server import of_store, serving
from tests.narrowing import not_none

from micrograde.analysis import load_history, load_runs, load_sweeps
from micrograde.core.errors import InputError
from micrograde.store import server_reader as server
from micrograde.store.records import LARGEST


def test_a_row_a_value_sorted_by_run_metric_and_step(sweep_uri):
    runs = load_runs(sweep_uri)[::-1]  # as they started
    history = load_history(sweep_uri)
    assert list(history) == ["run_id", "metric", "step", "value"]
    assert [str(dtype) for dtype in history.dtypes] == ["category", "category", "int64", "float64"]
    assert list(history["run_id"].cat.categories) == list(runs["run_id"])
    assert list(history["metric"].cat.categories) == ["train/loss", "val/accuracy"]
    keys = list(zip(history["run_id"].cat.codes, history["metric"].cat.codes, history["step"], strict=True))
    assert keys == sorted(keys)
    assert len(history) == 6 * 2 * 2 + 4 * 2 + 1
    last = history.groupby(["run_id", "metric"], observed=True)["value"].last()
    for _, run in runs[runs["status"] == "FINISHED"].iterrows():
        assert last[run["run_id"], "val/accuracy"] == run["val/accuracy"]


def test_nan_and_infinities_come_back(sweep_uri):
    (failed,) = load_runs(sweep_uri, status="FAILED")["run_id"]
    history = load_history(sweep_uri, run_ids=[failed], metrics=["val/accuracy"])
    np.testing.assert_array_equal(history["value"], [0.3, -np.inf, np.inf, np.nan])
    assert list(history["step"]) == [1, 2, 3, 4]


def test_which_runs_and_metrics(sweep_uri):
    sweeps = load_sweeps(sweep_uri)
    first = load_runs(sweep_uri, sweep=sweeps["run_id"][2])
    history = load_history(sweep_uri, sweep=sweeps["run_id"][2], metrics=["val/accuracy"])
    assert set(history["run_id"]) == set(first["run_id"])
    assert set(history["metric"]) == {"val/accuracy"}
    assert set(load_history(sweep_uri, experiment_name="moons")["run_id"]) == set(
        load_runs(sweep_uri, experiment_name="moons")["run_id"]
    )
    some = list(first["run_id"][:2])
    assert list(load_history(sweep_uri, run_ids=some)["run_id"].cat.categories) == some[::-1]
    nothing: dict[str, Any]
    for nothing in ({"run_ids": []}, {"metrics": []}, {"metrics": ["speed"]}):
        empty = load_history(sweep_uri, **nothing)
        assert empty.empty
        assert [str(dtype) for dtype in empty.dtypes] == ["category", "category", "int64", "float64"]


def test_sweeps_and_superseded_attempts_are_read_if_named(sweep_uri):
    from mlflow import MlflowClient

    client = MlflowClient(sweep_uri)
    (experiment,) = (each for each in client.search_experiments() if each.name == "digits")
    found = client.search_runs([experiment.experiment_id], "tags.`micrograde.superseded` = 'true'")
    (superseded,) = (run.info.run_id for run in found)
    assert len(load_history(sweep_uri, run_ids=[superseded])) == 4
    assert load_history(sweep_uri, run_ids=[load_sweeps(sweep_uri)["run_id"][0]]).empty


def test_many_ids_are_read_in_parts(sweep_uri, monkeypatch):
    monkeypatch.setattr("micrograde.store.sql_reader._IDS_AT_ONCE", 2)
    ids = load_runs(sweep_uri)["run_id"].tolist()
    pd.testing.assert_frame_equal(load_history(sweep_uri, run_ids=ids + ids), load_history(sweep_uri))


def test_mistakes(sweep_uri, tmp_path):
    with pytest.raises(InputError, match="run_ids: there is no run nothing"):
        load_history(sweep_uri, run_ids=["nothing"])
    with pytest.raises(ValueError, match="run_ids choose the runs already"):
        load_history(sweep_uri, run_ids=[], sweep="latest")
    with pytest.raises(InputError, match="there is no such sweep"):
        load_history(sweep_uri, sweep="nothing")
    assert load_history(f"sqlite:///{tmp_path}/mlflow.db").empty
    assert list(tmp_path.iterdir()) == []


def test_a_server_gives_the_same_frame(sweep_uri, monkeypatch):
    monkeypatch.setattr(server, "_POINTS", 3)
    ids = load_runs(sweep_uri)["run_id"].tolist()
    with serving(of_store(sweep_uri)) as address:
        for choice in ({}, {"sweep": "latest"}, {"run_ids": ids[:3]}, {"metrics": ["train/loss"]}):
            pd.testing.assert_frame_equal(load_history(address, **choice), load_history(sweep_uri, **choice))
        with pytest.raises(InputError, match="run_ids: there is no run nothing"):
            load_history(address, run_ids=["nothing"])


# The largest number itself is what MLflow keeps for infinity, by which it comes back.
apart_from_largest = st.floats().filter(lambda value: abs(value) != LARGEST)
values = st.lists(
    apart_from_largest | st.sampled_from([math.nan, math.inf, -math.inf]), min_size=1, max_size=5
)


@given(points=st.dictionaries(st.sampled_from(["a", "b/c", "z"]), values, min_size=1))
@settings(max_examples=15)
def test_what_was_logged_is_loaded(uri, points):
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient(uri)
    run = client.create_run(not_none(client.get_experiment_by_name("other")).experiment_id).info.run_id
    logged = [
        Metric(name, value, 0, step) for name, each in points.items() for step, value in enumerate(each)
    ]
    client.log_batch(run, metrics=logged)
    history = load_history(uri, run_ids=[run])
    client.delete_run(run)
    expected = sorted(points.items())
    assert list(history["metric"]) == [name for name, each in expected for _ in each]
    assert list(history["step"]) == [step for _, each in expected for step in range(len(each))]
    np.testing.assert_array_equal(history["value"], [value for _, each in expected for value in each])
