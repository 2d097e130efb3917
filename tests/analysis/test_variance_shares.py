import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis import variance_shares
from micrograde.analysis.variance_shares import REST
from micrograde.analysis.what_mattered import importance_of, in_words, short_names
from micrograde.core.errors import InputError

METRIC = "kept/val/accuracy"
A, B, C = "optimizer.learning_rate", "optimizer.name", "model.hidden_sizes"


def grid(**axes):
    """Return a finished run for each combination, without a value yet."""
    names = {"a": A, "b": B, "c": C, "seed": "seed", "split": "data.seed"}
    rows = list(itertools.product(*axes.values()))
    return pd.DataFrame(rows, columns=[names[each] for each in axes]).assign(status="FINISHED")


def shares_of(runs, keys=(A, B, C, "seed", "data.seed")):
    found = variance_shares(runs, keys, METRIC)
    return found, {each.of: each.share for each in found.shares}


def test_a_known_function_is_recovered():
    runs = grid(a=[-1.0, 0.0, 4.0], b=[0.5, 2.0], seed=range(4))
    a, b, noise = runs[A], runs[B], runs["seed"].map({0: 0.3, 1: -0.2, 2: 0.9, 3: 0.0})
    runs[METRIC] = 3 * a + a * b + noise + 7
    # E[3a + ab] given a, and given b, by hand; the rest of it is the pair's
    of_a, of_b = (3 + b.mean()) * a, a.mean() * b
    pair = a * b - b.mean() * a - a.mean() * b
    total = np.var(runs[METRIC])
    found, shares = shares_of(runs)
    assert found.how == "exact"
    assert shares[A] == pytest.approx(np.var(of_a) / total, abs=1e-9)
    assert shares[B] == pytest.approx(np.var(of_b) / total, abs=1e-9)
    assert shares[f"{A} × {B}"] == pytest.approx(np.var(pair) / total, abs=1e-9)
    assert shares["seed"] == pytest.approx(np.var(noise) / total, abs=1e-9)
    assert shares[REST] == pytest.approx(0, abs=1e-9)
    assert [each.kind for each in found.shares] == ["key", "pair", "key", "repeat", "rest"]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    seeds=st.integers(1, 4),
    paired=st.booleans(),
    scale=st.sampled_from([1e-200, 1.0, 1e200]),
    random=st.integers(0, 2**32 - 1),
)
def test_shares_of_a_full_grid_add_to_one_whatever_the_order_of_the_runs(sizes, seeds, paired, scale, random):
    rng = np.random.default_rng(random)
    names = [f"model.key{number}" for number in range(len(sizes))]
    rows = list(itertools.product(*(range(size) for size in sizes), range(seeds)))
    runs = pd.DataFrame(rows, columns=[*names, "seed"]).assign(status="FINISHED")
    if not paired:
        runs["seed"] = rng.permutation(len(runs))
    runs[METRIC] = rng.normal(size=len(runs)) * scale
    found, shares = shares_of(runs, [*names, "seed"])
    mixed, again = shares_of(runs.sample(frac=1, random_state=0), [*names, "seed"])
    if len(runs) == 1:
        assert found.how == "untold"
        return
    assert found.how == mixed.how == "exact"
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    assert all(share >= 0 for share in shares.values())
    assert again == pytest.approx(shares, abs=1e-9)


def test_text_numbers_lists_and_missing_values_are_categories():
    runs = grid(b=["sgd", "adam", None], c=["[5]", "[10]"])
    runs[METRIC] = [1.0, 1.0, 3.0, 3.0, 7.0, 7.0]
    found, shares = shares_of(runs)
    assert found.how == "exact"
    assert shares[B] == pytest.approx(1, abs=1e-12)
    assert shares[C] == pytest.approx(0, abs=1e-12)


def test_seeds_that_settings_do_not_share_have_what_varies_within_a_setting():
    runs = grid(a=[1.0, 2.0], seed=range(3))
    runs["seed"] = range(6)
    runs[METRIC] = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]
    _, shares = shares_of(runs)
    total = np.var(runs[METRIC])
    assert shares == pytest.approx({A: 25 / total, "seed": (2 / 3) / total, REST: 0}, abs=1e-12)


def test_splits_are_a_factor_beside_seeds_and_one_with_them_if_they_go_together():
    runs = grid(a=[1.0, 2.0], seed=range(3), split=range(2))
    runs[METRIC] = runs["seed"] + 10.0 * runs["data.seed"]
    _, shares = shares_of(runs)
    total = np.var(runs[METRIC])
    assert shares["data.seed"] == pytest.approx(25 / total, abs=1e-12)
    assert shares["seed"] == pytest.approx((2 / 3) / total, abs=1e-12)
    together = runs[runs["seed"] == 2 * runs["data.seed"]].copy()
    found, shares = shares_of(together)
    assert found.how == "exact"
    assert shares == pytest.approx({A: 0, "seed, data.seed": 1, REST: 0}, abs=1e-12)


