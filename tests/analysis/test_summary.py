import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis import best_run, summarize
from micrograde.analysis.paired_differences import step_of
from micrograde.core.errors import InputError

METRIC = "kept/val/accuracy"
STATISTICS = ["mean", "std", "ci_low", "ci_high"]


run = st.tuples(
    st.sampled_from([0.1, 0.5, None]),
    st.sampled_from(["tanh", "relu", None]),
    st.sampled_from(["FINISHED", "FINISHED", "FAILED", "RUNNING"]),
    st.floats(-100, 100) | st.just(np.nan),
)


def frame(rows):
    runs = pd.DataFrame(rows, columns=["optimizer.learning_rate", "model.activation", "status", "val/loss"])
    runs["optimizer.learning_rate"] = runs["optimizer.learning_rate"].astype("float64")
    runs["model.activation"] = runs["model.activation"].astype("str")
    runs["val/loss"] = runs["val/loss"].astype("float64")
    runs.insert(0, "run_id", [f"id{row}" for row in range(len(runs))])
    return runs


@given(
    rows=st.lists(run, min_size=1, max_size=25),
    by=st.sampled_from([[], ["model.activation"], ["optimizer.learning_rate", "model.activation"]]),
    order=st.sampled_from(["auto", "ascending", "descending"]),
)
def test_a_row_is_what_a_plain_computation_gives_and_the_ids_part_the_runs(rows, by, order):
    runs = frame(rows)
    table = summarize(runs, by, "val/loss", order)
    assert sorted(run_id for ids in table["run_ids"] for run_id in ids) == sorted(runs["run_id"])
    up = order != "descending"
    step = step_of(runs["val/loss"].where(runs["status"] == "FINISHED").to_numpy(float))
    for _, row in table.iterrows():
        group = runs[runs["run_id"].isin(row["run_ids"])]
        for name in by:
            assert group[name].nunique(dropna=False) == 1
            assert group[name].iloc[0] == row[name] or (pd.isna(group[name].iloc[0]) and pd.isna(row[name]))
        finished = group[(group["status"] == "FINISHED") & group["val/loss"].notna()]
        values = finished["val/loss"].to_numpy()
        assert row["count"] == len(values)
        assert row["failed"] == len(group) - len(values)
        expected = np.full(4, np.nan)
        if len(values):
            expected[0] = values.mean()
            best = values.min() if up else values.max()
            assert row["best"] == best
            assert row["best_run_id"] == finished["run_id"][finished["val/loss"] == best].iloc[0]
        else:
            assert np.isnan(row["best"])
            assert pd.isna(row["best_run_id"])
        if len(values) > 1:
            expected[1] = values.std(ddof=1)
            error = max(expected[1], step / 2) / np.sqrt(len(values))
            margin = scipy.stats.t.ppf(0.975, len(values) - 1) * error
            if np.ptp(values):
                expected[2:] = expected[0] - margin, expected[0] + margin
            else:
                expected[1] = 0
        np.testing.assert_allclose(row[STATISTICS].to_numpy(float), expected, rtol=1e-7, atol=1e-7)
    means = table["mean"].dropna()
    assert (means.is_monotonic_increasing if up else means.is_monotonic_decreasing) or len(means) < 2
    assert table["mean"].isna().tolist() == sorted(table["mean"].isna())
    groups = runs.groupby(by, dropna=False).ngroups if by else 1
    assert len(table) == groups


def test_columns_and_their_types():
    table = summarize(frame([(0.1, "tanh", "FINISHED", 1.0)]), ["optimizer.learning_rate"], "val/loss")
    assert list(table) == [
        "optimizer.learning_rate", "count", "failed", *STATISTICS, "best", "best_run_id", "run_ids",
    ]  # fmt: skip
    assert table["count"].dtype == table["failed"].dtype == np.int64
    assert table["run_ids"][0] == ["id0"]
    assert summarize(frame([]), ["model.activation"], "val/loss").empty
    assert list(summarize(frame([]), [], "val/loss"))[:2] == ["count", "failed"]


def test_an_infinite_value_spoils_its_own_group_alone():
    rows = [(0.1, "tanh", "FINISHED", np.inf), (0.1, "tanh", "FINISHED", 1.0), (0.5, "tanh", "FINISHED", 2.0)]
    table = summarize(frame(rows), ["optimizer.learning_rate"], "val/loss")
    assert list(table["mean"]) == [2.0, np.inf]
    assert list(table["best"]) == [2.0, 1.0]


def test_names_that_no_run_has():
    runs = frame([(0.1, "tanh", "FINISHED", 1.0)])
    with pytest.raises(InputError, match="by=seed: no run has it"):
        summarize(runs, ["seed"], "val/loss")
    with pytest.raises(InputError, match="metric=val/speed: no run has it; there are val/loss"):
        summarize(runs, [], "val/speed")


