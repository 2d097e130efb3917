"""Two classes by one logit: the network has one output, and all that reads it gives what it gives of two classes."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from sklearn.metrics import log_loss, roc_auc_score
from tests.narrowing import not_none
from tests.recipes import with_keys

import micrograde as mg
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import as_params, config_digest
from micrograde.core.errors import InputError
from micrograde.models.onnx_export import compare_onnx, export_onnx
from micrograde.runs.building import (
    RandomStreams,
    labels_to_learn,
    learned_classes,
    prepare_data,
    task_to_learn,
)
from micrograde.runs.replaying import replay_run
from micrograde.runs.resuming import resumed_run
from micrograde.runs.train import PreparedSets, train_and_record
from micrograde.serving import ServedModel
from micrograde.store.backends.local import LocalTracking

RECIPE: dict[str, Any] = {
    "recipe_version": 3,
    "data": {"name": "moons", "samples": 300, "noise": 0.6, "validation_fraction": 0.3},
    "model": {"hidden_size": 4, "output": "sigmoid"},
    "optimizer": {"name": "sgd", "learning_rate": 0.3},
    "schedule": {"name": "constant"},
    "training": {"num_epochs": 4},
    "tracking": {"name": "disabled"},
}


def config(**changes):
    return parse_train_config(
        with_keys(RECIPE, {key.replace("__", "."): each for key, each in changes.items()})
    )


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))


@pytest.mark.parametrize("threshold", [0.5, "f1"])
def test_all_that_reads_a_run_of_one_logit_has_both_classes(threshold, home):
    (result,) = train_and_record(
        [config(tracking={"name": "local", "pictures": "all"}, training__threshold=threshold)]
    )
    assert result.status == "FINISHED"
    assert not result.warnings
    run = mg.Run.load(not_none(result.run_id))
    assert run.metrics["within/gradient_check/max_relative_error"] < 1e-9
    model = run.model
    assert model.model.sizes == (2, 4, 1)
    rows = run.predictions
    first, second = rows["probability_0"].to_numpy(), rows["probability_1"].to_numpy()
    np.testing.assert_allclose(first + second, 1, rtol=1e-6)
    is_second = (rows["true"] == "1").to_numpy()
    taken = (rows["predicted"] == "1").to_numpy()
    cut = not_none(result.decision).thresholds[0] if threshold == "f1" else 0.5
    np.testing.assert_array_equal(taken, second > cut)
    np.testing.assert_allclose(rows["loss"], -np.log(np.where(is_second, second, first)), rtol=1e-5)
    for part in ("train", "val", "test"):
        of_part = (rows["part"] == part).to_numpy()
        assert run.metrics[f"kept/{part}/accuracy"] == (is_second == taken)[of_part].mean()
        area = roc_auc_score(is_second[of_part], second[of_part])
        np.testing.assert_allclose(run.metrics[f"kept/{part}/roc_auc"], area, rtol=1e-12)
        loss = log_loss(is_second[of_part], second[of_part])
        np.testing.assert_allclose(run.metrics[f"kept/{part}/log_loss"], loss, rtol=1e-5)
        np.testing.assert_allclose(run.metrics[f"kept/{part}/loss"], loss, rtol=1e-5)

    # The model that is read again, as users, MLflow's server and ONNX Runtime have it.
    features = PreparedSets().of(result.config).dataset.features
    own = model.predict(features)
    assert list(own.columns) == ["class", "probability_0", "probability_1"]
    assert own["class"].iloc[rows["row"] - 1].tolist() == rows["predicted"].tolist()
    pd.testing.assert_frame_equal(ServedModel(model).predict(features), own)
    assert compare_onnx(export_onnx(model).SerializeToString(), model, features)
    assert model.probabilities(features[:0]).shape == (0, 2)
    weights = next(home.glob("mlruns/artifacts/**/model/weights.safetensors"))
    with safe_open(weights, "numpy") as file:
        assert json.loads(file.metadata()["model"])["output"] == "sigmoid"
    figures = {path.stem for path in home.rglob("figures/*") if path.stat().st_size}
    assert {"decision_boundary", "roc_curves", "confusion_matrix", "calibration", "importances"} <= figures
    assert {"partial_dependence", "loss_surface", "precision_recall", "greatest_losses"} <= figures
    assert list(home.rglob("walkthrough.html"))

    replayed = replay_run(not_none(result.run_id), LocalTracking())
    assert replayed.identical


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training__label_noise": 0.2},
        {"training__label_smoothing": 0.1, "training__class_weights": {"0": 3}},
        {"training__threshold": "f1", "model__hidden_size": [], "model__output_batch_norm": True},
    ],
)
def test_a_run_in_a_stack_is_the_run_alone_and_softmax_beside_it_is_as_it_was(changes):
    ones = [config(seed=seed, **changes) for seed in (0, 1)]
    twos = [config(seed=seed, model__output="softmax", **changes) for seed in (0, 1)]
    if "model__hidden_size" in changes:
        twos = []
    together = train_and_record([*ones, *twos])
    for found in together:
        (alone,) = train_and_record([found.config])
        assert alone.history == found.history
        assert alone.kept == found.kept
        assert alone.decision == found.decision


def test_a_run_that_is_stopped_and_resumed_ends_as_if_it_had_not_been():
    (whole,) = train_and_record([config()])
    local = config(tracking={"name": "local"})
    (killed,) = train_and_record([local], cancel=lambda place, epoch, metrics: epoch == 2)  # noqa: ARG005
    assert killed.status == "KILLED"
    again = config(tracking={"name": "local"}, training__resume=killed.run_id)
    with resumed_run(again, ()) as resumption:
        resumption = not_none(resumption)
        (resumed,) = train_and_record([resumption.config], resumption=resumption)
    assert resumed.kept == whole.kept
    assert resumed.history == whole.history


def test_label_noise_takes_the_other_class_for_as_many_rows_as_with_two_logits():
    """Noisy labels are of their own stream, so that both learn the same wrong labels."""
    learned = []
    for output in ("sigmoid", "softmax"):
        noisy = config(model__output=output, training__label_noise=0.3)
        data = prepare_data(noisy.data, "float32", output=noisy.model.output)
        numbers, targets = not_none(
            labels_to_learn([noisy], data.task, data.training, [RandomStreams.spawn(0).label_noise])
        )
        learned.append(data.task.labels(targets[numbers]))
    np.testing.assert_array_equal(learned[0], learned[1])
    assert 0.2 < (learned[0] != data.training.labels).mean() < 0.4


def test_with_smoothed_targets_each_row_has_the_loss_of_two_logits():
    """Of logits (0, z) cross-entropy is binary cross-entropy of z, whatever share a class has."""
    losses = []
    logits = np.random.default_rng(0).normal(size=(8, 1)) * 3
    for output in ("sigmoid", "softmax"):
        smooth = config(model__output=output, training__label_smoothing=0.2)
        data = prepare_data(smooth.data, "float64", output=smooth.model.output)
        learned = data.training.first(8).learned(learned_classes([smooth], [data]))
        task = task_to_learn(smooth, data)
        both = logits if output == "sigmoid" else np.concatenate([0 * logits, logits], axis=1)
        losses.append(task.loss.value(both, learned.targets))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-13)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"name": "iris"}}, "model.output=sigmoid: is for two classes, and not for 3; leave it out"),
        (
            {"loss": {"name": "cross_entropy"}},
            "loss=cross_entropy: is none for model.output=sigmoid, whose only one is binary_cross_entropy; "
            "leave it out",
        ),
        (
            {"loss": {"name": "binary_cross_entropy"}, "model__output": "softmax"},
            "loss=binary_cross_entropy: is for a network with one output; add model.output=sigmoid, or leave "
            "the loss out",
        ),
    ],
)
def test_what_does_not_fit_is_a_line_before_training(changes, said):
    with pytest.raises(InputError) as error:
        PreparedSets().check(config(**changes))
    assert str(error.value) == said
    if "add model.output=sigmoid" in said:
        PreparedSets().check(config(**{**changes, "model__output": "sigmoid"}))


def test_numbers_have_no_single_logit(tmp_path):
    path = tmp_path / "n.csv"
    path.write_text("x,y\n" + "".join(f"{row % 9},{row / 7}\n" for row in range(60)))
    data = {"name": "csv", "path": str(path), "target": "y"}
    with pytest.raises(
        InputError, match=r"^model.output=sigmoid: is for two classes, and not for regression"
    ):
        PreparedSets().check(config(data=data))


def test_the_key_is_hashed_only_where_it_differs():
    plain = with_keys(RECIPE, {})
    del plain["model"]["output"]
    without = parse_train_config(plain)
    assert config_digest(without) == config_digest(config(model__output="softmax")) != config_digest(config())
    assert as_params(config())["model.output"] == "sigmoid"
