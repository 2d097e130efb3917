import json
import re
import signal
import time

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file
from tests.narrowing import not_none

from micrograde.config.parsing import parse_train_config
from micrograde.data import Preprocessing, load_dataset, split_dataset
from micrograde.nn import MLP


def artifacts(client, run_id, folder=None):
    for file in client.list_artifacts(run_id, folder):
        if file.is_dir:
            yield from artifacts(client, run_id, file.path)
        else:
            yield file.path


def test_the_main_job_learns_digits_and_leaves_its_recipe(user, tmp_path):
    done = user.run("train")
    assert done.stderr == ""
    assert "epoch 50/50" in done.stdout
    (run,) = user.runs()
    client = user.client
    assert run.info.run_id in done.stdout
    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "digits"
    assert run.data.metrics["val/accuracy"] >= 0.96
    assert run.data.metrics["test/accuracy"] >= 0.94
    assert 0 < run.data.metrics["within/gradient_check/max_relative_error"] < 1e-12
    assert run.data.params["optimizer.learning_rate"] == "0.2"
    assert run.data.params["data.name"] == "digits"
    assert run.data.params["task"] == "classification"
    assert (
        len(run.data.tags["micrograde.config_digest"]) == len(run.data.tags["micrograde.data_digest"]) == 64
    )
    for metric in (
        "train/loss",
        "train/accuracy",
        "val/loss",
        "within/gradient_norm/total",
        "within/gradient_norm/layer1.weights",
    ):
        history = client.get_metric_history(run.info.run_id, metric)
        assert [point.step for point in history] == list(range(1, 51))
    assert set(artifacts(client, run.info.run_id)) == {
        "checkpoints/a.json",
        "checkpoints/a.safetensors",
        "config/config.yaml",
        "config/overrides.yaml",
        "figures/calibration.svg",
        "figures/confusion_matrix.svg",
        "figures/first_layer_weights.svg",
        "figures/gradient_flow.svg",
        "figures/greatest_losses.svg",
        "figures/histograms.svg",
        "figures/learning_curves.svg",
        "figures/loss_surface.svg",
        "figures/precision_recall.svg",
        "figures/roc_curves.svg",
        "figures/update_ratios.svg",
        "gradient_check.csv",
        "graph/network.dot",
        "graph/network.svg",
        "model/MLmodel",
        "model/input_example.json",
        "model/model_card.md",
        "model/preprocessing.json",
        "model/python_env.yaml",
        "model/requirements.txt",
        "model/serving_input_example.json",
        "model/weights.safetensors",
        "predictions.parquet",
        "train.log",
        "walkthrough.html",
    }

    # The files are enough to use the model: its test accuracy comes out again.
    path = client.download_artifacts(run.info.run_id, "", str(tmp_path))
    config = parse_train_config(yaml.safe_load(open(f"{path}/config/config.yaml")))
    preprocessing = Preprocessing.from_state(json.load(open(f"{path}/model/preprocessing.json")))
    model = MLP(64, config.model.hidden_size, 10, output_batch_norm=False, dtype=config.training.dtype)
    model.load_state(load_file(f"{path}/model/weights.safetensors"))
    split = split_dataset(
        load_dataset("digits", seed=0), validation_fraction=0.1, test_fraction=0.1, stratify=True, seed=0
    )
    test = not_none(split.test)
    predicted = model.predict_logits(preprocessing.transform(test.features)).argmax(axis=1)
    assert np.mean(predicted == test.labels) == run.data.metrics["test/accuracy"]


def test_the_same_command_gives_the_same_numbers_bit_for_bit(user):
    command = ("data=digits", "training.num_epochs=3", "optimizer=adam", "model.hidden_size=[7,5]", "seed=3")
    user.run("train", *command)
    user.run("train", *command)
    first, second = user.runs()
    assert first.data.metrics == second.data.metrics
    assert first.data.params == second.data.params
    assert first.info.run_name == "data=digits num_epochs=3 optimizer=adam hidden_size=[7,5] seed=3"
    for tag in ("micrograde.config_digest", "micrograde.data_digest"):
        assert first.data.tags[tag] == second.data.tags[tag]
    weights = [
        user.client.download_artifacts(run.info.run_id, "model/weights.safetensors")
        for run in (first, second)
    ]
    assert open(weights[0], "rb").read() == open(weights[1], "rb").read()


