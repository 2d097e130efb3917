"""The values of the model that a run keeps: measured at the end, recorded, and what runs are ranked by."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.recipes import with_keys

from micrograde.analysis import load_history, load_runs, usual_metric
from micrograde.analysis.kept_values import kept_values
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.metrics import part_of
from micrograde.models.trained_network import read_network
from micrograde.runs.building import end_metrics, prepare_data
from micrograde.runs.measured import check_measured, measuring
from micrograde.runs.train import PreparedSets, RunResult, train_and_record
from micrograde.store import load_run, local_store
from micrograde.store.tags import KEPT_EPOCH
from micrograde.training import measure

PARTS = {"train": "training", "val": "validation", "test": "test"}
STOPPING = {"training.early_stopping.enabled": True, "training.early_stopping.patience": 2}


def recipe(version=RECIPE_VERSION, **changes):
    container = {
        "recipe_version": version,
        "data": {"name": "moons", "samples": 60, "noise": 0.9},
        "model": {"hidden_size": 4},
        "optimizer": {"name": "sgd", "learning_rate": 0.3},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 12},
        "tracking": {"name": "disabled"},
    }
    return with_keys(container, {key.replace("__", "."): value for key, value in changes.items()})


def trained(*recipes):
    return train_and_record([parse_train_config(each) for each in recipes])


def random_recipe(random):
    """A recipe that stops early, of any shape."""
    choose = random.choice
    return recipe(
        data=choose(
            [
                {"name": "moons", "samples": 60, "noise": 0.4},
                {"name": "blobs", "samples": 90, "classes": 3},
                {"name": "iris"},
                {"name": "circles", "samples": 70, "test_fraction": 0.0},
            ]
        ),
        data__seed=int(random.integers(4)),
        seed=int(random.integers(100)),
        model__hidden_size=choose([3, 5, 8]).item(),
        model__activation=str(choose(["tanh", "relu", "gelu"])),
        model__batch_norm=bool(choose([True, False])),
        optimizer__learning_rate=float(choose([0.03, 0.3, 1.0])),
        training__dtype=str(choose(["float32", "float64"])),
        training__batch_size=choose([8, 16]).item(),
        training__early_stopping={
            "enabled": True,
            "patience": int(random.integers(1, 4)),
            "metric": str(choose(["val/loss", "val/accuracy", "val/error_rate"])),
        },
        training__keep=choose([None, "last"]),
    )


def assert_scores_what_is_recorded(run: RunResult, folder: Path) -> None:
    """Load a run's model again from its files, and evaluate it on each part."""
    data = prepare_data(run.config.data, run.config.training.dtype)
    read = read_network(folder / "model").model
    model = read.same_kind([np.random.default_rng(0)])  # a stack of one
    model.parameters[0], model.statistics[0] = read.parameters, read.statistics
    for part, name in PARTS.items():
        samples = getattr(data, name)
        recorded = {key: value for key, value in run.kept.items() if key.startswith(f"kept/{part}/")}
        if samples is None:
            assert recorded == {}
            continue
        found = measure(model, samples, end_metrics(run.config, data.task), task=data.task)
        baseline = recorded.pop(f"kept/{part}/baseline_accuracy")
        assert baseline == np.mean(samples.labels == np.bincount(data.training.labels).argmax())
        assert recorded == pytest.approx(
            {f"kept/{part}/{key}": float(value) for key, (value,) in found.items()}, abs=0, rel=0, nan_ok=True
        )


