"""The threshold of a kept model: chosen on the validation part, kept, and used by all that predicts."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.metrics import f1_score
from tests.narrowing import not_none
from tests.recipes import with_keys

import micrograde as mg
from micrograde.cli.commands.predict import summary
from micrograde.cli.commands.train import outcome
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import as_params, config_digest, to_container
from micrograde.core.errors import InputError
from micrograde.metrics.thresholds import threshold_text
from micrograde.models.trained_network import TrainedNetwork, read_network
from micrograde.runs.deciding import _costs
from micrograde.runs.predicting import predict_table
from micrograde.runs.recorded_models import find_model
from micrograde.runs.replaying import replay_run
from micrograde.runs.resuming import resumed_run
from micrograde.runs.train import PreparedSets, train_and_record
from micrograde.serving import ServedModel
from micrograde.store.backends.local import LocalTracking

COSTS = {"0": 1, "1": 6}
RULES: dict[str, dict[str, Any]] = {
    "none": {},
    "number": {"training.threshold": 0.2},
    "f1": {"training.threshold": "f1"},
    "cost": {"training.threshold": "cost", "training.error_costs": COSTS},
}


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))


def config_of(rule="none", **changes):
    container = {
        "recipe_version": 3,
        "data": {"name": "moons", "samples": 300, "noise": 0.9, "validation_fraction": 0.3},
        "model": {"hidden_size": 4},
        "optimizer": {"name": "sgd", "learning_rate": 0.3},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 6, "early_stopping": {"enabled": True, "patience": 3}},
        "tracking": {"name": "disabled"},
    }
    keys = {key.replace("__", "."): value for key, value in changes.items()}
    return parse_train_config(with_keys(container, RULES[rule] | keys))


def recorded(rule, **changes):
    (result,) = train_and_record([config_of(rule, tracking={"name": "local", "pictures": "all"}, **changes)])
    return result, mg.Run.load(not_none(result.run_id))


def trained(*configs):
    return train_and_record(configs)


@pytest.mark.parametrize("rule", ["number", "f1", "cost"])
def test_all_that_predicts_goes_by_the_threshold(rule, home):
    result, run = recorded(rule)
    decision = not_none(result.decision)
    threshold = run.metrics["kept/threshold"]
    assert decision.decided == threshold == result.kept["kept/threshold"] != 0.5
    assert f"threshold   {decision}" in outcome(result).splitlines()
    assert str(decision).startswith(f"{threshold_text(threshold)} for 1, by ")
    rows = run.predictions
    taken = rows["probability_1"] > threshold
    assert ((rows["predicted"] == "1") == taken).all()
    assert (taken != (rows["probability_1"] > 0.5)).any()
    for part in ("train", "val", "test"):
        of_part = rows[rows["part"] == part]
        true, predicted = of_part["true"], of_part["predicted"]
        assert run.metrics[f"kept/{part}/accuracy"] == (true == predicted).mean()
        assert run.metrics[f"kept/{part}/recall/1"] == (predicted[true == "1"] == "1").mean()
        assert run.metrics[f"kept/{part}/precision/1"] == (true[predicted == "1"] == "1").mean()
        macro = f1_score(true, predicted, average="macro")
        assert run.metrics[f"kept/{part}/macro_f1"] == pytest.approx(macro, abs=1e-12)
    assert result.test["test/accuracy"] == run.metrics["kept/test/accuracy"]
    # Of the validation part nothing is better.
    val = rows[rows["part"] == "val"]
    is_it, shares = val["true"] == "1", val["probability_1"]
    if rule != "number":
        worth = {
            "f1": lambda found: f1_score(is_it, found),
            "cost": lambda found: -(6 * (is_it & ~found).sum() + (found & ~is_it).sum()),
        }[rule]
        assert worth(shares > threshold) == max(worth(shares > each) for each in (0, 0.5, *shares))
        assert worth(shares > threshold) > worth(shares > 0.5)
    # The model that is read again, as users, MLflow's server and ONNX Runtime have it.
    model = run.model
    assert model.threshold == threshold
    features = PreparedSets().of(result.config).dataset.features
    own = model.predict(features)
    assert ((own["class"] == "1") == (own["probability_1"] > threshold)).all()
    assert own["class"].iloc[rows["row"] - 1].tolist() == rows["predicted"].tolist()
    pd.testing.assert_frame_equal(ServedModel(model).predict(features), own)
    served = pd.DataFrame(features, columns=list(model.columns))
    served.assign(label="x").to_csv(home / "rows.csv", index=False)
    found = find_model(str(result.run_id), LocalTracking())
    assert predict_table(found, str(home / "rows.csv")).table["class"].tolist() == own["class"].tolist()
    lines = summary(found, predict_table(found, str(home / "rows.csv")))
    assert f"threshold   {threshold_text(threshold)} for 1" in lines
    # Pictures.
    words = f"at the threshold {threshold_text(threshold)} "
    for picture in ("roc_curves", "precision_recall"):
        assert words in run.figures[picture].content.decode()
    right = (rows[rows["part"] == "test"]["true"] == rows[rows["part"] == "test"]["predicted"]).sum()
    assert f"test part: {right} of " in run.figures["confusion_matrix"].content.decode()
    error = run.metrics["kept/val/expected_calibration_error"]
    assert f"expected calibration error {error:.2f}" in run.figures["calibration"].content.decode()
    card = next(home.glob("mlruns/artifacts/**/model_card.md")).read_text(encoding="utf-8")
    assert f"where its probability is above {threshold_text(threshold)}, else " in card
    replay = replay_run(str(result.run_id), LocalTracking())
    assert replay.identical
    assert "kept/threshold" in {each.metric for each in replay.metrics}


def test_mlflow_serves_it(home):
    import mlflow

    result, run = recorded("f1")
    folder = next(home.glob("mlruns/**/MLmodel"))
    features = PreparedSets().of(result.config).dataset.features
    table = pd.DataFrame(features, columns=list(run.model.columns))
    answer = mlflow.pyfunc.load_model(str(folder.parent)).predict(table)
    assert answer["class"].tolist() == run.model.predict(table)["class"].tolist()
    assert ((answer["class"] == "1") == (answer["probability_1"] > run.metrics["kept/threshold"])).all()


def test_a_threshold_of_a_half_is_what_earlier_recipes_did(home):
    usual, half = config_of(), config_of(training__threshold=0.5)
    assert usual == half
    container = to_container(usual)
    for key in ("threshold", "error_costs"):
        del container["training"][key]
    assert parse_train_config(container) == usual  # where the keys are missing
    assert config_digest(config_of(training__threshold=0.3)) != config_digest(usual)
    result, _ = recorded("none")
    assert result.decision is None
    assert "kept/threshold" not in result.kept
    assert "threshold" not in outcome(result)
    folder = next(home.glob("mlruns/artifacts/**/weights.safetensors")).parent
    assert read_network(folder).threshold is None
    assert b"threshold" not in (folder / "weights.safetensors").read_bytes()


def test_each_run_of_a_stack_has_the_threshold_that_it_has_alone():
    configs = [
        config_of(rule, seed=seed, **more)
        for seed in range(3)
        for rule, more in (("none", {}), ("f1", {}), ("cost", {}), ("number", {}), ("f1", {"optimizer__learning_rate": 0.1}))
    ]  # fmt: skip
    together = trained(*configs)
    assert len({run.kept.get("kept/threshold") for run in together}) > 7
    for config, run in zip(configs, together, strict=True):
        (alone,) = trained(config)
        assert dataclasses.replace(alone, name=run.name) == run
        assert alone.decision == run.decision


def test_the_weights_and_the_history_do_not_depend_on_it():
    usual, *others = trained(*map(config_of, RULES))
    free = ("loss", "log_loss", "roc_auc", "expected_calibration_error", "baseline_accuracy")
    for run in others:
        assert run.history == usual.history
        same = {name: value for name, value in run.kept.items() if name.rpartition("/")[2] in free}
        assert same == {name: usual.kept[name] for name in same}
        assert run.kept["kept/val/accuracy"] != usual.kept["kept/val/accuracy"]


def test_no_row_but_those_of_the_validation_part_is_looked_at():
    found = []
    for change in (False, True):
        config = config_of("f1", training__keep="last", training__early_stopping__enabled=False)
        prepared = PreparedSets()
        data = prepared.of(config)
        if change:
            test = not_none(data.test)
            flipped = dataclasses.replace(test, labels=1 - test.labels, targets=1 - test.targets)
            ((source, _),) = prepared._sets.items()
            prepared._sets[source] = dataclasses.replace(data, test=flipped)
        found += train_and_record([config], prepared=prepared)
    assert found[0].decision == found[1].decision
    assert found[0].test != found[1].test


def test_a_run_that_is_resumed_ends_with_the_same_threshold():
    (whole,) = trained(config_of("f1"))
    local = config_of("f1", tracking={"name": "local"})
    (killed,) = train_and_record([local], cancel=lambda place, epoch, metrics: epoch == 3)  # noqa: ARG005
    assert killed.status == "KILLED"
    assert killed.decision is None
    again = config_of("f1", tracking={"name": "local"}, training__resume=killed.run_id)
    with resumed_run(again, ()) as resumption:
        assert resumption is not None
        (resumed,) = train_and_record([resumption.config], resumption=resumption)
    assert resumed.run_id == killed.run_id
    assert resumed.kept == whole.kept
    assert resumed.decision == whole.decision


def test_a_frame_in_python_with_classes_of_any_name():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(200, 2)), columns=["a", "b"])
    frame["kind"] = np.where(frame["a"] + random.normal(size=200) > 0.7, "größe: 3", "n,m")
    run = mg.run(
        frame, target="kind", threshold="cost", error_costs={"größe: 3": 9.5, "n,m": 1}, num_epochs=5
    )
    assert '"größe: 3": 9.5' in run.params["training.error_costs"]
    found = run.model.predict(frame)
    taken = found["probability_n,m"] > run.metrics["kept/threshold"]
    assert ((found["class"] == "n,m") == taken).all()
    assert run.metrics["kept/threshold"] > 0.5


def test_truth_values_are_classes_however_they_are_written():
    frame = pd.DataFrame({"a": np.sqrt(np.arange(100)), "big": np.arange(100) > 60})
    costs = {True: 1, False: 7}
    run = mg.run(frame, target="big", threshold="cost", error_costs=costs, num_epochs=2, pictures="light")
    assert run.status == "FINISHED"
    names = run.model.preprocessing.class_names
    assert names == ("False", "True")
    typed = config_of("cost", training__error_costs=costs)  # as Hydra reads {True: 1, False: 7}
    assert _costs(typed, names) == (7, 1)
    assert _costs(typed, ("false", "true")) == (7, 1)


def refusal(config):
    with pytest.raises(InputError) as error:
        trained(config)
    (line,) = str(error.value).splitlines()
    return line


def test_what_can_have_no_threshold_is_refused_in_a_line_before_training():
    three = config_of("f1", data={"name": "iris"})
    assert refusal(three) == (
        "training.threshold=f1: is for two classes or several labels, and these data have 3; leave it out"
    )
    costless = refusal(config_of("cost", training__error_costs=None))
    advice = """'training.error_costs=["0: 1","1: 5"]'"""
    assert costless == (
        f"training.threshold=cost: needs what it costs to miss a row of each class, such as {advice}"
    )
    (done,) = trained(config_of("cost", training__error_costs=["0: 1", "1: 5"]))  # as advised
    assert done.status == "FINISHED"
    assert refusal(config_of("cost", training__error_costs={"0": 1, "2": 1})) == (
        "training.error_costs: '2' is none of the classes '0', '1'"
    )
    assert refusal(config_of("cost", training__error_costs={"0": 1})) == (
        f"training.error_costs: has none of '1'; set both, such as {advice}"
    )


@pytest.mark.parametrize("rule", ["f1", "cost"])
def test_it_is_chosen_with_a_validation_part_alone(rule):
    with pytest.raises(InputError) as error:
        config_of(rule, data__validation_fraction=0.0, training__early_stopping__enabled=False)
    assert str(error.value) == (
        f"training.threshold={rule}: needs a validation part, but data.validation_fraction=0; "
        "set it to 0.1, say"
    )
    number = config_of("number", data__validation_fraction=0.0, training__early_stopping__enabled=False)
    (run,) = trained(number)
    assert run.kept["kept/threshold"] == 0.2


def test_a_validation_part_of_one_class_is_refused():
    config = config_of("f1")
    prepared = PreparedSets()
    data = prepared.of(config)
    validation = not_none(data.validation)
    ((source, _),) = prepared._sets.items()
    rows = dataclasses.replace(validation, labels=0 * validation.labels)
    prepared._sets[source] = dataclasses.replace(data, validation=rows)
    with pytest.raises(
        InputError, match=r"needs rows of both classes in the validation part, which has none of '1'$"
    ):
        train_and_record([config], prepared=prepared)


def test_costs_that_nothing_goes_by_are_pointed_out():
    (run,) = trained(config_of(training__error_costs=COSTS))
    assert run.warnings == ("training.error_costs: is used with training.threshold=cost alone",)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"training.threshold": 0}, "training.threshold=0: should be 'f1', 'cost' or a number between 0 and 1"),
        ({"training.threshold": True}, "training.threshold=true: should be 'f1', 'cost' or"),
        ({"training.threshold": math.nan}, "training.threshold=NaN: should be 'f1', 'cost' or"),
        ({"training.threshold": [0.5]}, "should be 'f1', 'cost' or"),
        ({"training.error_costs": {"a": -1}}, "should be classes with a cost above 0 each, such as '{yes: 5"),
        ({"training.error_costs": {"a": "much"}}, "should be classes with a cost above 0 each"),
        ({"training.error_costs": {"a": math.inf}}, "should be classes with a cost above 0 each"),
        ({"training.error_costs": 3}, "training.error_costs=3: should be classes with a cost above 0 each"),
    ],
)  # fmt: skip
def test_what_the_keys_may_be(changes, line):
    with pytest.raises(InputError) as error:
        config_of(**{key.replace(".", "__"): value for key, value in changes.items()})
    assert line in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_costs_are_one_param_whatever_the_classes_are_called():
    costs = {"größe (cm)": 2.0, "true": 1.0}
    params = as_params(config_of(training__error_costs={"größe (cm)": "2", True: 1}))
    assert json.loads(params["training.error_costs"]) == costs
    assert dict(config_of(training__error_costs=costs).training.error_costs) == costs
    assert "training.error_costs" not in as_params(config_of())


def test_a_model_on_disk_whose_threshold_is_none_is_refused_in_a_line(home):
    recorded("f1")
    folder = next(home.glob("mlruns/artifacts/**/weights.safetensors")).parent
    path = folder / "weights.safetensors"
    with safe_open(path, "numpy") as file:
        arrays, about = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    model = json.loads(about["model"])
    assert isinstance(read_network(folder), TrainedNetwork)
    for wrong in (0, 1, -0.1, True, "0.3", [0.3], 1e400, {"a": 1}):
        save_file(arrays, path, {"model": json.dumps({**model, "threshold": wrong})})
        with pytest.raises(InputError, match=r"holds no micrograde model \(.+\)$"):
            read_network(folder)
    del model["threshold"]  # as of earlier versions
    save_file(arrays, path, {"model": json.dumps(model)})
    assert read_network(folder).threshold is None