def test_the_notebook_preset(user):
    user.run("train", "experiment=notebook")
    (run,) = user.runs()
    expected = {
        "data.name": "gaussian",
        "training.dtype": "float64",
        "training.batch_size": "null",
        "training.num_epochs": "10",
        "optimizer.learning_rate": "0.01",
        "model.hidden_size": "5",
        "model.initializer": "normal",
        "seed": "0",
    }
    assert {key: run.data.params[key] for key in expected} == expected
    assert len(user.client.get_metric_history(run.info.run_id, "train/loss")) == 10
    graph = open(user.client.download_artifacts(run.info.run_id, "graph/sample.dot")).read()
    for layer, rows, columns in (("layer1", 3, 5), ("layer2", 5, 2)):
        for row in range(rows):
            for column in range(columns):
                assert f"{layer}.weights[{row},{column}] | " in graph


@pytest.mark.parametrize(
    "arguments",
    [
        ("data=moons", "schedule=cosine", "schedule.warmup_epochs=2", "model.activation=relu"),
        ("data=spirals", "model.batch_norm=false", "model.initializer=kaiming", "model.activation=relu"),
        ("data=wine", "schedule=step", "optimizer.momentum=0.9", "optimizer.nesterov=true"),
        ("data=xor", "model.hidden_size=[]", "training.dtype=float64", "model.activation=sigmoid"),
        ("data=circles", "training.early_stopping.enabled=true", "training.early_stopping.patience=2"),
    ],
)
def test_every_choice_trains(user, arguments):
    user.run("train", "training.num_epochs=4", *arguments)
    (run,) = user.runs()
    assert run.info.status == "FINISHED"
    assert np.isfinite(run.data.metrics["test/loss"])


def test_a_table_of_ones_own(user):
    rows = [
        "width,kind,colour",
        *(f"{n % 7}.5,{'ab'[n % 2]},{'red' if n % 3 else 'blue'}" for n in range(60)),
    ]
    (user.folder / "own.csv").write_text("\n".join(rows))
    done = user.run("train", "data=csv", "data.path=own.csv", "data.target=colour", "training.num_epochs=2")
    (run,) = user.runs()
    kept, loss = run.data.tags["micrograde.kept_epoch"], run.data.params["training.early_stopping.metric"]
    assert f"kept        the weights of epoch {kept} of 2 ({loss} 0." in done.stdout
    assert "of experiment own\n" in done.stdout
    assert run.info.status == "FINISHED"
    assert json.loads(run.inputs.dataset_inputs[0].dataset.schema)["classes"] == ["blue", "red"]


def test_a_run_that_diverges_is_failed_and_says_where(user):
    command = (
        "data=moons",
        "model.batch_norm=false",
        "optimizer.learning_rate=1e30",
        "model.activation=relu",
    )
    done = user.run("train", *command, status=1)
    assert "the run FAILED: the loss is" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    (run,) = user.runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["micrograde.diverged_step"] in done.stderr
    assert (
        run.data.tags["micrograde.diverged_parameter"] == "none"
        or "layer" in run.data.tags["micrograde.diverged_parameter"]
    )
    assert run.data.tags["micrograde.reason"] in done.stderr


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_is_stopped_keeps_what_it_learned(user, sent, status):
    process = user.start("train", "training.num_epochs=100000")
    for line in process.stdout:
        if line.startswith("epoch"):  # the first is printed after the first epoch
            break
    time.sleep(0.3)
    process.send_signal(sent)
    process.communicate()
    assert process.returncode == status
    user.wait_until_written()  # after SIGKILL the writer closes the run by itself
    (run,) = user.runs()
    assert run.info.status == "KILLED"
    assert run.data.metrics["train/loss"] > 0
    assert "train.log" in set(artifacts(user.client, run.info.run_id))
    if sent == signal.SIGINT:
        assert "model/weights.safetensors" in set(artifacts(user.client, run.info.run_id))


def test_tracking_disabled_leaves_nothing(user):
    before = user.files()
    done = user.run("train", "tracking=disabled", "training.num_epochs=2")
    assert "accuracy" in done.stdout
    assert user.files() == before