@pytest.mark.parametrize("missing", [0, 1])
def test_the_folds_of_repeats_are_one_factor_as_their_numbers_mean_nothing_alone(missing):
    """The same on a full grid and, where a run is missing, by a forest."""
    runs = grid(a=[1.0, 2.0, 3.0], seed=range(2), split=range(12)).rename(columns={"data.seed": "data.fold"})
    runs["data.repeat"], runs["data.fold"] = divmod(runs["data.fold"], 4)
    random = np.random.default_rng(0).permutation(np.arange(12.0))
    runs[METRIC] = random[4 * runs["data.repeat"] + runs["data.fold"]]
    found, shares = shares_of(runs.iloc[missing:], [A, "seed", "data.repeat", "data.fold"])
    assert found.how == ("forest" if missing else "exact")
    assert list(shares) == ["data.repeat, data.fold", A, "seed", REST]
    assert shares["data.repeat, data.fold"] == pytest.approx(1, abs=0.1 if missing else 1e-9)
    assert in_words(found, METRIC, 60).startswith("repeat and fold ")


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_runs_that_all_have_the_same_value(value):
    runs = grid(a=[1.0, 2.0], b=["sgd", "adam"], seed=range(3))
    runs[METRIC] = value
    found, shares = shares_of(runs)
    assert set(shares.values()) == {0.0}
    assert found.note == "all runs have the same value"
    assert in_words(found, METRIC, 68) == f"nothing: all 12 runs have the same {METRIC}"


def test_values_whose_runs_all_failed_are_left_out_and_the_others_are_a_grid():
    runs = grid(a=[1.0, 2.0, 100.0], seed=range(3))
    runs[METRIC] = runs[A] + runs["seed"]
    runs.loc[runs[A] == 100, "status"] = "FAILED"
    found, shares = shares_of(runs)
    assert (found.how, found.runs) == ("exact", 6)
    assert shares[A] == pytest.approx(0.25 / (0.25 + 2 / 3))


def searched(count=200, noise=0.1):
    rng = np.random.default_rng(0)
    runs = pd.DataFrame({A: 10 ** rng.uniform(-4, 0, count), C: rng.integers(4, 64, count)})
    runs[METRIC] = -((np.log10(runs[A]) + 2) ** 2) + noise * rng.normal(size=count)
    return runs.assign(status="FINISHED")


def test_a_search_is_told_by_a_forest_and_the_same_each_time():
    found, shares = shares_of(searched())
    assert found.how == "forest"
    assert shares[A] > 0.9
    assert shares[C] < 0.05
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    assert found == shares_of(searched())[0]
    assert in_words(found, METRIC, 68).endswith("(by a fitted forest)")


def test_a_grid_with_a_run_missing_is_told_by_a_forest():
    runs = grid(a=[1.0, 2.0, 3.0], b=["sgd", "adam"], seed=range(10))
    runs[METRIC] = runs[A] + (runs[B] == "adam") * 0.5
    found, shares = shares_of(runs.iloc[1:])
    exact = shares_of(runs)[1]
    assert found.how == "forest"
    assert shares[A] == pytest.approx(exact[A], abs=0.05)
    assert shares[B] == pytest.approx(exact[B], abs=0.05)


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (searched(12), "not a full grid, and a fitted forest needs 20 runs with a value, not 12"),
        (
            searched(60).assign(**{METRIC: np.random.default_rng(1).normal(size=60)}),
            "no better than their mean",
        ),
        (searched(30).assign(status="FAILED"), "fewer than two runs have a value"),
    ],
)
def test_what_cannot_be_told_is_said_instead_of_numbers(runs, why):
    found, shares = shares_of(runs)
    assert (found.how, shares) == ("untold", {})
    assert why in found.note
    with pytest.raises(InputError, match="what mattered for kept/val/accuracy cannot be told: "):
        importance_of(runs, [A, C], METRIC)


def test_a_line_has_short_names_and_as_many_shares_as_fit():
    runs = grid(a=[1.0, 2.0], b=["sgd", "adam"], seed=range(3))
    runs[METRIC] = 4 * runs[A] + (runs[B] == "adam") + 0.6 * runs["seed"]
    found, _ = shares_of(runs)
    assert in_words(found, METRIC, 68) == "learning_rate 89 %, optimizer 6 %, seed 5 %"
    assert in_words(found, METRIC, 35) == "learning_rate 89 %, seed 5 %, …"
    runs[METRIC] += np.random.default_rng(0).normal(size=len(runs))
    assert in_words(shares_of(runs)[0], METRIC, 60) == "learning_rate 85 %, seed 6 %, …, the rest 7 %"
    only_seeds = grid(seed=range(5)).assign(**{METRIC: np.arange(5.0)})
    assert in_words(variance_shares(only_seeds, ["seed"], METRIC), METRIC, 68) == ""
    three = grid(a=[1.0, 2.0, 3.0]).assign(**{METRIC: np.arange(3.0)})
    assert in_words(variance_shares(three, [A], METRIC), METRIC, 68) == ""


def test_short_names_are_told_apart():
    names = ["seed", "data.seed", "optimizer.name", "data.name", "model.a.size", "model.b.size"]
    assert list(short_names(names).values()) == ["seed", "data.seed", "optimizer", "data", "a.size", "b.size"]


def test_the_frame_says_how():
    runs = grid(a=[1.0, 2.0], seed=range(2)).assign(**{METRIC: [0.0, 1.0, 2.0, 5.0]})
    frame = importance_of(runs, [A, "seed"], METRIC)
    assert list(frame) == ["of", "share", "kind", "how"]
    assert frame["of"].tolist() == [A, "seed", REST]
    assert frame["how"].unique().tolist() == ["exact"]
