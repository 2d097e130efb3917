"""The best of a sweep is a setting, by its mean, and its model is the one in the middle."""

import math
import statistics

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from micrograde.analysis import best_first, best_setting, compare_settings, in_short, summarize
from micrograde.analysis.best_setting import label_of
from micrograde.sweeps.retest import settings_to_retest

RATE, METRIC = "optimizer.learning_rate", "kept/val/accuracy"
numbers = st.integers(0, 40).map(lambda number: number / 40)
sweeps = st.lists(
    st.lists(
        st.tuples(numbers, numbers, st.sampled_from(["FINISHED", "FINISHED", "FINISHED", "FAILED"])),
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=4,
)


def frame(settings):
    """Runs of settings, given as lists of accuracy, loss and status; accuracy alone will do."""
    rows = []
    for place, members in enumerate(settings):
        for seed, member in enumerate(members):
            value, loss, status = member if isinstance(member, tuple) else (member, 0.5, "FINISHED")
            rows.append(
                (f"{place}-{seed}", f"rate={place} seed={seed}", status, place / 10, seed, value, loss)
            )
    names = ["run_id", "run_name", "status", RATE, "seed", METRIC, "kept/val/loss"]
    return pd.DataFrame(rows, columns=names)


def place_of(best):
    """The place of the best setting in the list that the frame was made of."""
    return round(best.params.get(RATE, 0.0) * 10)


def found(settings, order="auto"):
    best = best_setting(frame(settings), METRIC, order)
    assert best is not None
    return best


@examples(max_examples=40)  # each makes data frames
@given(sweeps, st.data(), st.sampled_from(["ascending", "descending"]))
def test_the_order_in_which_runs_were_recorded_changes_nothing(settings, data, order):
    runs = frame(settings)
    shuffled = runs.iloc[data.draw(st.permutations(range(len(runs))))]
    one, other = (best_setting(each, METRIC, order, [RATE, "seed"]) for each in (runs, shuffled))
    if one is None or other is None:
        assert one is other
        return
    assert (one.params, one.run_id, one.count, one.failed) == (
        other.params,
        other.run_id,
        other.count,
        other.failed,
    )
    assert math.isclose(one.mean, other.mean)


@examples(max_examples=40)  # each makes data frames
@given(sweeps, st.sampled_from(["ascending", "descending"]))
def test_its_numbers_are_those_of_its_runs_and_no_setting_that_counts_is_better(settings, order):
    runs = frame(settings)
    best = best_setting(runs, METRIC, order, [RATE, "seed"])
    there_are = [[value for value, _, status in members if status == "FINISHED"] for members in settings]
    if not any(there_are):
        assert best is None
        return
    assert best is not None
    own = there_are[place_of(best)]
    assert math.isclose(best.mean, statistics.fmean(own))
    assert best.count == len(own)
    assert best.count + best.failed == len(settings[place_of(best)])
    table = summarize(runs, [RATE], METRIC, order).set_index(RATE).loc[place_of(best) / 10]
    for name in ("mean", "std", "ci_low", "ci_high"):
        assert getattr(best, name) == pytest.approx(float(table[name]), abs=1e-12, nan_ok=True)
    median = statistics.median_high if order == "ascending" else statistics.median_low
    assert best.value == median(own)
    assert runs.set_index("run_id")[METRIC][best.run_id] == best.value
    most = max(map(len, settings))
    enough = [own for own in there_are if 2 * len(own) > most]
    sign = 1 if order == "descending" else -1
    for other in enough or filter(None, there_are):
        assert sign * statistics.fmean(other) <= sign * best.mean + 1e-12


@examples(max_examples=40)  # each makes data frames
@given(sweeps, numbers)
def test_a_lucky_run_of_another_setting_leaves_the_best_as_it_is_unless_its_mean_is_better(settings, value):
    settings = [[(value, loss, "FINISHED") for value, loss, _ in members] for members in settings]
    before = found(settings)
    place = place_of(before)
    others = [at for at in range(len(settings)) if at != place]
    assume(others)
    longest = max(map(len, settings))
    assume(len(settings[others[0]]) < longest)  # which setting has too few runs to count stays as it is
    settings[others[0]].append((value, 0.5, "FINISHED"))
    after = found(settings)
    if after.params == before.params:
        assert (after.mean, after.run_id, after.count) == (before.mean, before.run_id, before.count)
    else:
        assert after.mean >= before.mean - 1e-12


def test_the_luckiest_run_is_neither_the_best_setting_nor_its_model():
    best = found([[0.7, 0.7, 0.99], [0.85, 0.9, 0.95]])
    assert best.params == {RATE: 0.1}
    assert (best.run_id, best.value) == ("1-1", 0.9)
    assert best.lines() == [
        ("best", f"{METRIC} 0.9000 ± 0.1242 (95 %), mean of 3 runs  learning_rate=0.1"),
        ("model", "of run 1-1, in the middle with 0.9000"),
    ]


def test_of_an_even_number_the_lower_of_the_two_in_the_middle():
    assert found([[0.5, 0.6, 0.7, 0.8]]).value == 0.6
    assert found([[0.5, 0.6, 0.7, 0.8]], "ascending").value == 0.7
    assert found([[0.5, 0.6]]).value == 0.5


def test_ties_in_the_middle_go_by_loss_then_by_seed():
    tied = [[(0.9, 0.3, "FINISHED"), (0.9, 0.1, "FINISHED"), (0.9, 0.2, "FINISHED")]]
    assert found(tied).run_id == "0-2"
    assert found([[0.9, 0.9, 0.9]]).run_id == "0-1"


def test_one_seed_of_five_does_not_win():
    gone = (0.1, 0.1, "FAILED")
    best = found([[(0.99, 0.1, "FINISHED"), gone, gone, gone, gone], [0.8, 0.9, 0.85, 0.8, gone]])
    assert best.params == {RATE: 0.1}
    assert (best.count, best.failed, best.passed_over) == (4, 1, 1)
    assert best.counted == "mean of 4 of 5 runs"
    assert best.notes == ("1 setting ranks before it, of too few runs to be the best: half of 5 or less",)


@examples(max_examples=40)  # each makes data frames
@given(sweeps, st.sampled_from(["ascending", "descending"]))
def test_verdicts_and_retests_are_of_the_same_best_setting(settings, order):
    runs = frame(settings)
    best = best_setting(runs, METRIC, order, [RATE, "seed"])
    if best is None:
        return
    table, compared = summarize(runs, [RATE], METRIC, order), compare_settings(runs, METRIC, order, [RATE])
    assert compared[compared["verdict"] == "best"][RATE].tolist() == [best.params[RATE]]
    assert settings_to_retest(table, compared, 1)[RATE].tolist() == [best.params[RATE]]
    assert sorted(best_first(table)) == list(range(len(table)))


def test_a_setting_of_too_few_runs_is_compared_with_the_best_one():
    gone = (0.1, 0.1, "FAILED")
    few = [(0.99, 0.1, "FINISHED"), gone, gone, gone, gone]
    table = compare_settings(frame([few, [0.8, 0.9, 0.85, 0.8, 0.8], [0.7, 0.8, 0.75, 0.7, 0.7]]), METRIC)
    assert table["words"].tolist()[:2] == ["not to be told with 1 seed", "the best"]
    assert table["verdict"].tolist() == ["untold", "best", "worse"]
    assert in_short(table) == ("others", "1 not to be told from it, 1 worse")


def test_nor_do_seeds_that_were_not_begun_when_a_sweep_was_stopped():
    assert found([[0.8, 0.9, 0.85], [0.99]]).params == {RATE: 0.0}


def test_where_all_have_too_few_the_best_of_them_is_said_to_be_of_few():
    gone = (0.1, 0.1, "FAILED")
    best = found([[gone, gone, 0.9], [gone, 0.8, gone]])
    assert best.lines() == [("best", f"{METRIC} 0.9000  rate=0 seed=2  run 0-2  one of 3 runs")]


def test_a_sweep_without_repeats_says_so():
    best = found([[0.8], [0.9]])
    assert best.lines() == [
        ("best", f"{METRIC} 0.9000  rate=1 seed=0  run 1-0"),
        ("note", "each setting was run once, so how much of the best is luck is not known"),
    ]


def test_runs_that_are_all_alike_have_no_interval():
    best = found([[1.0, 1.0, 1.0]])
    assert best.lines()[0] == ("best", f"{METRIC} 1.0000, mean of 3 runs, all alike  the one setting")
    assert best.interval == ""
    assert repr(best) == (
        f"<BestSetting {METRIC} 1.0000, mean of 3 runs, all alike; run 0-1 in the middle, 1.0000>"
    )


def test_splits_and_folds_repeat_a_setting_and_missing_params_are_values():
    runs = frame([[0.7, 0.8], [0.9, 0.6]]).assign(
        **{"data.fold": [0, 1, 0, 1], "data.noise": [0.1, 0.1, None, None]}
    )
    best = best_setting(runs.drop(columns=["seed", RATE]), METRIC)
    assert best is not None
    assert best.params == {"data.noise": None} or best.params == {"data.noise": 0.1}
    assert best.count == 2
    assert best.label in ("noise=null", "noise=0.1")


@pytest.mark.parametrize("runs", [frame([]), frame([[(0.5, 0.5, "FAILED")]]), frame([[float("nan")]])])
def test_no_value_no_best_setting(runs):
    assert best_setting(runs, METRIC) is None
    assert best_setting(runs, "kept/val/rmse") is None


def test_names_in_its_line_are_short_unless_two_are_alike():
    runs = frame([[0.5, 0.6]]).assign(**{"optimizer.name": "adam", "data.name": "iris", "model.name": "mlp"})
    best = best_setting(runs, METRIC, varies=["optimizer.name", RATE, "data.name", "seed"])
    assert best is not None
    assert best.label == "optimizer=adam learning_rate=0 data=iris"
    best = best_setting(
        runs.assign(**{"schedule.learning_rate": 1}), METRIC, varies=[RATE, "schedule.learning_rate"]
    )
    assert best is not None
    assert best.label == f"{RATE}=0 schedule.learning_rate=1"


@pytest.mark.parametrize(
    ("params", "label"),
    [
        ({}, ""),
        ({RATE: 1.0, "model.hidden_size": 20}, "learning_rate=1 hidden_size=20"),
        ({RATE: 0.123456789}, "learning_rate=0.123456789"),
        ({RATE: 1e-5}, "learning_rate=1e-05"),
        ({"training.batch_size": None}, "batch_size=null"),
        ({"training.batch_size": float("nan"), RATE: 0.1}, "batch_size=null learning_rate=0.1"),
        ({"data.name": "iris", "data.noise": None}, "data=iris"),  # which has none
    ],
)
def test_a_setting_is_named_in_the_words_of_a_command(params, label):
    assert label_of(params) == label
