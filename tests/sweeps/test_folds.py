"""Folds of a sweep: what a config stands for, and what a setting reaches over them."""

from typing import Any

import pytest

import micrograde as mg
from micrograde.core.errors import InputError
from micrograde.sweeps.folds import first_run, held_out, with_values
from micrograde.sweeps.state import Outcome, mean_outcome

FAST = ("data=iris", "training.num_epochs=2")


@pytest.fixture
def project(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    return home


@pytest.mark.parametrize(
    ("data", "runs"),
    [
        ({}, [()]),
        ({"folds": None, "repeats": 3}, [()]),
        ({"folds": 2}, [("data.fold=0",), ("data.fold=1",)]),
        ({"folds": 5, "fold": 3}, [()]),
        ({"folds": 5, "fold": 3, "repeats": 2}, [("data.repeat=0",), ("data.repeat=1",)]),
        ({"folds": 2, "repeats": 9, "repeat": 4}, [("data.fold=0",), ("data.fold=1",)]),
        (
            {"folds": 2, "repeats": 2},
            [(f"data.repeat={repeat}", f"data.fold={fold}") for repeat in (0, 1) for fold in (0, 1)],
        ),
        ({"folds": "many"}, [()]),
        ({"folds": 1}, [()]),
        ({"folds": 3, "repeats": 0}, [()]),
        (None, [()]),
    ],
)
def test_the_runs_that_a_config_stands_for(data, runs):
    assert held_out(data).overrides() == runs


def test_values_are_set_in_a_copy():
    composed: dict[str, Any] = {"data": {"folds": 3, "fold": None, "repeat": None, "repeats": 2}, "seed": 0}
    assert first_run(composed)["data"] == {"folds": 3, "fold": 0, "repeat": 0, "repeats": 2}
    assert with_values(composed, ())["data"] == composed["data"]
    assert composed["data"]["fold"] is None


def test_what_makes_too_many_runs_or_the_same_is_refused():
    with pytest.raises(InputError, match="make 200000 runs; a sweep may have 100000"):
        held_out({"folds": 2, "repeats": 100_000})
    with pytest.raises(InputError, match=r"data.repeats=2: by data.time .* leave out data.repeats"):
        held_out({"folds": 2, "repeats": 2, "time": "day"})


def test_a_setting_reaches_the_mean_over_all_of_its_folds():
    done = [Outcome("FINISHED", 0.5), Outcome("FINISHED", 1.0)]
    assert mean_outcome(done) == Outcome("FINISHED", 0.75)
    failed = Outcome("FAILED", None, "the loss is nan")
    assert mean_outcome([*done, failed]) is failed
    assert mean_outcome([*done, Outcome("KILLED")]).status == "KILLED"
    assert mean_outcome(done[:1]) is done[0]


@pytest.mark.usefixtures("project")
def test_a_sweep_over_folds_goes_on_and_takes_more_repeats():
    first = mg.sweep(*FAST, folds=3)
    assert first.varies == ("data.fold",)
    assert (first.runs["status"] == "FINISHED").all()
    assert len(first.runs) == 3
    again = mg.sweep(*FAST, folds=3)
    assert sorted(again.runs["run_id"]) == sorted(first.runs["run_id"])
    more = mg.sweep(*FAST, folds=3, repeats=2)
    assert more.run_id == first.run_id
    assert set(first.runs["run_id"]) < set(more.runs["run_id"])
    assert sorted(zip(more.runs["data.repeat"], more.runs["data.fold"], strict=True)) == [
        (repeat, fold) for repeat in (0, 1) for fold in range(3)
    ]
    assert len(more.over_seeds()) == 1
    rows = mg.load_out_of_fold(more)
    assert sorted(rows["row"]) == list(range(1, 151))
    assert (rows["tested"] == 2).all()
    assert rows["missed"].is_monotonic_decreasing
    each = more.out_of_fold(each_run=True)
    assert len(each) == 2 * 150
    of_worst = each[each["row"] == rows["row"][0]]
    assert of_worst["loss"].mean() == pytest.approx(rows["loss"][0])
    assert of_worst["missed"].mean() == rows["missed"][0]


@pytest.mark.usefixtures("project")
def test_a_child_is_a_run_that_can_be_trained_alone():
    sweep = mg.sweep(*FAST, folds=3, learning_rate=[0.05, 0.1])
    assert sweep.varies == ("optimizer.learning_rate", "data.fold")
    alone = mg.run(*FAST, folds=3, fold=1, learning_rate=0.1)
    runs = sweep.runs
    child = runs[(runs["optimizer.learning_rate"] == 0.1) & (runs["data.fold"] == 1)].iloc[0]
    for name, value in alone.metrics.items():
        assert child[name] == value, name
    every = sweep.out_of_fold(every_setting=True)
    assert len(every) == 300
    best = sweep.over_seeds()["optimizer.learning_rate"][0]
    assert set(every["optimizer.learning_rate"][:150]) == {best}
    assert len(sweep.out_of_fold()) == 150
    assert "data.repeats" not in alone.params


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"folds": 3}, "makes several runs, and this is one; name a fold"),
        ({"fold": 3}, "data.fold=3: is for folds; give data.folds=5"),
        ({"repeats": 3}, "data.repeats=3: is for folds"),
        ({"folds": 3, "fold": 3}, "of data.folds=3 the folds are 0 to 2"),
    ],
)
def test_what_is_no_fold_is_said(given, said):
    with pytest.raises(InputError, match=said):
        mg.run(*FAST, **given)


@pytest.mark.usefixtures("project")
def test_a_sweep_without_folds_has_no_held_out_rows():
    sweep = mg.sweep(*FAST, seed=range(2))
    with pytest.raises(InputError, match=r"a sweep over folds leaves one: data.folds=5, say"):
        sweep.out_of_fold()
    assert not {"data.folds", "data.fold", "data.repeat"} & set(sweep.runs)


def test_without_m_folds_are_a_sweep(user):
    done = user.run("train", *FAST, "data.folds=2", "tracking=disabled")
    assert "finished    2 of 2 runs" in done.stdout
