"""The callbacks' protocol: when each is called, what it may change, and what a config and checkpoints make of it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pytest
from tests.diagnostics.following import make_model, make_samples

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import config_digest, to_container
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import PER_REPLICA, PositiveFloat
from micrograde.runs.building import build_callbacks, build_plan, stack_key
from micrograde.training import (
    CALLBACKS,
    Callback,
    CallbackSettings,
    Departure,
    EpochRecord,
    GradientNorms,
    Snapshot,
    StackOptimizer,
    Training,
    TrainingPlan,
)
from micrograde.training.callbacks.clip import GradientClipping
from micrograde.training.callbacks.early_stopping import BestWeights
from micrograde.training.optimizers.sgd import SGD


class Watching(Callback):
    """Counts its calls, keeps a number of its own, and stops after the second epoch."""

    def __init__(self):
        self.seen, self.norms, self.ends = 0, [], []
        self.count = np.zeros(1)

    def on_gradients(self, model):
        self.seen += 1
        self.norms.append(np.linalg.norm(model.gradients))

    def on_epoch(self, epoch, model, replicas, metrics):  # noqa: ARG002
        self.count += 1
        return np.array([epoch == 2])

    def on_end(self, epoch, model, row, replica, *, interrupted):
        self.ends.append((epoch, row, replica, interrupted, model.parameters.copy()))

    def snapshot_due(self):
        return True

    def numbers(self):
        return {"watching/count": self.count}


class WatchingEveryStep(Watching):
    every_step = True


class Zeroing(Callback):
    changes_network = True

    def on_end(self, epoch, model, row, replica, *, interrupted):  # noqa: ARG002
        model.parameters[row] = 0


def training(*callbacks):
    model = make_model()
    optimizer = StackOptimizer([SGD()], model.parameters, model.gradients)
    plan = TrainingPlan(5, 10, lambda steps: np.full((len(steps), 1), 0.1))
    parts = make_samples(40, 4, 3, seed=1), make_samples(20, 4, 3, seed=2)
    return Training(model, optimizer, plan, *parts, [np.random.default_rng(1)], callbacks=callbacks)


def test_each_is_called_when_it_says_and_can_stop_and_replace_weights():
    last, every = Watching(), WatchingEveryStep()
    *_, departure = training(Zeroing(), last, every).run()
    assert (last.seen, every.seen) == (2, 8)
    assert departure.epoch == 2
    ((*end, weights),) = last.ends
    assert end == [2, 0, 0, False]
    assert weights.any()  # it looks on before the other, though that comes first in the list
    assert not departure.model.parameters.any()


def test_what_looks_on_sees_the_gradients_before_they_are_clipped():
    clipping, looking = GradientClipping(np.array([1e-3]), None), Watching()
    records = [
        event
        for event in training(clipping, GradientNorms(), looking).run()
        if isinstance(event, EpochRecord)
    ]
    norms = [record.metrics["gradient_norm/total"][0] for record in records]
    assert min(norms) > 1e-3
    np.testing.assert_allclose(norms, looking.norms)
    assert list(records[0].metrics)[:5] == [
        "train/loss",
        "train/accuracy",
        "val/loss",
        "val/accuracy",
        "gradient_norm/total",
    ]


def test_arrays_that_a_callback_declares_are_in_its_snapshots_and_come_back():
    snapshots = [event for event in training(Watching()).run() if isinstance(event, Snapshot)]
    assert snapshots[0].arrays["watching/count"] == 2
    again = Watching()
    resumed = training(again)
    resumed.resume(snapshots[0])
    assert again.count == 2
    assert isinstance(list(resumed.run())[-1], Departure)


def recipe(**training):
    return parse_train_config(
        {
            "recipe_version": 2,
            "data": {"name": "moons"},
            "model": {},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": training,
            "tracking": {"name": "disabled"},
        }
    )


def test_what_may_differ_in_a_stack():
    def key(**clip):
        return stack_key(recipe(clip=clip))

    assert key(norm=1.0) == key(norm=2.0) != key(norm=None)
    assert key(norm=1.0) != key(value=1.0)
    assert stack_key(recipe()) != stack_key(recipe(early_stopping={"enabled": True}))
    clipping, *others = build_callbacks(
        configs := [recipe(clip={"norm": norm}) for norm in (1.0, 2.0)], make_model(), build_plan(configs, 40)
    )[1:]
    assert isinstance(clipping, GradientClipping)
    assert not others


def test_what_is_off_is_not_made_and_leaves_a_digest_as_it_was():
    config = recipe()
    (norms,) = build_callbacks([config], make_model(), build_plan([config], 40))
    assert isinstance(norms, GradientNorms)
    assert config_digest(config) == config_digest(recipe(clip={"norm": None}))
    assert config_digest(config) != config_digest(recipe(clip={"norm": 1.0}))


def test_early_stopping_keeps_the_names_of_its_arrays():
    config = recipe(early_stopping={"enabled": True})
    best = build_callbacks([config], make_model(), build_plan([config], 40))[1]
    assert isinstance(best, BestWeights)
    assert {*best.buffers()} == {"best.parameters", "best.statistics"}
    assert {*best.numbers()} == {"best/lowest", "best/epoch"}


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "much", True])
def test_a_limit_that_is_none_is_one_line(value):
    with pytest.raises(InputError, match=r"^training\.clip\.norm=.*: should be") as caught:
        recipe(clip={"norm": value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", CALLBACKS.values(), ids=CALLBACKS)
def test_with_its_defaults_a_callback_is_off(entry):
    for settings in (entry(), recipe().training.settings_of(entry)):
        assert entry.start([settings], make_model(), build_plan([recipe()], 40)) is None
    assert to_container(recipe())["training"][entry.name] is not None


def test_settings_that_are_not_marked_do_not_differ_within_a_stack():
    @dataclass(frozen=True, kw_only=True)
    class Settings(CallbackSettings):
        name: ClassVar[str] = "unregistered"
        marked: Annotated[PositiveFloat | None, PER_REPLICA] = None
        unmarked: float = 0.0

    assert Settings(marked=1.0).program() == Settings(marked=2.0).program() != Settings().program()
    assert Settings(unmarked=1.0).program() != Settings().program()
