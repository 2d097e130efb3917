"""Whether a run will measure the metric that it is to be ranked by."""

import pytest

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.metrics import PARTS
from micrograde.runs.measured import check_measured
from micrograde.runs.train import PreparedSets, train_and_record


def recipe(**changes):
    data = {"name": "moons", "samples": 40, **changes.pop("data", {})}
    training = {"num_epochs": 1, **changes}
    return parse_train_config(
        {
            "recipe_version": 2,
            "data": data,
            "model": {},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": training,
            "tracking": {"name": "disabled"},
        }
    )


def check(metric, config):
    check_measured(metric, config, PreparedSets().of(config))


@pytest.mark.parametrize(
    ("changes", "metric", "line"),
    [
        ({}, "val/error_rate", "is not measured; set training.metrics=[accuracy,error_rate]"),
        (
            {"data": {"validation_fraction": 0.0}},
            "val/loss",
            "needs a validation part; set data.validation_fraction=0.1, say",
        ),
        (
            {"data": {"test_fraction": 0.0}},
            "test/accuracy",
            "needs a test part; set data.test_fraction=0.1, say",
        ),
        ({"diagnostics": False}, "activation/layer1.std", "is not measured; set training.diagnostics=true"),
        (
            {"diagnostics": False},
            "within/batch_norm/batchnorm1.running_mean",
            "is not measured; set training.diagnostics=true",
        ),
        ({"diagnostics": False}, "train/learning_rate", "is not measured; set training.diagnostics=true"),
        ({}, "val/recall/0", "is not measured; set training.metrics=[accuracy,recall]"),
        (
            {"metrics": ["recall"]},
            "val/recall/2",
            "should be one of val/recall/0, val/recall/1",
        ),
        (
            {"metrics": ["roc_auc"], "data": {"samples": 20, "validation_fraction": 0.05, "stratify": False}},
            "val/roc_auc",
            "has no value in the validation part, even if all rows are predicted right: "
            "it needs rows of two classes",
        ),
    ],
)
def test_what_a_run_will_not_measure_is_refused_with_what_to_set(changes, metric, line):
    with pytest.raises(InputError) as raised:
        check(metric, recipe(**changes))
    assert str(raised.value) == f"sweep.metric={metric}: {line}"


def test_early_stopping_by_a_metric_without_a_value_is_refused_before_anything_is_trained():
    stopping = {"enabled": True, "metric": "val/recall/no"}
    config = recipe(metrics=["recall"], early_stopping=stopping)
    with pytest.raises(InputError, match=r"^training.early_stopping.metric=val/recall/no: should be one of"):
        train_and_record([config])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"diagnostics": False},
        {"data": {"validation_fraction": 0.0, "test_fraction": 0.0}},
        {"metrics": ["error_rate", "recall", "roc_auc"]},
    ],
)
def test_every_metric_that_a_run_measures_is_accepted(changes):
    config = recipe(**changes)
    (result,) = train_and_record([config])
    of_no_network = ("kept/epoch", *(f"kept/{part}/baseline_accuracy" for part in PARTS))
    ranked_by = set(result.last_metrics()).difference(of_no_network)
    assert ranked_by
    for metric in ranked_by:
        check(metric, config)
