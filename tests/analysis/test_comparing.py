import numpy as np
import pandas as pd
import pytest

from micrograde.analysis import (
    best_run,
    group_over_seeds,
    load_runs,
    order_runs,
    table_of_runs,
    usual_metric,
    varying_parameters,
    without_metric,
)
from micrograde.analysis.repeats import REPEATS
from micrograde.core.errors import InputError


def test_only_what_differs_is_varying(uri):
    assert varying_parameters(load_runs(uri, experiment_name="digits")) == ["optimizer.learning_rate", "seed"]


def test_what_a_choice_explains_is_not_varying():
    runs = pd.DataFrame(
        {
            "data.name": ["digits", "moons", "moons"],
            "data.noise": [np.nan, 0.2, 0.2],
            "training.batch_size": pd.array([None, 32, 32], "Int64"),
            "run_id": ["a", "b", "c"],
            "val/loss": [1.0, 2.0, 3.0],
        }
    )
    assert varying_parameters(runs) == ["data.name", "training.batch_size"]
    runs.loc[2, "data.noise"] = 0.3
    assert "data.noise" in varying_parameters(runs)


@pytest.mark.parametrize("dtype", ["Int64", "object", "float"])
def test_a_param_that_some_runs_of_one_data_set_lack_differs(dtype):
    """As ``data.folds`` does, which only runs of folds have: these are another setting than the others."""
    folds = pd.Series([5, 5, None], dtype=dtype)
    runs = pd.DataFrame({"data.name": ["csv"] * 3, "data.folds": folds, "run_id": ["a", "b", "c"]})
    assert varying_parameters(runs) == ["data.folds"]


def test_best_first_and_missing_last(uri):
    runs = load_runs(uri)
    assert list(order_runs(runs, "val/accuracy")["run_name"])[:3] == ["run 2", "run 1", "run 0"]
    assert list(order_runs(runs, "val/loss")["run_name"])[:2] == ["run 2", "run 1"]
    assert order_runs(runs, "val/accuracy", "ascending")["run_name"].iloc[0] == "run 3"
    assert order_runs(runs, "val/accuracy")["val/accuracy"].isna().tolist()[-2:] == [True, True]


def test_without_a_validation_part_runs_are_compared_by_training():
    runs = pd.DataFrame({"run_id": ["a", "b"], "train/accuracy": [0.5, 0.6]})
    assert usual_metric(runs) == "train/accuracy"
    assert usual_metric(runs.assign(**{"val/accuracy": np.nan})) == "train/accuracy"
    assert usual_metric(runs.assign(**{"val/accuracy": [np.nan, 0.7]})) == "val/accuracy"
    assert usual_metric(runs.assign(**{"kept/train/accuracy": [0.5, 0.6]})) == "kept/train/accuracy"
    assert usual_metric(runs.assign(**{"kept/val/accuracy": [np.nan, 0.6]})) == "kept/val/accuracy"
    assert usual_metric(runs[["run_id"]]) == "kept/val/accuracy"


def test_of_runs_of_several_tasks_the_metric_that_most_have_orders_them():
    frame = pd.DataFrame(
        {
            "run_id": ["a", "b", "c"],
            "run_name": ["a", "b", "c"],
            "status": "FINISHED",
            "kept/val/accuracy": [np.nan, 0.9, np.nan],
            "kept/val/rmse": [40000.0, np.nan, 300.0],
        }
    )
    assert usual_metric(frame) == "kept/val/rmse"
    assert order_runs(frame, "kept/val/rmse")["run_id"].tolist() == ["c", "a", "b"]
    assert best_run(frame, "kept/val/rmse") == "c"
    said = "1 run has kept/val/accuracy in its place: such runs come last"
    assert without_metric(frame, "kept/val/rmse") == said
    said = "2 runs have kept/val/rmse in its place: such runs come last"
    assert without_metric(frame, "kept/val/accuracy") == said
    assert without_metric(frame, "kept/val/loss") == without_metric(frame.head(1), "kept/val/rmse") == ""
    assert usual_metric(frame.head(2)) == "kept/val/accuracy"  # of equally many that of classes
    assert usual_metric(frame.iloc[::2]) == "kept/val/rmse"
    assert usual_metric(frame.drop(columns="kept/val/accuracy").tail(2)) == "kept/val/rmse"


