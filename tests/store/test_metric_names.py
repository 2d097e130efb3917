"""Diagnostics have other names in the records since recipe version 2, and both can be asked for."""

import numpy as np
import pytest

import micrograde as mg
from micrograde.store import load_run, local_store, tags
from micrograde.store.metric_names import name_among, plain_name, recorded_name

_GROUPS = (
    "activation",
    "batch_norm",
    "gradient",
    "gradient_check",
    "gradient_norm",
    "update_ratio",
    "swirl_norm",
)
SHORT = ("data=iris", "training.num_epochs=2", "tracking=disabled")


@pytest.mark.parametrize("name", [f"{each}/layer1.std" for each in _GROUPS])
def test_a_name_and_its_other_name(name):
    recorded = recorded_name(name, 2)
    assert recorded == f"within/{name}" == recorded_name(recorded, 2)
    assert name == recorded_name(name, 1) == recorded_name(recorded, 1) == plain_name(recorded)
    assert recorded > "val/loss"
    assert name_among(name, [recorded]) == recorded
    assert name_among(recorded, [name]) == name_among(name, [name, recorded]) == name
    assert name_among(name, []) == name


@pytest.mark.parametrize("name", ["train/loss", "val/accuracy", "duration"])
def test_others_are_called_what_they_are(name):
    assert recorded_name(name, 2) == recorded_name(name, 1) == plain_name(name) == name
    assert name_among(name, []) == name


def test_a_run_has_the_names_of_its_version_and_the_same_values():
    whole = "training.drop_last=true"  # version 1 measured at the last batch, however few its rows
    now, then = mg.run(*SHORT, whole), mg.run(*SHORT, whole, "recipe_version=1")
    assert {recorded_name(name, 2) for name in map(str, then.history)} == set(now.history)
    assert "gradient_norm/total" in then.history
    assert "within/gradient_norm/total" in now.history
    for name in map(str, then.history):
        np.testing.assert_array_equal(then.history[name], now.history[recorded_name(name, 2)])
    assert now.findings == then.findings


@pytest.mark.slow  # it begins launches
def test_a_sweep_is_chosen_by_the_name_that_is_typed(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    command = ("data=iris", "training.num_epochs=1", "seed=0,1", "sweep.metric=gradient_norm/total")
    before = mg.sweep(*command, "recipe_version=1")
    assert before.metric == "gradient_norm/total"
    sweep = mg.sweep(*command, "sweep.resume=false")
    assert sweep.metric == "within/gradient_norm/total"
    for each in (before, sweep):
        higher = each.runs.set_index("run_id")[each.metric].idxmax()  # of two, the one that ranks lower
        assert load_run(local_store(home).tracking_uri, each.run_id).tags[tags.BEST_RUN_ID] == higher
