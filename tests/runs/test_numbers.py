"""Runs that predict numbers: what they are ranked by, what is said of them, what is refused, and that they repeat."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.recipes import with_keys

from micrograde.cli.commands.train import outcome
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import to_container
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.metrics import METRICS, ranking_metric, ranking_metrics
from micrograde.runs.measured import check_measured
from micrograde.runs.replaying import replay_run
from micrograde.runs.resuming import resumed_run
from micrograde.runs.table_words import table_lines
from micrograde.runs.train import PreparedSets, default_metric, train_and_record
from micrograde.store import load_run, local_store
from micrograde.store.backends.local import LocalTracking
from micrograde.sweeps.usual_task import usual_task
from micrograde.tasks import TASKS

ROWS = 120


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """A table of houses, whose price is a number of six digits."""
    chance = np.random.default_rng(0)
    rooms = chance.integers(2, 7, ROWS)
    area = (rooms * 22 + chance.normal(0, 9, ROWS)).round(1)
    price = (150_000 + 1400 * area + 9000 * rooms + chance.normal(0, 9000, ROWS)).round()
    frame = pd.DataFrame({"rooms": rooms, "area": area, "price": price.astype(int)})
    path = tmp_path_factory.mktemp("table") / "houses.csv"
    pd.concat([frame, frame.head(40)]).to_csv(path, index=False)  # rows that will stand in two parts
    return path


@pytest.fixture
def config(houses):
    """Give changes of keys: the config of a run that predicts the price."""

    def config(**changes):
        container = {
            "recipe_version": RECIPE_VERSION,
            "data": {"name": "csv", "path": str(houses), "target": "price"},
            "model": {"hidden_size": 4},
            "optimizer": {"name": "sgd", "learning_rate": 0.05},
            "schedule": {"name": "constant"},
            "training": {"num_epochs": 4},
            "tracking": {"name": "disabled"},
        }
        return parse_train_config(
            with_keys(container, {key.replace("__", "."): value for key, value in changes.items()})
        )

    return config


def test_each_task_has_one_metric_that_its_runs_are_ranked_by():
    assert {name: ranking_metric(name) for name in TASKS} == {
        name: task.metrics[0] for name, task in TASKS.items()
    }
    assert sum(entry.ranks for entry in METRICS.values()) == len(TASKS)
    assert ranking_metrics("kept/val") == ("kept/val/accuracy", "kept/val/hamming_loss", "kept/val/rmse")
    assert default_metric(True, "regression") == "kept/val/rmse"
    assert default_metric(False, "regression") == "kept/train/rmse"
    assert default_metric(True, "classification") == "kept/val/accuracy"


def test_the_end_of_a_run_says_the_error_in_the_targets_own_unit_beside_the_baseline(config):
    (run,) = train_and_record([config()])
    assert run.task == "regression"
    said = outcome(run)
    kept = run.kept
    for part, word in {"val": "validation", "test": "test"}.items():
        rmse, loss, r2 = (kept[f"kept/{part}/{name}"] for name in ("rmse", "loss", "r2"))
        assert f"{word:<11} rmse {rmse:.0f}  loss {loss:.4f}  r2 {r2:.4f}\n" in said
    baselines = [f"{kept[f'kept/{part}/baseline_rmse']:.0f}" for part in ("val", "test")]
    assert (
        f"baseline    rmse {baselines[0]} (validation), {baselines[1]} (test) "
        "by always saying the training part's mean\n"
    ) in said
    assert not re.search("accuracy|class|e[+]", said.partition("finding ")[0])


def test_what_is_said_of_the_table_speaks_of_no_classes(config):
    said = "\n".join(table_lines(PreparedSets().of(config(task="regression"))))
    assert re.search(r"target +'price': numbers from \d{6} to \d{6}, mean \d{6}; ", said)
    assert re.search(r"always saying the mean is off by \d{5} \(RMSE\)", said)
    assert "parts       train 128, validation 16, test 16" in said
    assert "stand in the training part, too, with all features and the target" in said
    assert "class" not in said


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"loss": {"name": "cross_entropy"}}, "loss=cross_entropy: is none for regression; choose huber or "),
        (
            {"training__metrics": ["macro_f1"]},
            "training.metrics=macro_f1: is no metric of regression; there are",
        ),
        (
            {"training__early_stopping__metric": "val/accuracy", "training__early_stopping__enabled": True},
            "training.early_stopping.metric=val/accuracy: is for classification, and the data are for "
            "regression; choose val/loss or val/mae or val/r2 or val/rmse",
        ),
        (
            {"training__early_stopping__metric": "val/macro_f1", "training__early_stopping__enabled": True},
            "training.early_stopping.metric=val/macro_f1: is for classification",
        ),
        ({"training__class_weights": "balanced"}, "training.class_weights: the data have no classes"),
        ({"training__label_smoothing": 0.1}, "training.label_smoothing: the data have no classes"),
        ({"training__threshold": 0.3}, "training.threshold=0.3: is for two classes or several labels"),
        (
            {"task": "classification"},
            r"data.stratify=true: class '\d+' has 1 row but needs 3, one for each part; "
            r"predict the classes as numbers \(task=regression\), or set data.stratify=false",
        ),
    ],
)
def test_what_is_for_classes_is_refused_in_a_line_before_training(config, changes, line):
    with pytest.raises(InputError, match=line) as caught:
        train_and_record([config(**changes)])
    assert len(str(caught.value).splitlines()) == 1


def test_the_advice_works(config):
    for changes in (
        {"task": "regression"},
        {"task": "classification", "data__stratify": False},
        {"training__early_stopping__metric": "val/r2", "training__early_stopping__enabled": True},
    ):
        (run,) = train_and_record([config(**changes)])
        assert run.status == "FINISHED"


@pytest.mark.parametrize("metric", ["val/accuracy", "kept/val/macro_f1", "kept/val/recall/a"])
def test_a_sweep_is_not_ranked_by_a_metric_of_another_task(config, metric):
    wanted = config()
    with pytest.raises(InputError, match=f"sweep.metric={metric}: is for classification, and the data are"):
        check_measured(metric, wanted, PreparedSets().of(wanted))


def test_a_metric_to_be_measured_is_asked_for_without_the_other_tasks(config):
    wanted = config()
    with pytest.raises(InputError, match=r"val/mae: is not measured; set training.metrics=\[mae\]$"):
        check_measured("val/mae", wanted, PreparedSets().of(wanted))
    wanted = config(training__metrics=["mae"])
    check_measured("val/mae", wanted, PreparedSets().of(wanted))
    check_measured("kept/val/r2", wanted, PreparedSets().of(wanted))


@pytest.mark.parametrize("loss", ["huber", "mse", "mae"])
def test_a_run_in_a_stack_equals_the_run_alone_bit_for_bit(config, loss):
    configs = [
        config(loss={"name": loss}, seed=seed, training__label_noise=noise, optimizer__learning_rate=rate)
        for seed, noise, rate in ((0, 0.0, 0.05), (1, 0.3, 0.05), (2, 0.3, 0.01), (3, 0.0, 0.2))
    ]
    together = train_and_record(configs)
    for each, run in zip(configs, together, strict=True):
        (alone,) = train_and_record([each])
        assert repr(run.history) == repr(alone.history)
        assert repr(run.kept) == repr(alone.kept)
    histories = {repr(run.history) for run in together}
    assert len(histories) == len(configs)


def test_noise_gives_rows_the_numbers_of_others_in_training_alone(config):
    plain, noisy = train_and_record([config(), config(training__label_noise=1.0)])
    assert noisy.history["train/rmse"] != plain.history["train/rmse"]
    assert noisy.kept["kept/val/baseline_rmse"] == plain.kept["kept/val/baseline_rmse"]
    assert noisy.kept["kept/test/rmse"] > plain.kept["kept/test/rmse"]


def test_a_run_that_was_stopped_goes_on_and_is_replayed_bit_for_bit(config, houses, home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    monkeypatch.chdir(houses.parent)
    local = {
        "data__path": houses.name,
        "tracking": {"name": "local"},
        "training__label_noise": 0.2,
        "training__num_epochs": 8,
    }
    (whole,) = train_and_record([config(**local)])
    (stopped,) = train_and_record([config(**local)], cancel=lambda _, epoch, __: epoch == 3)
    assert (whole.status, stopped.status) == ("FINISHED", "KILLED")
    again = config(**local, training__resume=stopped.run_id)
    with resumed_run(again, []) as resumption:
        assert resumption
        (resumed,) = train_and_record([resumption.config], resumption=resumption)
    assert (resumed.run_id, resumed.status) == (stopped.run_id, "FINISHED")
    assert repr(resumed.history) == repr(whole.history)
    assert repr(resumed.kept) == repr(whole.kept)
    uri = local_store(home).tracking_uri
    first, second = (load_run(uri, str(run.run_id)) for run in (whole, resumed))
    assert first.params["loss.name"] == second.params["loss.name"] == "huber"
    assert first.params["task"] == "regression"
    assert replay_run(str(resumed.run_id), LocalTracking()).identical


def test_in_python_numbers_are_told_as_in_the_shell(houses, home, monkeypatch):
    import micrograde as mg

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    frame = pd.read_csv(houses)
    with pytest.raises(
        InputError, match=r"sweep.metric=val/accuracy: is for classification, and the data are"
    ):
        mg.sweep(frame, "sweep.metric=val/accuracy", target="price", seed=[0, 1], num_epochs=2)
    with pytest.raises(InputError, match="loss=cross_entropy: is none for regression"):
        mg.run(frame, target="price", loss="cross_entropy", num_epochs=2)
    run = mg.run(frame, "tracking=disabled", target="price", loss="mse", num_epochs=9, learning_rate=0.01)
    assert run.metrics["kept/val/rmse"] < run.metrics["kept/val/baseline_rmse"]
    assert re.search(r", kept/val/rmse \d+, kept/val/loss 0\.\d+, kept/test/rmse \d+>$", repr(run))
    assert "rmse" in run._repr_html_()


@pytest.mark.parametrize(
    ("names", "usual"),
    [
        (["classification", "regression", "regression"], "regression"),
        (["regression", "classification"], "regression"),
        (["classification"], "classification"),
    ],
)
def test_a_sweep_over_tasks_goes_by_the_metric_of_most(config, names, usual):
    configs = [config(task=name, data__stratify=False, seed=place) for place, name in enumerate(names)]
    assert usual_task(PreparedSets(), configs) == usual


def test_a_search_knows_its_task_before_the_first_trial(config):
    composed = to_container(config())
    assert usual_task(PreparedSets(), (), composed) == "regression"
    assert usual_task(PreparedSets(), (), {**composed, "task": "classification"}) == "classification"
    missing = {**composed, "data": {**composed["data"], "path": "nowhere.csv"}}
    assert usual_task(PreparedSets(), (), missing) == "classification"
