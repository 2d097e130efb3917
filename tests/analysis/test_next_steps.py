"""What to try next is true of the sweep, and can be typed."""

import numpy as np
import pandas as pd
import pytest
from tests.analysis.test_settings_compared import ACCURACY, noise, sweep

from micrograde.analysis import are_compared, best_setting, compare_settings, in_short, next_steps
from micrograde.analysis.repeats import in_plural

RATE, METRIC = "optimizer.learning_rate", "kept/val/accuracy"


def frame(rates, seeds, value):
    rows = [(rate, seed, value(rate, seed)) for rate in rates for seed in range(seeds)]
    runs = pd.DataFrame(rows, columns=[RATE, "seed", METRIC])
    runs["run_id"] = [f"{number:032x}" for number in range(len(runs))]
    runs["run_name"], runs["status"], runs["experiment_name"] = runs["run_id"], "FINISHED", "digits"
    return runs


def steps(runs, *, retested=True, tested=False, repeats=("seed",)):
    found = compare_settings(runs, METRIC, by=[RATE])
    best = best_setting(runs, METRIC, varies=[RATE, *repeats])
    return next_steps(runs, found, best, repeats, retested=retested, tested=tested)


def noisy(rate, seed):
    """A small difference between rates, beneath what seeds do."""
    return 0.9 + 0.01 * rate + 0.02 * np.sin(7 * seed + 40 * rate)


def test_nothing_is_left_open_where_all_is_told():
    assert steps(frame((0.1, 0.2, 0.3), 5, lambda rate, seed: 1 - 10 * abs(rate - 0.2) + seed / 1000)) == []


def test_settings_that_are_not_told_apart_want_so_many_seeds():
    runs = frame((0.1, 0.2), 5, noisy)
    needed = compare_settings(runs, METRIC, by=[RATE])["enough_seeds"].iloc[1]
    assert np.isfinite(needed)
    (said,) = steps(runs)
    assert said.startswith(f"1 setting is not told apart from the best; about {np.ceil(needed):.0f} ")
    assert said.endswith(f"Give the command with 'seed=range({np.ceil(needed):.0f})'.")
    assert "range" not in steps(runs, repeats=("seed", "data.fold"))[0]


def test_what_was_run_once_wants_seeds():
    (said,) = steps(frame((0.3, 0.1, 0.2), 1, lambda rate, _: 1 - abs(rate - 0.2)))
    assert "'seed=range(5)'" in said


@pytest.mark.parametrize(("best", "end"), [(0.1, "smallest"), (0.3, "largest"), (0.2, "")])
def test_a_best_value_at_an_end_of_those_tried_is_named(best, end):
    said = steps(frame((0.1, 0.2, 0.3), 3, lambda rate, seed: 1 - 10 * abs(rate - best) + seed / 1000))
    assert [f"is the {end} that was tried" in each for each in said] == ([True] if end else [])


def test_a_number_to_publish_comes_from_fresh_seeds():
    runs = frame((0.1, 0.2, 0.3), 5, lambda rate, seed: 1 - 10 * abs(rate - 0.2) + seed / 1000)
    (said,) = steps(runs, retested=False, tested=True)
    assert "sweep.retest=20" in said


def test_of_no_run_with_a_value_only_the_unfinished_are_counted():
    runs = frame((0.1, 0.2), 1, noisy).assign(status="KILLED")
    said = next_steps(runs, None, None, (), retested=False, tested=True)
    assert said == ["2 runs have not finished; the same command trains those that were stopped."]


def test_how_the_others_stand_is_counted_in_a_line():
    def value(rate, seed):
        return {0.1: 0.9, 0.2: 0.9, 0.3: 0.5, 0.4: 0.4}[rate] + seed / 1000

    compared = compare_settings(frame((0.1, 0.2, 0.3, 0.4), 5, value), METRIC, by=[RATE])
    assert in_short(compared) == ("others", "1 equal, 2 worse")
    two = compare_settings(frame((0.1, 0.3), 5, value), METRIC, by=[RATE])
    assert in_short(two) == ("other", f"learning_rate=0.3: {two['words'].iloc[1]}")
    assert two["words"].iloc[1].startswith("worse by 0.4")


def test_single_runs_are_not_compared():
    compared = compare_settings(frame((0.1, 0.2), 1, noisy), METRIC, by=[RATE])
    assert not are_compared(compared)
    assert in_short(compared) is None


def steps_of(values, *, searched=False, retested=False, tested=True, repeats=("seed",)):
    runs = sweep(values, ACCURACY)
    best = best_setting(runs, ACCURACY, varies=[RATE, *repeats])
    compared = compare_settings(runs, ACCURACY) if best else None
    return next_steps(runs, compared, best, repeats, retested=retested, tested=tested, searched=searched)


def test_where_nothing_was_repeated_a_grid_gets_seeds_and_a_search_a_retest():
    """A search would take a swept seed for one more key to choose values of."""
    grid, search = (
        steps_of(np.linspace(0, 1, 3)[:, None], searched=each, repeats=()) for each in (False, True)
    )
    assert grid[0].startswith("Each setting was run once: add 'seed=range(5)'")
    assert not any("seed=range" in step for step in search)
    assert "sweep.retest=20" in grid[-1]
    assert "sweep.retest=20" in search[-1]


@pytest.mark.parametrize("searched", [False, True])
def test_seeds_that_would_tell_settings_apart_are_typed_only_where_seeds_are_repeated(searched):
    values = [[0.1, 0.2, 0.3], [0.05, 0.0, 0.2]]
    assert any("'seed=range(" in step for step in steps_of(values, searched=searched)) is not searched


def test_runs_that_did_not_finish_come_first_and_without_a_best_setting_nothing_else():
    assert steps_of([[np.nan, np.nan]]) == [
        "2 runs have not finished; the same command trains those that were stopped."
    ]


@pytest.mark.parametrize(("retested", "tested"), [(True, True), (False, False)])
def test_what_was_retested_or_has_no_test_part_is_not_to_be_retested(retested, tested):
    said = steps_of(noise(3, 4), retested=retested, tested=tested)
    assert not any("sweep.retest" in step for step in said)


@pytest.mark.parametrize(
    ("repeats", "words"),
    [
        ((), ""),
        (("seed",), "seeds"),
        (("data.fold", "data.repeat"), "folds"),
        (("data.fold", "seed"), "seeds and folds"),
        (("seed", "data.seed", "data.fold"), "seeds, splits and folds"),
    ],
)
def test_what_a_mean_is_over_is_said_as_it_is(repeats, words):
    assert in_plural(repeats) == words
