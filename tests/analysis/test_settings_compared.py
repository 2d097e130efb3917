import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from benchmarks.verdicts import differences_found, false_winners, values_of_runs
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis import compare_settings, group_over_seeds, not_worse, with_verdicts
from micrograde.analysis.corrections import step_down
from micrograde.analysis.paired_differences import step_of
from micrograde.analysis.seeds_needed import seeds_needed
from micrograde.core.errors import InputError

RATE = "optimizer.learning_rate"
LOSS, ACCURACY = "kept/val/loss", "kept/val/accuracy"


def sweep(values, metric=LOSS, **params):
    """Runs of a sweep with values (settings, seeds); NaN is a run that failed."""
    values = np.asarray(values, float)
    settings, seeds = values.shape
    frame = pd.DataFrame(
        {
            "run_id": [f"{number:032x}" for number in range(values.size)],
            "run_name": "run",
            "experiment_name": "wine",
            "status": np.where(np.isnan(values.ravel()), "FAILED", "FINISHED"),
            RATE: np.repeat(np.arange(settings) / 10, seeds),
            "seed": np.tile(np.arange(seeds), settings),
            metric: values.ravel(),
        }
    )
    return frame.assign(**params)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("seeds", [2, 3, 10])
@pytest.mark.parametrize("order", ["auto", "descending"])
def test_of_two_settings_p_and_interval_are_scipys(seeds, order):
    values = noise(2, seeds)
    row = compare_settings(sweep(values), LOSS, order).iloc[1]
    best = int(values.mean(1).argmax() if order == "descending" else values.mean(1).argmin())
    expected = scipy.stats.ttest_rel(values[1 - best], values[best])
    assert row["p"] == pytest.approx(expected.pvalue, abs=1e-9)
    interval = expected.confidence_interval(0.95)
    np.testing.assert_allclose([row["difference_low"], row["difference_high"]], interval, rtol=1e-9)
    assert row["pairs"] == seeds


def test_of_many_settings_each_p_is_scipys_times_what_the_correction_says():
    values = noise(6, 4) + 3 * np.arange(6)[:, None] ** 2
    values[2, 1] = np.nan
    table = compare_settings(sweep(values), LOSS)
    pairs = [(one, other) for one in range(6) for other in range(one + 1, 6)]
    p = np.array(
        [scipy.stats.ttest_rel(values[one], values[other], nan_policy="omit").pvalue for one, other in pairs]
    )
    corrected = dict(zip(pairs, np.minimum(p * step_down(p, 6), 1), strict=True))
    for row in table.to_dict("records")[1:]:
        assert row["p"] == pytest.approx(corrected[0, round(10 * row[RATE])], abs=1e-9)
        assert (row["p"] < 0.05) == (row["difference_low"] * row["difference_high"] > 0)
    assert table["pairs"].tolist() == [4, 4, 3, 4, 4, 4]
    assert table["failed"].tolist() == [0, 0, 1, 0, 0, 0]


def test_shaffers_numbers():
    # 4 settings: 6 pairs; when one is told apart at most 3 can be equal (Shaffer 1986, table 1).
    np.testing.assert_allclose(
        np.round(step_down(np.full(6, 1e-9) * 10.0 ** np.arange(6), 4)), [6, 3, 3, 3, 2, 1]
    )
    np.testing.assert_array_equal(step_down(np.array([1e-3]), 2), [1])
    assert step_down(np.ones(0), 1).shape == (0,)


@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=15),
    settings=st.integers(6, 9),
)
def test_corrections_lie_between_none_and_bonferroni_and_keep_the_order(p, settings):
    factors = step_down(np.array(p), settings)
    assert (factors >= 1).all()
    corrected = np.array(p) * factors
    assert (corrected <= np.maximum(np.array(p) * settings * (settings - 1) / 2, max(p)) * (1 + 1e-9)).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(corrected[order]) >= -1e-12).all()


def test_verdicts_and_their_words():
    values = 0.5 + noise(5, 5) / 1000
    values[1] = values[0]
    values[2] = values[0] + 0.02 + noise(5, seed=3) / 2000
    values[3, 1:] = np.nan
    values[4] = np.nan
    values[:, :] += np.array([0, 0, 0, 0.1, 0])[:, None]
    table = compare_settings(sweep(values, ACCURACY), ACCURACY, "ascending").set_index(RATE)
    assert table["verdict"].tolist() == ["best", "equal", "worse", "untold", "untold"]
    assert table["words"].tolist()[:2] == ["the best", "equal"]
    half = (table["difference_high"][0.2] - table["difference_low"][0.2]) / 2
    assert table["words"][0.2] == f"worse by {table['difference'][0.2]:.4f} ± {half:.4f}"
    assert table["words"][0.3] == "not to be told with 1 seed"
    assert table["words"][0.4] == "no run has finished"
    assert table["p"][0.1] == 1
    assert table["probability_of_improvement"].tolist()[1:4] == [0.5, 0, 0]
    assert not_worse(table.reset_index())[RATE].tolist() == [0, 0.1, 0.3]