def test_a_metric_that_none_of_the_runs_has_is_no_column():
    runs = pd.DataFrame(
        {
            "run_id": ["a" * 32, "b" * 32],
            "run_name": ["a", "b"],
            "experiment_name": "prices",
            "status": "FINISHED",
            "duration": 1.0,
            "kept/val/rmse": [40.0, 30.0],
            "kept/val/hamming_loss": np.nan,  # runs that where= has left out have it
        }
    )
    assert "kept/val/hamming_loss" not in table_of_runs(runs, "kept/val/rmse")
    assert "kept/val/hamming_loss" in table_of_runs(runs, "kept/val/hamming_loss")
    assert "kept/val/hamming_loss mean" not in group_over_seeds(runs, "kept/val/rmse")


def test_seeds_are_averaged(uri):
    runs = load_runs(uri, experiment_name="digits")
    table = group_over_seeds(runs, "val/accuracy")
    assert list(table["optimizer.learning_rate"]) == [0.1, 1.0]
    assert list(table["runs"]) == [3, 3]
    np.testing.assert_allclose(table["val/accuracy mean"], [0.91, 0.71])
    np.testing.assert_allclose(table["val/accuracy std"], [0.01, 0.01])
    np.testing.assert_allclose(table["val/loss mean"], [0.09, 0.29])


def test_a_seed_that_did_not_finish_is_counted_apart(uri):
    runs = load_runs(uri, experiment_name="digits")
    runs.loc[(runs["optimizer.learning_rate"] == 1) & (runs["seed"] == 2), "status"] = "FAILED"
    table = group_over_seeds(runs, "val/accuracy")
    assert list(table["runs"]) == [3, 2]
    assert list(table["unfinished"]) == [0, 1]
    np.testing.assert_allclose(table["val/accuracy mean"], [0.91, 0.705])


def test_a_metric_that_no_run_has(uri):
    with pytest.raises(
        InputError, match="metric=speed: no run has it; there are kept/val/accuracy, kept/val/loss, val/acc"
    ):
        order_runs(load_runs(uri), "speed")


@pytest.mark.parametrize("column", ["status", "optimizer.name", "seed"])
def test_a_column_that_is_no_metric_is_none(uri, column):
    with pytest.raises(InputError, match=f"metric={column}: no run has it"):
        order_runs(load_runs(uri), column)


def test_no_metric_at_all(uri):
    with pytest.raises(InputError, match="there are none yet"):
        order_runs(load_runs(uri, status="RUNNING"), "val/loss")


def test_the_table_has_what_differs_and_the_metrics(uri):
    table = table_of_runs(load_runs(uri, experiment_name="digits"), "val/loss")
    assert list(table) == [
        "run_id", "run_name", "optimizer.learning_rate", "seed", "val/loss", "kept/val/accuracy",
        "kept/val/loss", "status", "duration",
    ]  # fmt: skip
    assert (table["run_id"].str.len() == 8).all()


def test_the_words_of_users_stand_in_the_table_and_are_neither_params_nor_metrics():
    runs = pd.DataFrame(
        {
            "run_id": ["a" * 32, "b" * 32],
            "run_name": ["first", "second"],
            "experiment_name": ["digits", "digits"],
            "status": ["FINISHED", "FINISHED"],
            "duration": [1.0, 2.0],
            "val/loss": [1.0, 2.0],
            "tags.micrograde.config_digest": ["c", "d"],
            "tags.micrograde.note": [None, "why"],
            "tags.team/a": ["x", None],
        }
    )
    assert varying_parameters(runs) == []
    table = table_of_runs(runs, "val/loss")
    assert list(table)[:4] == ["run_id", "run_name", "note", "tags.team/a"]
    assert "tags.micrograde.config_digest" not in table
    with pytest.raises(InputError, match=r"metric=tags.team/a: no run has it; there are val/loss$"):
        order_runs(runs, "tags.team/a")


@pytest.mark.parametrize("repeated", REPEATS)
def test_a_setting_is_averaged_over_seeds_splits_and_folds(repeated: str) -> None:
    runs = pd.DataFrame(
        {
            "run_id": [f"{number:032x}" for number in range(4)],
            "run_name": list("abcd"),
            "experiment_name": "digits",
            "status": "FINISHED",
            "optimizer.learning_rate": [0.1, 0.1, 0.2, 0.2],
            repeated: [0, 1, 0, 1],
            "kept/val/accuracy": [0.5, 0.7, 0.8, 0.9],
        }
    )
    table = group_over_seeds(runs, "kept/val/accuracy")
    assert table["optimizer.learning_rate"].tolist() == [0.2, 0.1]
    assert table["runs"].tolist() == [2, 2]
    np.testing.assert_allclose(table["kept/val/accuracy mean"], [0.85, 0.6])
