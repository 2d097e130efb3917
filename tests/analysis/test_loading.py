import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.hostile_server import of_store, serving

from micrograde.analysis import load_runs, order_runs
from micrograde.analysis.joining import joined
from micrograde.core.errors import InputError
from micrograde.store import server_reader as server
from micrograde.store.readers import store_of
from micrograde.store.records import RawRuns, RunAbout, Selection


def test_a_row_a_run_newest_first_with_typed_columns(uri):
    runs = load_runs(uri)
    assert list(runs["run_name"]) == ["going on", "odd | <b>", *(f"run {n}" for n in reversed(range(6)))]
    assert str(runs["start_time"].dt.tz) == "UTC"
    assert runs["duration"].dtype == np.float64
    assert runs["duration"].iloc[1] == 2.5
    assert runs["duration"].isna().iloc[0]
    assert runs["optimizer.learning_rate"].dtype == np.float64
    assert sorted(set(runs["optimizer.learning_rate"].dropna())) == [0.1, 1.0]
    assert runs["seed"].dtype == pd.Int64Dtype()
    assert runs["model.batch_norm"].dtype == pd.BooleanDtype()
    assert runs["model.hidden_size"].iloc[1] == "[8, 8]"
    assert runs["val/accuracy"].dtype == np.float64
    assert np.isnan(runs["val/loss"].iloc[1])
    assert runs["tags.micrograde.config_digest"].iloc[-1] == "d0"
    assert not any(str(name).startswith("tags.mlflow") for name in runs)
    assert "deleted" not in set(runs["run_name"])


def test_a_server_gives_the_same_frame(uri):
    with serving(of_store(uri)) as address:
        raw = server.read_runs(address, Selection())
        pd.testing.assert_frame_equal(joined(raw), joined(store_of(uri).read_runs(uri, Selection())))
        pd.testing.assert_frame_equal(load_runs(address), load_runs(uri))


def test_filters(uri):
    assert len(load_runs(uri, experiment_name="digits")) == 6
    assert list(load_runs(uri, status="FAILED")["run_name"]) == ["odd | <b>"]
    assert len(load_runs(uri, experiment_name="nothing")) == 0
    assert list(load_runs(uri, where=["optimizer.learning_rate=0.1", "seed!=0"])["run_name"]) == [
        "run 2",
        "run 1",
    ]
    assert list(load_runs(uri, where=["val/accuracy >= 0.915"])["run_name"]) == ["run 2"]
    assert len(load_runs(uri, where=["model.batch_norm=true"])) == 6
    assert len(load_runs(uri, where=["optimizer.name!=sgd"])) == 2
    assert len(load_runs(uri, where=["start_time>2030-01-01"])) == 0


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "optimizer.learning_rat=1",
            "no run has optimizer.learning_rat; did you mean optimizer.learning_rate",
        ),
        ("seed", "where=seed: should read like optimizer.learning_rate>=0.1"),
        ("seed=one", "where=seed=one: should compare with a number, got one"),
        ("model.batch_norm=1", "should compare with true or false"),
        ("start_time>soon", "should compare with a time such as 2026-01-31"),
        ("__import__('os')=1", "no run has __import__"),
    ],
)
def test_conditions_that_cannot_be_met_say_why(uri, condition, message):
    with pytest.raises(InputError) as caught:
        load_runs(uri, where=[condition])
    assert message in str(caught.value)


def test_a_store_that_is_not_there_is_empty_and_stays_away(tmp_path):
    assert load_runs(f"sqlite:///{tmp_path}/mlflow.db").empty
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_runs_is_empty(empty_store):
    assert load_runs(f"sqlite:///{empty_store}/mlruns/mlflow.db").empty


def test_a_filter_decides_the_types_and_the_columns(uri):
    sizes = load_runs(uri, experiment_name="digits")["model.hidden_size"]
    assert sizes.dtype == pd.Int64Dtype()
    assert len(load_runs(uri, experiment_name="digits", where=["model.hidden_size>=16"])) == 6
    assert "model.hidden_size" not in load_runs(uri, status="RUNNING")


def test_a_metric_that_is_nan_in_all_runs_is_still_a_metric(uri):
    runs = load_runs(uri, status="FAILED")
    assert runs["val/loss"].isna().tolist() == [True]
    assert len(order_runs(runs, "val/loss")) == 1


def test_runs_of_the_same_millisecond_have_one_order():
    about = [RunAbout(name, "x", "x", "FINISHED", 5, 6, None) for name in "ba"]
    assert joined(RawRuns(about))["run_id"].tolist() == ["a", "b"]
    assert joined(RawRuns(about[::-1]))["run_id"].tolist() == ["a", "b"]


@pytest.mark.parametrize("content", [b"this is not a database, it is a text", None])
def test_a_file_that_is_no_store_gives_a_line(tmp_path, content):
    path = tmp_path / "mlflow.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("create table something_else (a integer)")
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as an MLflow store") as caught:
        load_runs(f"sqlite:///{path}")
    assert "\n" not in str(caught.value)


def test_reading_changes_no_file(uri):
    folder = Path(uri.removeprefix("sqlite:///")).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    load_runs(uri)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_server_that_does_not_answer_gives_a_line_without_the_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match="tracking server cannot be asked") as caught:
        load_runs("http://user:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
