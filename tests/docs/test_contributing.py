"""The examples of CONTRIBUTING.md work: in a copy of the package that has their files, they are found and train."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(r"```python\n# (src/\S+\.py)\n(.*?)```", re.DOTALL)
CHOSEN = (
    "data=rings",
    "model.activation=softplus",
    "model.normalization=rms_norm",
    "model.initializer={name:uniform,limit:0.5}",
    "optimizer=sign",
    "schedule=polynomial",
    "training.damp.factor=0.5",
    "training.metrics=[misses]",
)
KEPT = "tracking=lines"
TWO = ("an activation", "a normalization", "a loss", "a backend")  # with equations, and what reads it
ONE = ("an initializer", "an optimizer", "a schedule", "a callback", "a metric", "a data set", "a finding")
MORE = ("a role of a column", "a picture", "a picture of a sweep", "a task")
ADDED = {**dict.fromkeys(TWO, 2), **dict.fromkeys((*ONE, *MORE), 1)}

OF_A_COLUMN = """
import numpy as np
import pandas as pd

from micrograde.data import load_dataset, split_dataset
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.preprocessing import Preprocessing

winds = ["N", " NE", "E", "SE", "S", "SW", "W", "NW", ""] * 10
pd.DataFrame({"wind": winds, "x": np.arange(90) % 7, "y": ["p", "q"] * 45}).to_csv("winds.csv", index=False)
data = load_dataset("csv", seed=0, path="winds.csv", target="y")
assert data.feature_names == ("wind (east)", "wind (north)", "x")
assert "directions  'wind'" in data.summary.lines()
assert "filled      'wind' (10): by the training part's mean" in data.summary.lines()
encoding = ColumnEncoding.from_state(data.encoding.state())
north, north_east, east, *_ = encoding.encode(pd.read_csv("winds.csv"))
assert np.allclose([north[:2], north_east[:2], east[:2]], [[0, 1], [0.5**0.5] * 2, [1, 0]])
assert [row[0] for row in encoding.decode(data.features[:8])] == [each.strip() for each in winds[:8]]
forced = load_dataset("csv", seed=0, path="winds.csv", target="y", roles={"x": "compass"})
assert "x (east)" in forced.feature_names
print("read directions")
"""

OF_NUMBERS = """
import numpy as np

from micrograde.config.parsing import parse_train_config
from micrograde.data import Dataset
from micrograde.gradcheck import check_network, require_agreement
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import MLP
from micrograde.runs.building import build_model, build_optimizer, build_plan, prepare_dataset
from micrograde.training import Departure, EpochRecord, Training

random = np.random.default_rng(0)
features = random.standard_normal((60, 3))
labels = np.rint((6 + features @ [0.5, -1.0, 0.3]) ** 2)[:, np.newaxis]
config = parse_train_config({
    "data": {"name": "npz", "path": "rows", "stratify": False},
    "model": {"hidden_size": [4], "batch_norm": False},
    "optimizer": {"name": "sgd"}, "schedule": {"name": "constant"}, "tracking": {"name": "disabled"},
    "training": {"num_epochs": 60, "batch_size": 8, "dtype": "float64"},
})
data = prepare_dataset(
    Dataset("rows", features, labels, (), ("a", "b", "c"), task="counts", target_names=("visits",)),
    config.data, "float64")
model = build_model([config.model], data, "float64", [random])
assert (data.task.name, model.loss.function.name, model.sizes[-1]) == ("counts", "log_cosh", 1)
evidence = check_network(model, 0, data.training.features, data.training.targets)
require_agreement(evidence)
plan = build_plan([config], len(data.training), data.task)
optimizer = build_optimizer([config.optimizer], model)
training = Training(model, optimizer, plan, data.training, data.validation, [random])
*records, departure = training.run()
losses = [record.metrics["val/loss"][0] for record in records]
assert losses[-1] < losses[0] / 5, losses
arrays = {name: array[0] for name, array in departure.model.state().items()}
network = TrainedNetwork(MLP.from_state(arrays, "tanh"), data.preprocessing)
assert abs(network.predict(features)["visits"] - labels[:, 0]).mean() < 5
print("learned counts")
"""


def examples():
    return dict(EXAMPLE.findall((ROOT / "CONTRIBUTING.md").read_text()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("copy")


@pytest.fixture(scope="module")
def python(folder):
    """A function that runs Python with a copy of the package to which the examples were added."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("conf", "pipelines", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    for path, text in examples().items():
        assert not (folder / path).exists()
        (folder / path).write_text(text)
    environment = {**os.environ, "PYTHONPATH": f"{folder / 'src'}", "MICROGRADE_HOME": str(folder / "home")}
    (folder / "home").mkdir()

    def run(*args):
        return subprocess.run(
            [sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.slow
def test_the_examples_train_alone_and_in_stacks_and_are_replayed(python, folder):
    done = python("pipelines/train.py", *CHOSEN, KEPT, "training.num_epochs=3", "data.samples=60")
    assert done.returncode == 0, done.stderr
    assert "finding     the network has " in done.stdout
    assert list((folder / "home").rglob("figures/epoch_bars.svg"))
    assert not (folder / "home" / "mlruns" / "mlflow.db").exists()
    run_id = re.search(r"run (\w{32})", done.stdout)
    assert run_id
    replayed = python("pipelines/replay.py", f"run_id={run_id[1]}", KEPT)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    swept = python("pipelines/train.py", "-m", *CHOSEN, KEPT, "training.num_epochs=3", "seed=0,1")
    assert swept.returncode == 0, swept.stderr
    assert list((folder / "home").rglob("figures/ranking.svg"))
    exported = python("pipelines/export.py", f"run_id={run_id[1]}", "output=model.onnx", KEPT)
    assert exported.returncode == 0, exported.stdout + exported.stderr


@pytest.mark.slow
def test_the_example_of_a_task_learns_with_the_example_of_a_loss(python):
    done = python("-c", OF_NUMBERS)
    assert done.stdout == "learned counts\n", done.stderr


@pytest.mark.slow
def test_the_example_of_a_role_reads_a_column(python):
    done = python("-c", OF_A_COLUMN)
    assert done.stdout == "read directions\n", done.stderr


@pytest.mark.slow
def test_they_owe_nothing_but_what_tests_hold(python):
    """tests/test_entries.py finds them, and of what an entry owes they lack PyTorch's counterpart alone."""
    done = python(
        "-m",
        "pytest",
        "-q",
        "--rootdir",
        str(ROOT),
        "-p",
        "no:cacheprovider",
        str(ROOT / "tests" / "test_entries.py"),
    )
    lacking = re.findall(r"AssertionError: (.*? lacks .*)", done.stdout)
    assert lacking
    assert all(
        line.endswith("lacks PyTorch's counterpart in tests/against_torch/counterparts.py")
        for line in lacking
    ), lacking


def test_the_table_says_how_many_files_an_example_has():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = {
        what: int(files) for what, files in re.findall(r"^\| (an? [\w ]+) \| (\d) \|", text, re.MULTILINE)
    }
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    written = {section.partition("\n")[0].lower(): len(EXAMPLE.findall(section)) for section in sections}
    assert written == table == ADDED
