"""A metric that is registered is measured and compared by."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import sklearn.metrics

from micrograde.analysis.comparing import ascending
from micrograde.config.parsing import parse_sweep_config, parse_train_config
from micrograde.config.schema import config_digest, to_container
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import first_sentence
from micrograde.diagnostics.findings import Measurements
from micrograde.diagnostics.findings.undefined_metric import UndefinedMetric
from micrograde.metrics import METRICS, Metric, lower_is_better, metric_of, names_a_value
from micrograde.nn import ACTIVATIONS, predicted_classes
from micrograde.runs.building import RandomStreams, build_model, build_optimizer, build_plan, prepare_data
from micrograde.training import EpochRecord, Training, evaluate, measure

RECIPE: dict[str, Any] = {
    "recipe_version": 2,
    "data": {"name": "iris"},
    "model": {"hidden_size": 4},
    "optimizer": {"name": "sgd"},
    "schedule": {"name": "constant"},
    "training": {"num_epochs": 3, "batch_size": 16},
    "tracking": {"name": "disabled"},
}


def recipe(**training):
    return parse_train_config({**RECIPE, "training": {**RECIPE["training"], **training}})


def trained(config, replicas=2):
    """Return the records of a stack's epochs, its network, and its data."""
    data, streams = (
        prepare_data(config.data, "float64"),
        [RandomStreams.spawn(seed) for seed in range(replicas)],
    )
    configs = [config] * replicas
    model = build_model([each.model for each in configs], data, "float64", [each.weights for each in streams])
    training = Training(
        model,
        build_optimizer([each.optimizer for each in configs], model),
        build_plan(configs, len(data.training), data.task),
        data.training,
        data.validation,
        [each.shuffling for each in streams],
    )
    return [event for event in training.run() if isinstance(event, EpochRecord)], model, data


@pytest.fixture
def balanced():
    """A metric that is no mean over rows, for as long as a test lasts."""

    @dataclass(frozen=True, kw_only=True)
    class Balanced(Metric):
        """The mean recall."""

        name: Literal["balanced"] = "balanced"
        direction: ClassVar[Literal["higher", "lower"]] = "higher"

        def compute(self, logits, labels, predicted):
            rows = np.broadcast_to(labels, predicted.shape)
            assert logits.shape[:2] == predicted.shape
            return np.array(
                [sklearn.metrics.balanced_accuracy_score(*pair) for pair in zip(rows, predicted, strict=True)]
            )

    len(METRICS)
    METRICS.register(Balanced)
    yield "balanced"
    del METRICS._entries["balanced"]


@pytest.mark.parametrize("name", METRICS)
def test_an_entry_says_what_it_is_and_which_value_is_better(name):
    assert first_sentence(METRICS[name])
    assert metric_of(f"val/{name}") is metric_of(f"test/{name} mean") is METRICS[name]
    of_class, has_parts = (
        metric_of(f"kept/val/{name}/a b"),
        METRICS[name].per_class or METRICS[name].per_target,
    )
    assert (of_class is METRICS[name]) == has_parts == names_a_value(f"{name}/a b")
    assert names_a_value(name) != METRICS[name].per_class
    assert ascending(f"val/{name}", "auto") is lower_is_better(name) is (METRICS[name].direction == "lower")


def test_a_metric_is_measured_in_each_epoch_and_changes_no_other_number():
    (alone, _, _), (both, model, data) = trained(recipe()), trained(recipe(metrics=["error_rate"]))
    for without, record in zip(alone, both, strict=True):
        assert set(record.metrics) - set(without.metrics) == {"train/error_rate", "val/error_rate"}
        for name, values in without.metrics.items():
            np.testing.assert_array_equal(record.metrics[name], values)
        for part in ("train", "val"):
            wrong = 1 - record.metrics[f"{part}/accuracy"]
            np.testing.assert_allclose(record.metrics[f"{part}/error_rate"], wrong, rtol=0, atol=1e-15)
    loss, accuracy = evaluate(model, data.validation)
    np.testing.assert_array_equal(both[-1].metrics["val/loss"], loss)
    np.testing.assert_array_equal(both[-1].metrics["val/accuracy"], accuracy)


