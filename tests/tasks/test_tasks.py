"""Which task data are for is found by itself, and all that learns and reads asks the task."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, Literal

import numpy as np
import pytest

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.data import Dataset
from micrograde.models.onnx_export import export_onnx
from micrograde.models.trained_network import describe_model, read_network, write_network
from micrograde.nn import Loss
from micrograde.nn.losses.mse import MeanSquaredError
from micrograde.runs.building import build_model, build_plan, prepare_dataset
from micrograde.tasks import TASKS, Task, task_of
from micrograde.tasks.classification import Classification
from micrograde.training import Departure, EpochRecord, StackOptimizer, Training
from micrograde.training.optimizers.sgd import SGD


@dataclass(frozen=True, kw_only=True)
class LogCosh(Loss):
    """The logarithm of the hyperbolic cosine of the error."""

    name: Literal["log_cosh"] = "log_cosh"
    learns: ClassVar = "numbers"

    def value(self, logits, targets):
        return (np.logaddexp(logits - targets, targets - logits) - np.log(2).astype(logits.dtype)).sum(
            axis=-1
        )

    def gradient(self, logits, targets):
        return np.tanh(logits - targets)


class Numbers(Task):
    """A number for each row, which is the network's only output."""

    name: ClassVar[str] = "numbers"
    metrics: ClassVar[tuple[str, ...]] = ()
    learns: ClassVar = "numbers"
    output_size = 1

    def __init__(self, loss=None):
        super().__init__(loss or LogCosh())

    @classmethod
    def of(cls, data, loss=None):  # noqa: ARG003
        return cls(loss)

    def targets(self, labels, dtype):
        return labels.astype(dtype)

    def labels(self, targets):
        return targets

    def predicted(self, logits, *, finite=False):  # noqa: ARG002
        return logits

    def baselines(self, training, labels):  # noqa: ARG002
        return {}

    def answers(self, logits):
        return logits

    column_types: ClassVar = {"number": "double"}

    def columns(self, answers):
        return {"number": answers[:, 0]}


def described(**kinds):
    return SimpleNamespace(**{"task": "classification", "class_names": (), "target_names": (), **kinds})


def test_data_with_classes_are_for_classification():
    task = task_of(described(class_names=("no", "yes")))
    assert isinstance(task, Classification)
    assert task.class_names == ("no", "yes")


def test_data_for_an_unknown_task_are_a_line_that_lists_the_tasks():
    with pytest.raises(InputError, match=r"^task must be one of classification, regression, got 'dreams'$"):
        task_of(described(task="dreams"))


def test_a_loss_that_is_for_another_task_is_a_line_that_lists_those_that_fit():
    message = "^loss=mse: is none for classification; choose cross_entropy, or leave it out$"
    with pytest.raises(InputError, match=message):
        task_of(described(class_names=("no", "yes")), MeanSquaredError())


def test_another_task_learns_and_reads_by_its_own_targets_size_loss_and_columns(monkeypatch, tmp_path):
    monkeypatch.setitem(TASKS._entries, "numbers", Numbers)
    random = np.random.default_rng(0)
    features = random.standard_normal((60, 3))
    labels = np.rint(features @ [4.0, -8.0, 2.0])[:, np.newaxis]
    names = ("a", "b", "c")
    dataset = Dataset("numbers", features, labels, (), names, task="numbers", target_names=("number",))
    config = parse_train_config(
        {
            "data": {"name": "npz", "path": "numbers", "stratify": False},
            "model": {"hidden_size": [], "batch_norm": False},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": {"num_epochs": 30, "batch_size": 8},
            "tracking": {"name": "disabled"},
        }
    )
    data = prepare_dataset(dataset, config.data, "float32")
    assert data.training.targets.shape == (len(data.training), 1)
    model = build_model([config.model], data, "float32", [random])
    assert model.sizes == (3, 1)
    assert model.loss.function == LogCosh()
    plan = build_plan([config], len(data.training), data.task)
    optimizer = StackOptimizer([SGD()], model.parameters, model.gradients)
    plan = type(plan)(plan.num_epochs, plan.batch_size, plan.learning_rates, task=plan.task, metrics=())
    training = Training(model, optimizer, plan, data.training, data.validation, [random])
    events = list(training.run())
    losses = [event.metrics["val/loss"][0] for event in events if isinstance(event, EpochRecord)]
    assert losses[-1] < losses[0] / 10
    (departure,) = (event for event in events if isinstance(event, Departure))

    write_network(tmp_path, departure.model, config, data.preprocessing)
    network = read_network(tmp_path)
    predicted = network.predict(features)
    assert list(predicted.columns) == ["number"] == list(describe_model(dataset).outputs)
    assert np.abs(predicted["number"] - labels[:, 0]).mean() < 0.5
    with pytest.raises(InputError, match="a network for numbers cannot be exported: the task has no rule"):
        export_onnx(network)