@pytest.mark.slow
def test_everything_is_under_mlruns_and_two_at_once_do_not_meet(user):
    before = set(user.files())
    processes = [user.start("train", "training.num_epochs=2", f"seed={seed}") for seed in range(3)]
    for process in processes:
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
    assert [run.info.status for run in user.runs()] == ["FINISHED"] * 3
    assert sorted(run.data.params["seed"] for run in user.runs()) == ["0", "1", "2"]
    assert all(path.startswith(str(user.home / "mlruns")) for path in set(user.files()) - before)


def test_help_is_for_people_and_imports_no_mlflow(user):
    done = user.run("train", "--help")
    assert done.stdout.startswith("Train a multi-layer perceptron")
    for key in (
        "optimizer.learning_rate",
        "training.batch_size",
        "experiment=notebook",
        "micrograde compare",
    ):
        assert key in done.stdout
    user.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    imported = re.findall(r"\| +([\w.]+)$", user.run("train", "--help").stderr, re.MULTILINE)
    assert "micrograde.config.schema" in imported
    assert not any(name.split(".")[0] == "mlflow" for name in imported)


def test_cfg_job_shows_the_config_and_does_nothing(user):
    shown = yaml.safe_load(user.run("train", "--cfg", "job", "seed=4").stdout)
    assert shown["seed"] == 4
    assert shown["optimizer"]["name"] == "sgd"
    assert user.runs() == []


def test_a_run_says_what_stands_out_on_the_terminal_and_in_its_description(user):
    done = user.run("train", "model.batch_norm=false", "model.initial_scale=5", "training.num_epochs=3")
    found = [
        line.removeprefix("finding     ") for line in done.stdout.splitlines() if line.startswith("finding ")
    ]
    assert len(found) == 2
    assert re.fullmatch(r"loss starts at \d+\.\d\d, log\(10\) = 2\.30 expected: .*", found[0])
    assert re.fullmatch(
        r"layer 1: \d+ % saturated, \d+ % before training: probably the initial scale is .*", found[1]
    )
    (run,) = user.runs()
    assert run.data.tags["mlflow.note.content"] == "\n".join(f"- {each}" for each in found)
    assert run.data.metrics["train/initial_loss"] > 3.3
    assert run.data.metrics["within/activation/layer1.saturated"] > 0.2
    history = user.client.get_metric_history(run.info.run_id, "within/update_ratio/layer2")
    assert [point.step for point in history] == [1, 2, 3]


def test_of_data_with_two_features_the_boundary_is_drawn_and_animated(user):
    user.run("train", "data=moons", "training.num_epochs=4", "training.diagnostics=false")
    (run,) = user.runs()
    figures = user.artifacts(run) / "figures"
    assert (figures / "decision_boundary.svg").read_text().count("% right") == 5  # before, and 4 epochs
    assert (figures / "decision_boundary.gif").read_bytes().startswith(b"GIF89a")
    assert not (figures / "update_ratios.svg").exists()  # needs diagnostics
    assert not (figures / "first_layer_weights.svg").exists()  # no images


def test_a_network_that_was_small_is_walked_through_number_by_number(user):
    user.run("train", "experiment=notebook", "training.num_epochs=2")
    (run,) = user.runs()
    page = (user.artifacts(run) / "walkthrough.html").read_text()
    assert "layer1.weights[0,0]" in page
    assert "number by number" in page


@pytest.mark.slow
@pytest.mark.parametrize(("pictures", "all_of_them"), [("light", False), ("all", True)])
def test_which_pictures_a_run_leaves_can_be_told(user, pictures, all_of_them):
    sweep = ["-m", "seed=0,1"] if all_of_them else []
    user.run("train", *sweep, "data=moons", "training.num_epochs=2", f"tracking.pictures={pictures}")
    run = next(run for run in user.runs() if "data.name" in run.data.params)
    names = {path.name for path in (user.artifacts(run) / "figures").iterdir()}
    assert {"learning_curves.svg", "gradient_flow.svg", "update_ratios.svg"} <= names
    assert ("loss_surface.svg" in names) is all_of_them
    assert (user.artifacts(run) / "walkthrough.html").exists() is all_of_them