def test_a_margin_says_what_does_not_matter():
    values = noise(2, 10)
    values[1] = values[0] + 0.03 + noise(10, seed=1) / 100
    runs = sweep(values)
    told = compare_settings(runs, LOSS)
    assert told["verdict"][1] == "worse"
    near = compare_settings(runs, LOSS, margin=0.1)
    assert near["words"][1] == "as good as the best"
    assert compare_settings(runs, LOSS, margin=0.03)["verdict"][1] == "worse"
    values[1] = values[0] + noise(10, seed=1) / 10
    assert compare_settings(sweep(values), LOSS)["verdict"].tolist() == [
        "best",
        "as_good",
    ]  # within its own std


def test_how_many_seeds_would_tell():
    values = noise(2, 3)
    row = compare_settings(sweep(values), LOSS).iloc[1]
    assert row["verdict"] == "untold"
    assert row["words"] == f"not to be told with 3 seeds; about {row['enough_seeds']:.0f} would"
    differences = values[0] - values[1]
    effect = abs(differences.mean()) / differences.std(ddof=1)

    def power(count):
        beyond = scipy.stats.t.ppf(0.975, count - 1)
        return scipy.stats.nct.sf(beyond, count - 1, effect * np.sqrt(count))

    assert power(row["enough_seeds"]) >= 0.8 > power(row["enough_seeds"] - 1)
    values[1] = values[0] + [-1, 0, 1.0001]
    row = compare_settings(sweep(values), LOSS, margin=1e-9).iloc[1]
    assert row["words"] == "not to be told with 3 seeds; more than 1,000 would"
    assert np.isinf(row["enough_seeds"])
    needed = seeds_needed(np.array([0.1, 1.0]), np.ones(2), np.full(2, 0.05), overlap=0.25)
    assert np.isinf(needed[0])  # folds overlap, so that no number of them tells so small a difference
    # A chance to miss that is too small for a float is none (SciPy says NaN), and not one that is too large.
    assert seeds_needed(np.array([4.0]), np.sqrt([3.0]), np.array([0.05 / 3]), overlap=0.0) == 5


@pytest.mark.parametrize("seeds", [1, 5])
def test_200_settings(seeds):
    table = compare_settings(sweep(noise(200, seeds)), LOSS)
    assert len(table) == 200
    assert table["mean"].is_monotonic_increasing
    if seeds == 1:
        assert set(table["words"]) == {"the best", "not to be told with 1 seed"}


def test_settings_without_a_seed_in_common():
    runs = sweep(noise(2, 3))
    runs["seed"] = np.arange(6)
    assert compare_settings(runs, LOSS)["words"].tolist() == ["the best", "no seed in common with the best"]


def test_one_setting_none_that_finished_and_an_infinite_value():
    assert compare_settings(sweep(noise(1, 3)), LOSS)["words"].tolist() == ["the best"]
    nothing = sweep(np.full((2, 2), np.nan))
    assert compare_settings(nothing, LOSS)["words"].tolist() == ["no run has finished"] * 2
    assert not_worse(compare_settings(nothing, LOSS)).empty
    values = noise(2, 3)
    values[1, 0] = np.inf
    assert compare_settings(sweep(values), LOSS)["words"][1] == "not to be told: a value is infinite"
    assert compare_settings(sweep(values).head(0), LOSS).empty
    with pytest.raises(InputError, match="by=speed: no run has it"):
        compare_settings(sweep(values), LOSS, by=["speed"])


def test_one_setting_with_equal_values_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = compare_settings(sweep(np.ones((3, 4)), ACCURACY), ACCURACY)
    assert table["verdict"].tolist() == ["best", "equal", "equal"]
    assert table["p"].tolist()[1:] == [1, 1]


def folds(values, **params):
    """Runs of 2 settings on K folds × R seeds; values (2, K, R)."""
    settings, count, seeds = np.shape(values)
    runs = sweep(np.reshape(values, (settings, count * seeds)), "kept/test/loss")
    runs["seed"] = np.tile(np.arange(seeds), settings * count)
    runs["data.fold"] = np.tile(np.repeat(np.arange(count), seeds), settings)
    return runs.assign(
        **{"data.folds": count, "data.validation_fraction": 0.1, "data.test_fraction": 0.1} | params
    )


