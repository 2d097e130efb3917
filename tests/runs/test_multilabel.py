"""Several columns of yes or no are learned together: records, files, the model as it is served, stacks, what is refused."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, hamming_loss, log_loss, roc_auc_score
from tests.narrowing import not_none
from tests.recipes import with_keys

import micrograde as mg
from micrograde.cli.commands.predict import summary
from micrograde.cli.commands.train import outcome
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.metrics.thresholds import thresholds_text
from micrograde.models.onnx_export import compare_onnx, export_onnx, run_onnx
from micrograde.runs.predicting import predict_table
from micrograde.runs.recorded_models import find_model
from micrograde.runs.replaying import replay_run
from micrograde.runs.resuming import resumed_run
from micrograde.runs.train import PreparedSets, train_and_record
from micrograde.serving import ServedModel
from micrograde.store.backends.local import LocalTracking
from micrograde.tasks.multilabel import Multilabel

LABELS = ["red", "round", "ripe"]


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    random = np.random.default_rng(0)
    x = random.normal(size=(240, 3))
    frame = pd.DataFrame(x.round(3), columns=["x", "y", "z"])
    frame["red"] = np.where(x[:, 0] + random.normal(0, 0.4, 240) > 0.3, "yes", "no")
    frame["round"] = (x[:, 1] * x[:, 0] > 0).astype(int)
    frame["ripe"] = x[:, 2] > 0.8
    frame.to_csv("fruit.csv", index=False)


def config(**changes):
    recipe = {
        "recipe_version": 3,
        "data": {"name": "csv", "path": "fruit.csv", "target": LABELS, "validation_fraction": 0.25},
        "model": {"hidden_size": 6},
        "optimizer": {"name": "sgd", "learning_rate": 0.3},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 4},
        "tracking": {"name": "disabled"},
    }
    return parse_train_config(
        with_keys(recipe, {key.replace("__", "."): each for key, each in changes.items()})
    )


def test_all_that_is_kept_of_a_run_is_of_each_label(home):
    (result,) = train_and_record(
        [
            config(
                tracking={"name": "local", "pictures": "all"},
                training__metrics=["label_f1", "label_roc_auc", "subset_accuracy"],
            )
        ]
    )
    assert result.status == "FINISHED"
    run = mg.Run.load(not_none(result.run_id))
    assert run.metrics["within/gradient_check/max_relative_error"] < 1e-9
    assert run.params["task"] == "multilabel"
    rows = run.predictions
    for part in ("train", "val", "test"):
        of_part = rows[rows["part"] == part]
        true = of_part[[f"true_{name}" for name in LABELS]].to_numpy()
        said = of_part[[f"predicted_{name}" for name in LABELS]].to_numpy()
        shares = of_part[[f"probability_{name}" for name in LABELS]].to_numpy(np.float64)
        np.testing.assert_array_equal(said, shares > 0.5)
        kept = {name: run.metrics[f"kept/{part}/{name}"] for name in ("hamming_loss", "label_f1", "loss")}
        assert kept["hamming_loss"] == pytest.approx(hamming_loss(true, said.astype(int)), abs=1e-12)
        assert kept["label_f1"] == pytest.approx(f1_score(true, said, average="macro"), abs=1e-12)
        area = roc_auc_score(true, shares, average="macro")
        assert run.metrics[f"kept/{part}/label_roc_auc"] == pytest.approx(area, abs=1e-12)
        losses = [log_loss(true[:, each], shares[:, each]) for each in range(3)]
        assert kept["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
        assert of_part["loss"].mean() == pytest.approx(np.mean(losses), rel=1e-5)
        assert run.metrics[f"kept/{part}/subset_accuracy"] == (true == said).all(axis=1).mean()
        of_training = rows[rows["part"] == "train"][[f"true_{name}" for name in LABELS]].mean() > 0.5
        always = hamming_loss(true, np.tile(of_training, (len(true), 1)).astype(int))
        assert run.metrics[f"kept/{part}/baseline_hamming_loss"] == pytest.approx(always, abs=1e-12)
    assert "val/label_roc_auc/ripe" in run.history
    card = next(home.glob("mlruns/artifacts/**/model_card.md")).read_text(encoding="utf-8")
    assert "always saying what is most frequent of each label" in card
    assert {"learning_curves", "loss_surface"} <= {path.stem for path in home.rglob("figures/*")}

    # The model that is read again, as users, MLflow's server and ONNX Runtime have it.
    model, frame = run.model, pd.read_csv("fruit.csv")
    own = model.predict(frame)
    assert list(own.columns) == [*LABELS, *(f"probability_{name}" for name in LABELS)]
    for name in LABELS:
        assert own[name].dtype == bool
        assert own[name].iloc[rows["row"] - 1].tolist() == (rows[f"predicted_{name}"] == 1).tolist()
    pd.testing.assert_frame_equal(ServedModel(model).predict(frame), own)
    exported = export_onnx(model).SerializeToString()
    assert compare_onnx(exported, model, frame[["x", "y", "z"]])
    far = frame[["x", "y", "z"]].iloc[:2].assign(x=[1e300, 0.0])
    feeds = {name: far[[name]].to_numpy() for name in ("x", "y", "z")}
    (found,) = run_onnx(exported, feeds)
    assert np.isnan(found).all(axis=1).tolist() == np.isnan(model.unchecked_answers(far)).any(axis=1).tolist()
    with pytest.raises(InputError, match=r"^probabilities: the network predicts several labels, 'red'"):
        model.probabilities(frame)
    there = find_model(not_none(result.run_id), LocalTracking())
    predictions = predict_table(there, "fruit.csv")
    counts = ", ".join(f"{name} ({int(own[name].sum())})" for name in LABELS)
    assert f"yes         {counts}" in summary(there, predictions)
    kept_columns = predictions.table.columns.tolist()
    assert [name for name in kept_columns if name in ("red", "predicted_red")]
    assert replay_run(not_none(result.run_id), LocalTracking()).identical


@pytest.mark.parametrize("rule", ["f1", "cost", 0.3])
def test_each_label_has_a_threshold_by_which_all_that_predicts_goes(home, rule):
    keys = {"training__error_costs": {"red": 7, "ripe": 3}} if rule == "cost" else {}
    changes = {"training__threshold": rule, "training__num_epochs": 2, **keys}
    (result,) = train_and_record([config(tracking={"name": "local"}, **changes)])
    decision, run = not_none(result.decision), mg.Run.load(not_none(result.run_id))
    thresholds = [run.metrics[f"kept/threshold/{name}"] for name in LABELS]
    assert decision.decided == tuple(thresholds)
    assert run.model.threshold == tuple(thresholds)
    assert any(each != 0.5 for each in thresholds)
    assert f"threshold   {decision}" in outcome(result).splitlines()
    rows = run.predictions
    val = rows[rows["part"] == "val"]
    for name, threshold in zip(LABELS, thresholds, strict=True):
        shares = rows[f"probability_{name}"]
        assert ((rows[f"predicted_{name}"] == 1) == (shares > threshold)).all()
        is_it, there = val[f"true_{name}"] == 1, val[f"probability_{name}"]
        missed = {"red": 7, "ripe": 3}.get(name, 1)
        worth = {
            "f1": lambda said: f1_score(is_it, said, zero_division=0),  # noqa: B023
            "cost": lambda said: -(missed * (is_it & ~said).sum() + (said & ~is_it).sum()),  # noqa: B023
        }.get(str(rule))
        if worth:
            assert worth(there > threshold) == max(worth(there > each) for each in (0, 0.5, *there))
    test = rows[rows["part"] == "test"]
    wrong = [(test[f"true_{name}"] != test[f"predicted_{name}"]).mean() for name in LABELS]
    assert run.metrics["kept/test/hamming_loss"] == pytest.approx(np.mean(wrong), abs=1e-12)
    model, frame = run.model, pd.read_csv("fruit.csv")
    own = model.predict(frame)
    for name in LABELS:
        assert own[name].iloc[rows["row"] - 1].tolist() == (rows[f"predicted_{name}"] == 1).tolist()
    pd.testing.assert_frame_equal(ServedModel(model).predict(frame), own)
    exported = export_onnx(model)
    assert compare_onnx(exported.SerializeToString(), model, frame[["x", "y", "z"]])
    told = {each.key: json.loads(each.value) for each in exported.metadata_props if each.key == "threshold"}
    assert told == {"threshold": thresholds}
    there_is = find_model(not_none(result.run_id), LocalTracking())
    lines = summary(there_is, predict_table(there_is, "fruit.csv"))
    assert f"threshold   {thresholds_text(thresholds, LABELS)}" in lines
    card = next(home.glob("mlruns/artifacts/**/model_card.md")).read_text(encoding="utf-8")
    assert "A row has a label where its probability is above its threshold: " in card
    assert replay_run(not_none(result.run_id), LocalTracking()).identical


def test_a_table_that_has_the_labels_is_compared_with():
    (result,) = train_and_record([config(tracking={"name": "local"})])
    there = find_model(not_none(result.run_id), LocalTracking())
    frame = pd.read_csv("fruit.csv").astype({"red": str, "round": str})
    frame.loc[0, "red"] = "maybe"
    frame.loc[1, "round"] = ""
    frame.to_csv("new.csv", index=False)
    own = there.network.predict(frame)
    true = np.stack([frame["red"] == "yes", frame["round"] == "1", frame["ripe"]], axis=1)[2:]
    right = own[LABELS].to_numpy()[2:] == true
    found = predict_table(there, "new.csv")
    labels = not_none(found.labels)
    assert labels.known == 238
    assert list(labels.accuracy.values()) == right.mean(axis=0).tolist()
    assert labels.together == right.all(axis=1).mean()
    lines = summary(there, found)
    assert (
        "note        'red' holds 'maybe' in row 1, neither yes nor no; 1 row of 240 like that is not compared"
        in lines
    )
    each = ", ".join(f"{name} {share:.4f}" for name, share in labels.accuracy.items())
    assert lines[-2:] == [
        f"accuracy    {each}; of 238 rows, by their columns",
        f"together    {labels.together:.4f} of 238 rows have all labels right",
    ]
    frame[["x", "y", "z"]].to_csv("bare.csv", index=False)
    assert not_none(predict_table(there, "bare.csv").labels).known == 0


def test_a_label_that_validation_lacks_keeps_a_half_and_that_is_said():
    frame = pd.read_csv("fruit.csv")
    frame["never"] = 0
    frame.loc[frame.index[:2], "never"] = 1
    frame.to_csv("fruit.csv", index=False)
    data = {"name": "csv", "path": "fruit.csv", "target": [*LABELS, "never"], "validation_fraction": 0.1}
    (result,) = train_and_record([config(data=data, training__threshold="f1")])
    decision = not_none(result.decision)
    assert result.kept["kept/threshold/never"] == 0.5
    assert str(decision).endswith("; 'never' has no rows of both kinds there")


def test_a_threshold_of_a_half_is_none():
    task = Multilabel(LABELS)
    logits = np.array([[1e-9, -1e-9, 0.0], [3.0, np.nan, 1.0]])
    assert task.decided_at(0.5).decided is None
    assert task.decided_at((0.5, 0.5, 0.5)).decided is None
    decided = task.decided_at((0.5, 0.5, 0.4))
    assert decided.predicted(logits).tolist() == [[1, 0, 1], [-1, -1, -1]]
    assert task.predicted(logits).tolist() == [[1, 0, 0], [-1, -1, -1]]
    for wrong in ((0.5, 0.5), (0.5, 0.5, 1.0), 0.0):
        with pytest.raises(ValueError, match="threshold"):
            task.decided_at(wrong)


def test_mlflow_serves_it(home):
    import mlflow

    train_and_record([config(tracking={"name": "local"})])
    folder = next(home.glob("mlruns/**/MLmodel")).parent
    served = mlflow.pyfunc.load_model(str(folder))
    answer = served.predict(served.input_example)
    assert [each.type.name for each in served.metadata.signature.outputs.inputs] == ["boolean"] * 3 + [
        "double"
    ] * 3
    assert answer["red"].tolist() == (answer["probability_red"] > 0.5).tolist()


@pytest.mark.parametrize("changes", [{}, {"training__label_noise": 0.2}, {"training__batch_size": None}])
def test_a_run_in_a_stack_is_the_run_alone(changes):
    metrics = ["label_f1", "label_roc_auc", "subset_accuracy", "label_precision", "label_recall"]
    together = train_and_record(
        [config(seed=seed, training__metrics=metrics, **changes) for seed in range(3)]
    )
    for found in together:
        (alone,) = train_and_record([found.config])
        assert repr(dataclasses.replace(alone, name=found.name)) == repr(found)


def test_a_run_that_is_stopped_and_resumed_ends_as_if_it_had_not_been():
    (whole,) = train_and_record([config()])
    local = config(tracking={"name": "local"})
    (killed,) = train_and_record([local], cancel=lambda place, epoch, metrics: epoch == 2)  # noqa: ARG005
    assert killed.status == "KILLED"
    again = config(tracking={"name": "local"}, training__resume=killed.run_id)
    with resumed_run(again, ()) as resumption:
        resumption = not_none(resumption)
        (resumed,) = train_and_record([resumption.config], resumption=resumption)
    assert repr(resumed.kept) == repr(whole.kept)
    assert resumed.history == whole.history


def test_it_learns():
    found = mg.run(
        pd.read_csv("fruit.csv"), target=LABELS, num_epochs=60, hidden_size=[16], tracking="disabled"
    )
    assert found.metrics["kept/val/hamming_loss"] < found.metrics["kept/val/baseline_hamming_loss"] / 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model__output": "sigmoid"}, "model.output=sigmoid: is for two classes; of several labels each has a logit of"),
        ({"training__threshold": "cost"}, "training.threshold=cost: needs what it costs to miss a label, such as 'training.error"),
        ({"training__threshold": "cost", "training__error_costs": {"blue": 2}}, "training.error_costs: 'blue' is none of the labels"),
        ({"training__class_weights": "balanced"}, "training.class_weights: the data have no classes; leave it out"),
        ({"loss": {"name": "mse"}}, "loss=mse: is none for multilabel; choose binary_cross_entropy, or leave it out"),
        ({"training__metrics": ["recall"]}, "training.metrics=recall: is no metric of multilabel; there are hamming_loss"),
        ({"task": "classification"}, "task=classification: several columns are learned together only as numbers, or"),
        ({"data": {"name": "digits"}, "task": "multilabel"}, "task=multilabel: data.name=digits is for classification"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_line_before_training(changes, said):
    with pytest.raises(InputError) as error:
        PreparedSets().check(config(**changes))
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_arrays_of_truth_values_are_labels():
    random = np.random.default_rng(0)
    features, labels = random.normal(size=(60, 2)), random.integers(0, 2, (60, 2))
    for name, array in (("truths", labels == 1), ("ones", labels), ("numbers", labels + 1)):
        np.savez(f"{name}.npz", features=features, labels=array)

    def data_of(name, task="auto"):
        return PreparedSets().of(config(data={"name": "npz", "path": f"{name}.npz"}, task=task)).dataset

    for found in (data_of("truths"), data_of("truths", "multilabel"), data_of("ones", "multilabel")):
        assert (found.task, found.target_names) == ("multilabel", ("labels_0", "labels_1"))
        np.testing.assert_array_equal(found.labels, labels)
    assert data_of("ones").task == "regression"
    with pytest.raises(
        InputError, match=r"^data\.labels=labels: holds something else than 0 and 1; task=multilabel"
    ):
        data_of("numbers", "multilabel")