def test_the_best_run_has_finished():
    runs = frame(
        [(0.1, "tanh", "FAILED", 0.0), (0.1, "tanh", "FINISHED", 2.0), (0.1, "relu", "FINISHED", 1.0)]
    )
    assert best_run(runs, "val/loss") == "id2"
    assert best_run(runs, "val/loss", "descending") == "id1"
    assert best_run(runs[:1], "val/loss") is None
    assert best_run(runs, "val/accuracy") is None


def repeated(overrides, values):
    """Runs of one setting; each column of ``overrides`` says how they repeat it."""
    frame = pd.DataFrame({**overrides, METRIC: values})
    return frame.assign(run_id=[f"{row:032x}" for row in range(len(frame))], status="FINISHED", rate=0.1)


def half(runs):
    row = summarize(runs, ["rate"], METRIC).iloc[0]
    assert row["mean"] == pytest.approx(np.mean(runs[METRIC]))
    return (row["ci_high"] - row["ci_low"]) / 2


def test_the_interval_of_folds_has_the_variance_of_overlapping_training_sets():
    values = np.random.default_rng(0).normal(size=12)
    folds = {"data.repeat": np.repeat(range(3), 4), "data.fold": np.tile(range(4), 3)}
    runs = repeated(folds, values).assign(**{"data.folds": 4, "data.validation_fraction": 0.1})
    overlap = (0.1 * 0.75) / (0.9 * 0.75)  # rows of the validation part for each of training
    expected = scipy.stats.t.ppf(0.975, 11) * values.std(ddof=1) * np.sqrt(1 / 12 + overlap)
    assert half(runs) == pytest.approx(expected)


def test_of_several_seeds_on_each_split_the_mean_of_a_split_is_one_observation():
    values = np.random.default_rng(0).normal(size=12)
    runs = repeated({"seed": np.tile(range(3), 4), "data.seed": np.repeat(range(4), 3)}, values)
    drawn_anew = runs.assign(**{"data.samples": 100})
    means = values.reshape(4, 3).mean(axis=1)
    assert half(drawn_anew) == pytest.approx(scipy.stats.t.ppf(0.975, 3) * means.std(ddof=1) / 2)
    assert half(runs.assign(**{"data.validation_fraction": 0.2})) > half(drawn_anew)
    one = runs[runs["data.seed"] == 2]
    assert half(one) == pytest.approx(scipy.stats.t.ppf(0.975, 2) * values[6:9].std(ddof=1) / np.sqrt(3))
    other = pd.concat([one, runs[runs["data.seed"] != 2].assign(rate=0.2)])
    assert half(other[other["rate"] == 0.1]) == half(one)
    table = summarize(other, ["rate"], METRIC).set_index("rate")
    assert (table["ci_high"] - table["ci_low"])[0.1] / 2 == pytest.approx(half(one))


def test_runs_that_are_all_alike_have_no_deviation_and_no_interval():
    """Also where the mean of equal numbers is rounded, as that of six times 0.1 is."""
    assert np.mean([0.1] * 6) != 0.1
    row = summarize(repeated({"seed": range(6)}, [0.1] * 6), ["rate"], METRIC).iloc[0]
    assert (row["mean"], row["std"]) == (0.1, 0)
    assert np.isnan([row["ci_low"], row["ci_high"]]).all()


@pytest.mark.parametrize(("seeds", "off"), [(20, 1), (20, 2), (10, 1), (4, 1), (20, 7)])
def test_where_few_runs_are_a_row_off_the_deviation_counts_for_half_a_row(seeds, off):
    values = np.full(seeds, 53 / 60)
    values[:off] = 52 / 60
    deviation = max(values.std(ddof=1), 1 / 120)
    expected = scipy.stats.t.ppf(0.975, seeds - 1) * deviation / np.sqrt(seeds)
    assert half(repeated({"seed": range(seeds)}, values)) == pytest.approx(expected)
    # a mean over two seeds of a split comes in steps half as large
    splits = {"seed": np.tile(range(2), seeds), "data.seed": np.repeat(range(seeds), 2)}
    means = (values + 53 / 60) / 2
    deviation = max(means.std(ddof=1), 1 / 240)
    expected = scipy.stats.t.ppf(0.975, seeds - 1) * deviation / np.sqrt(seeds)
    pairs = np.column_stack([values, np.full(seeds, 53 / 60)]).ravel()
    assert half(repeated(splits, pairs).assign(**{"data.samples": 100})) == pytest.approx(expected)