def test_seeds_of_a_fold_are_averaged_and_the_variance_is_nadeaus_and_bengios():
    values = noise(2, 5, 3) + np.array([0, 1])[:, None, None]
    row = compare_settings(folds(values), "kept/test/loss").iloc[1]
    of_folds = values.mean(axis=2)
    best = int(of_folds.mean(1).argmin())
    differences = of_folds[1 - best] - of_folds[best]
    # A fifth is tested, and a tenth of the others validates.
    error = np.sqrt((1 / 5 + 0.2 / 0.72) * differences.var(ddof=1))
    assert row["p"] == pytest.approx(2 * scipy.stats.t.sf(abs(differences.mean()) / error, 4), abs=1e-9)
    assert row["pairs"] == 5
    assert row["words"].endswith("folds; more than 1,000 would") or "5 folds" in row["words"]


def test_generated_data_are_drawn_anew_and_need_no_correction():
    values = noise(2, 5)
    runs = sweep(values, **{"data.validation_fraction": 0.1, "data.test_fraction": 0.1})
    splits = runs.rename(columns={"seed": "data.seed"})
    generated = splits.assign(**{"data.samples": 500})
    p = [compare_settings(each, LOSS)["p"][1] for each in (runs, splits, generated)]
    assert p[0] == p[2] == pytest.approx(scipy.stats.ttest_rel(*values).pvalue, abs=1e-9)
    t = scipy.stats.ttest_rel(*values).statistic / np.sqrt(1 + 5 * 0.1 / 0.8)
    assert p[1] == pytest.approx(2 * scipy.stats.t.sf(abs(t), 4), abs=1e-9)
    words = [compare_settings(each, LOSS, margin=1e-9)["words"][1] for each in (splits, generated)]
    assert words[0].startswith("not to be told with 5 splits")
    assert words[1].startswith("not to be told with 5 data seeds")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([17 / 18, 1, 1, 15 / 18], 1 / 18),
        ([16 / 18, 1, 1, 13 / 18, 13 / 18], 1 / 18),
        ([1, 1, 1], 0),
        ([2**0.5, 3**0.5, 5**0.5, 5**0.5], 0),
        ([0.5, np.nan, np.inf], 0),
        ([], 0),
    ],
)
def test_the_step_that_values_come_in(values, step):
    assert step_of(np.array(values, float)) == pytest.approx(step, abs=1e-3 if not step else 1e-9)


def test_the_same_row_in_each_of_few_seeds_is_no_proof_of_many_settings():
    """Of 20 equal settings with values 1 and 17/18, some have one of these with all five seeds."""
    random = np.random.default_rng(5)
    values = random.choice([1, 17 / 18], p=[0.5, 0.5], size=(20, 5))
    values[3], values[7] = 1, 17 / 18
    assert set(compare_settings(sweep(values, ACCURACY), ACCURACY)["verdict"]) <= {
        "best",
        "equal",
        "as_good",
        "untold",
    }


def test_the_comparison_stands_beside_the_means():
    runs = sweep(noise(3, 4))
    table = with_verdicts(group_over_seeds(runs, LOSS), compare_settings(runs, LOSS))
    assert table["verdict"][0] == "best"
    assert {"kept/val/loss mean", "ci_low", "p", "probability_of_improvement", "words"} <= set(table)
    assert table["pairs"].tolist() == table["runs"].tolist() == [4, 4, 4]


@pytest.mark.parametrize("name", ["wine kept/val/accuracy", "digits kept/val/loss"])
def test_equal_settings_are_told_apart_in_at_most_one_of_twenty_sweeps(name):
    values, metric = values_of_runs()[name], name.partition(" ")[2]
    for settings in (4, 9):
        assert false_winners(values, metric, settings, sweeps=200) <= 0.05 + 1.645 * np.sqrt(
            0.05 * 0.95 / 200
        )
    assert differences_found(values, metric, sweeps=200) >= 0.75


def test_beside_runs_of_folds_others_are_of_another_split_and_not_of_a_fold():
    of_folds = folds(np.random.default_rng(4).normal(size=(2, 5, 1)))
    plain = of_folds[of_folds["data.fold"] == 0].assign(**{"data.folds": None, "data.fold": None})
    plain["run_id"] += " plain"
    table = compare_settings(pd.concat([of_folds, plain], ignore_index=True), "kept/test/loss")
    assert len(table) == 4
    assert table["words"].str.contains("split").sum() >= 2
    assert not table["words"].str.contains("fold").any()