@pytest.mark.slow
def test_the_models_of_a_hundred_recipes_score_what_is_recorded_bit_for_bit(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    random = np.random.default_rng(0)
    recipes = [{**random_recipe(random), "tracking": {"name": "local"}} for _ in range(100)]
    results = trained(*recipes)
    assert {each.status for each in results} == {"FINISHED"}
    uri = local_store(home).tracking_uri
    frame = load_runs(uri).set_index("run_id")
    folders = {path.parent.name: path for path in home.glob("mlruns/artifacts/**/artifacts")}
    before_the_last = 0
    for run in results:
        assert_scores_what_is_recorded(run, folders[run.run_id])
        stored = frame.loc[run.run_id]
        for name, value in run.kept.items():
            assert stored[name] == value or (math.isnan(stored[name]) and math.isnan(value))
        before_the_last += run.kept["kept/epoch"] < len(run.history["val/loss"])
    assert before_the_last > 30


def test_the_values_are_of_the_epoch_that_is_kept():
    best, last, stopped, whole = trained(
        recipe(training__keep="best"),
        recipe(training__keep="last", **STOPPING),
        recipe(**STOPPING),
        recipe(),
    )
    assert len(best.history["val/loss"]) == len(whole.history["val/loss"]) == 12
    assert len(last.history["val/loss"]) == len(stopped.history["val/loss"]) < 12
    for run in (best, stopped):
        epoch = int(np.argmin(run.history["val/loss"])) + 1
        assert run.kept["kept/epoch"] == epoch < len(run.history["val/loss"])
        assert run.kept["kept/val/loss"] == min(run.history["val/loss"])
        assert run.kept["kept/val/accuracy"] == run.history["val/accuracy"][epoch - 1]
    for run in (last, whole):
        assert run.kept["kept/epoch"] == len(run.history["val/loss"])
        assert run.kept["kept/val/loss"] == run.history["val/loss"][-1]
    for run in (best, last, stopped, whole):
        assert {name: run.kept[f"kept/{name}"] for name in run.test} == run.test
        # In training mode each batch was measured before its own update.
        assert run.kept["kept/train/loss"] != run.history["train/loss"][-1]
    assert [run.kept_epoch for run in (last, whole)] == [None, None]


def test_the_best_epoch_may_be_by_any_metric():
    (run,) = trained(recipe(training__keep="best", training__early_stopping__metric="val/error_rate", seed=3))
    rates = run.history["val/error_rate"]
    assert run.kept["kept/epoch"] == int(np.argmin(rates)) + 1 < len(rates)
    assert run.kept["kept/val/error_rate"] == min(rates)


def test_without_a_validation_part_no_epoch_is_the_best():
    with pytest.raises(InputError) as raised:
        parse_train_config(recipe(training__keep="best", data__validation_fraction=0.0))
    assert "training.keep=best: needs a validation part" in str(raised.value)
    (run,) = trained(recipe(data__validation_fraction=0.0, data__test_fraction=0.0))
    assert {part_of(name) or name for name in run.kept} == {"kept/epoch", "kept/train"}


def test_recipes_of_earlier_versions_record_what_they_recorded(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    results = trained(
        *(
            {**recipe(version, **more), "tracking": {"name": "local"}}
            for version, more in ((2, STOPPING), (2, {}), (3, STOPPING))
        )
    )
    uri = local_store(home).tracking_uri
    recorded = [
        {name for name in load_run(uri, run.run_id).history if name.startswith("kept/")} for run in results
    ]
    assert recorded[0] == recorded[1] == set()
    assert recorded[2] == set(results[2].kept)
    # What is known of the earlier ones is what they would have recorded.
    frame = load_runs(uri).set_index("run_id")
    for run in results:
        row = frame.loc[run.run_id]
        for name in ("kept/val/loss", "kept/val/accuracy", "kept/test/accuracy"):
            assert row[name] == run.kept[name]
    stopped = frame.loc[results[0].run_id]
    assert stopped["kept/epoch"] == results[0].kept["kept/epoch"] < len(results[0].history["val/loss"])
    assert math.isnan(stopped["kept/train/loss"])
    assert usual_metric(frame) == "kept/val/accuracy"
    steps = load_history(uri, run_ids=[results[2].run_id], metrics=["kept/epoch"])["step"].tolist()
    assert steps == [0]  # of no epoch: MLflow then draws a bar with its number


@pytest.mark.parametrize("metric", ["val/error_rate", "train/error_rate"])
def test_what_runs_are_ranked_by_is_measured(metric):
    container = measuring(recipe(training__metrics=["accuracy"]), metric)
    config = parse_train_config(container)
    check_measured(metric, config, PreparedSets().of(config))
    assert config.training.metrics == ("accuracy", "error_rate")


@pytest.mark.parametrize(
    "metric", ["kept/val/error_rate", "kept/test/loss", "val/accuracy", "gradient_norm/total", None]
)
def test_what_is_measured_anyway_changes_no_recipe(metric):
    before = recipe(training__metrics=["accuracy"])
    assert measuring(before, metric) == before
    config = parse_train_config(before)
    if metric:
        check_measured(metric, config, PreparedSets().of(config))


def test_a_part_that_there_is_not_is_said():
    config = parse_train_config(recipe(data__validation_fraction=0.0))
    with pytest.raises(InputError, match=r"sweep.metric=kept/val/loss: needs a validation part"):
        check_measured("kept/val/loss", config, PreparedSets().of(config))


def test_a_run_that_did_not_finish_keeps_no_values():
    (run,) = trained(recipe(optimizer__learning_rate=1e38, model__batch_norm=False))
    assert run.status == "FAILED"
    assert run.kept == {}
    assert replace(run, kept={}) == run


@pytest.mark.parametrize("tag", ["9" * 5000, "-1", "two", "", "\u0663"])
def test_what_a_store_says_of_the_kept_epoch_may_be_anything(tag):
    history = {"val/loss": {1: 0.5, 2: 0.4}, "test/loss": {2: 0.6}}
    assert kept_values(history, {}, {KEPT_EPOCH: tag}) == {
        "kept/epoch": 2.0,
        "kept/val/loss": 0.4,
        "kept/test/loss": 0.6,
    }