@pytest.mark.usefixtures("balanced")
def test_a_metric_of_all_rows_together_is_used_by_its_name_everywhere():
    config = recipe(metrics="balanced", early_stopping={"enabled": True, "metric": "val/balanced"})
    records, model, data = trained(config)
    assert {"train/balanced", "val/balanced"} <= set(records[-1].metrics)
    found = measure(model, data.test, [METRICS["balanced"]()])["balanced"]
    for replica, value in enumerate(found):
        predicted = predicted_classes(model.predict_logits(data.test.features))[replica]
        expected = sklearn.metrics.balanced_accuracy_score(data.test.labels, predicted)
        assert value == pytest.approx(expected, abs=1e-12)
    assert parse_sweep_config({"sweep": {"metric": "val/balanced"}}).metric == "val/balanced"
    assert not ascending("val/balanced", "auto")


def test_accuracy_is_always_measured_and_other_metrics_alone_change_the_digest():
    assert recipe().training.metrics == ("accuracy",)
    assert recipe(metrics="error_rate").training.metrics == ("accuracy", "error_rate")
    assert to_container(recipe())["training"]["metrics"] == ["accuracy"]
    assert config_digest(recipe(metrics=["accuracy"])) == config_digest(recipe())
    assert config_digest(recipe(metrics=["error_rate"])) != config_digest(recipe())


@pytest.mark.parametrize(
    ("training", "line"),
    [
        ({"metrics": ["f1"]}, rf"training.metrics=\[\"f1\"\]: should be one or more of {', '.join(METRICS)}"),
        ({"metrics": []}, r"training.metrics=\[\]: should be one or more of accuracy, "),
        ({"metrics": 3}, "training.metrics=3: should be one or more of accuracy, "),
        (
            {"early_stopping": {"enabled": True, "metric": "val/f1"}},
            "training.early_stopping.metric=val/f1: should be 'val/loss', 'val/accuracy', .*'val/recall/<class>', 'val/rmse', .* or ",
        ),
        (
            {"metrics": ["recall"], "early_stopping": {"enabled": True, "metric": "val/recall"}},
            "training.early_stopping.metric=val/recall: should be 'val/loss', ",
        ),
    ],
)
def test_what_is_not_measured_is_said(training, line):
    with pytest.raises(InputError, match=line):
        recipe(**training)


def test_a_metric_of_each_class_is_measured_and_stops_and_ranks_by_the_class():
    stopping = {"enabled": True, "metric": "val/recall/versicolor", "patience": 2}
    records, model, data = trained(recipe(metrics=["recall", "roc_auc"], early_stopping=stopping))
    for part in ("train", "val"):
        recalls = [records[-1].metrics[f"{part}/recall/{name}"] for name in data.dataset.class_names]
        assert {each.shape for each in recalls} == {(2,)}
    (one,), _, _ = trained(recipe(metrics=["recall", "roc_auc"], num_epochs=1), replicas=1)
    for name, values in one.metrics.items():
        np.testing.assert_array_equal(values, records[0].metrics[name][:1], name)
    found = measure(model, data.test, [METRICS["recall"]()], task=data.task)
    assert set(found) == {"loss", *(f"recall/{name}" for name in data.dataset.class_names)}
    assert parse_sweep_config({"sweep": {"metric": "val/recall/a b"}}).metric == "val/recall/a b"
    assert not ascending("val/recall/loss of sight mean", "auto")
    with pytest.raises(InputError, match="name one, as in val/recall/<class>"):
        parse_sweep_config({"sweep": {"metric": "val/recall"}})


def test_an_epoch_without_a_value_is_no_improvement_and_a_finding():
    """As of the recall of a class that a network never predicts in some epochs, or a part that lacks it."""
    history = {"train/loss": [0.5] * 3, "val/loss": [0.4] * 3, "val/roc_auc": [np.nan, 0.5, np.nan]}
    measured = Measurements(
        history, 0.7, 3, 0.5, ACTIVATIONS["relu"](), early_stopping=True, stopping_metric="val/roc_auc"
    )
    (said,) = UndefinedMetric().sentences(measured)
    assert said == (
        "val/roc_auc has no value after 2 of 3 epochs; early stopping kept the best weights of the epochs in "
        "which it had one: certainly it needs rows of two classes"
    )
    of_one_class = {**history, "val/roc_auc": [np.nan] * 3}
    (said,) = UndefinedMetric().sentences(replace(measured, history=of_one_class, early_stopping=False))
    assert said == "val/roc_auc has no value after any epoch: certainly it needs rows of two classes"
    for sound in ({"val/roc_auc": [np.nan, 0.5, 0.5]}, {"val/loss": [np.nan] * 3}):
        unsaid = replace(measured, history={**history, **sound}, early_stopping=False)
        assert not list(UndefinedMetric().sentences(unsaid))
