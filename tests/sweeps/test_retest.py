"""The best settings of a sweep on seeds that took no part, and that nothing of the sweep counts them."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from benchmarks.retest import read_table, search
from omegaconf import OmegaConf

import micrograde as mg
from micrograde.analysis import (
    best_setting,
    compare_settings,
    group_over_seeds,
    load_history,
    load_retest,
    load_runs,
    load_sweeps,
    summarize,
)
from micrograde.analysis.repeats import split_retests
from micrograde.core.errors import InputError
from micrograde.runs.replaying import replay_run
from micrograde.store import find_sweep, load_run, local_store, tags
from micrograde.store.backends.local import LocalTracking
from micrograde.sweeps.retest import fresh_seeds

TEST = "kept/test/accuracy"
SWEPT = ("optimizer.learning_rate=0.01,0.5,1", "seed=3,4")
RETEST = ("sweep.retest=4", "sweep.retest_settings=2")


def moons(*overrides):
    return mg.sweep("data=moons", "training.num_epochs=2", "data.samples=80", *overrides)


def test_the_best_settings_are_run_again_and_nothing_else_of_the_sweep_changes(home, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    uri = local_store(home).tracking_uri
    before = moons(*SWEPT)
    first = capsys.readouterr().out
    assert "\nretest " not in first
    with pytest.raises(
        InputError, match=r"no runs on fresh seeds; give its command again with sweep.retest=20"
    ):
        before.retest()

    after = moons(*SWEPT, *RETEST)
    said = capsys.readouterr().out
    assert after.run_id == before.run_id
    assert "finished    6 of 6 runs, 6 of them from before" in said
    assert "retest      8 runs: 2 settings × 4 fresh seeds" in said
    # no ranking, mean, share, history or count has changed
    pd.testing.assert_frame_equal(after.runs, before.runs)
    pd.testing.assert_frame_equal(after.over_seeds(), before.over_seeds())
    pd.testing.assert_frame_equal(after.importance(), before.importance())
    assert set(load_history(uri, sweep="latest")["run_id"]) == set(before.runs["run_id"])
    assert load_sweeps(uri)["runs"].tolist() == [6]
    assert not load_history(uri)["run_id"].isin(before.runs["run_id"]).all()
    for line in first.splitlines():
        assert not line.startswith(("best ", "mattered ")) or line in said

    own, retests = split_retests(load_runs(uri, sweep="latest", retests=True))
    assert set(own["run_id"]) == set(before.runs["run_id"])
    assert len(load_runs(uri)) == 14
    # nor are they counted where the runs of a whole store are, or picked, unless they alone were asked for
    read, sweep_runs = load_runs(uri), load_runs(uri, sweep="latest")
    by = ["optimizer.learning_rate"]
    pd.testing.assert_frame_equal(group_over_seeds(read, TEST), group_over_seeds(sweep_runs, TEST))
    pd.testing.assert_frame_equal(compare_settings(read, TEST), compare_settings(sweep_runs, TEST))
    pd.testing.assert_frame_equal(summarize(read, by, TEST), summarize(sweep_runs, by, TEST))
    ours, theirs = best_setting(read, TEST), best_setting(sweep_runs, TEST)
    assert ours
    assert theirs
    assert ours.run_ids == theirs.run_ids
    assert summarize(read[read["tags.micrograde.retest"] == "true"], by, TEST)["count"].tolist() == [4, 4]
    assert summarize(read, ["tags.micrograde.retest"], TEST)["count"].sum() == 14
    assert sorted(retests["seed"].unique()) == [5, 6, 7, 8]
    assert (retests["parent_run_id"] == after.run_id).all()
    best = before.over_seeds()["optimizer.learning_rate"].tolist()[:2]
    assert set(retests["optimizer.learning_rate"]) == set(best)

    table = load_retest(uri)
    assert table["optimizer.learning_rate"].tolist() == best
    for row in table.to_dict("records"):
        here = retests["optimizer.learning_rate"] == row["optimizer.learning_rate"]
        values = retests.loc[here, TEST].to_numpy()
        margin = scipy.stats.t.ppf(0.975, 3) * values.std(ddof=1) / 2 if np.ptp(values) else np.nan
        assert (row["metric"], row["count"], row["failed"]) == (TEST, 4, 0)
        assert row["mean"] == pytest.approx(values.mean())
        assert row["ci_high"] - row["mean"] == pytest.approx(margin, nan_ok=True)
        mine = own[own["optimizer.learning_rate"] == row["optimizer.learning_rate"]]
        assert row["sweep_mean"] == pytest.approx(mine[TEST].mean())
        assert row["winner"] in mine[TEST].tolist()
    winner = load_run(uri, before.best.run_id)
    line = f"retest      {TEST} {table['mean'][0]:.4f} ± {table['mean'][0] - table['ci_low'][0]:.4f} (4 fresh seeds)"
    assert f"{line}; the run that ranked best had {winner.history[TEST][0]:.4f}" in said

    parent = load_run(uri, after.run_id)
    named = f"retest/{TEST}"
    assert parent.history[f"{named}/mean"][0] == pytest.approx(table["mean"][0])
    assert parent.history[f"{named}/winner"][0] == winner.history[TEST][0]
    assert "**Retested**" in parent.tags[tags.DESCRIPTION]
    assert parent.tags[tags.BEST_RUN_ID] == before.best.run_id
    (file,) = (home / "mlruns").rglob("retest.csv")
    assert pd.read_csv(file)["mean"].to_numpy() == pytest.approx(table["mean"].to_numpy())

    # The same command finds them; a retest is a run as any other, and is the run alone, bit for bit.
    again = moons(*SWEPT, *RETEST)
    said = capsys.readouterr().out
    assert "retest      8 runs" not in said
    assert line in said
    assert len(load_runs(uri)) == 14
    pd.testing.assert_frame_equal(again.retest(), table)
    monkeypatch.chdir(home)
    assert replay_run(retests["run_id"][0], LocalTracking()).identical


def test_without_a_test_part_nothing_is_run_and_it_is_said(home, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    sweep = moons("seed=1,2", "data.test_fraction=0", "sweep.retest=2")
    said = capsys.readouterr().out
    assert "retest      not done: no run has the metric kept/val/accuracy on a test part" in said
    assert len(load_runs(local_store(home).tracking_uri)) == len(sweep.runs) == 2


def test_where_runs_are_not_kept_it_is_refused_before_anything_is_trained(home, monkeypatch):
    from hydra import compose, initialize_config_dir
    from tests.sweeps.test_session import CONF

    from micrograde.config.entries import offer_entries
    from micrograde.config.hydra_versions import BEHAVIOUR
    from micrograde.sweeps.opening import open_sweep

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    offer_entries()
    with initialize_config_dir(str(CONF), **BEHAVIOUR):
        for typed, why in (
            (
                ["tracking=disabled", "sweep.retest=2"],
                "sweep.retest=2: reads the runs back, and tracking=disabled",
            ),
            (["sweep.retest=99999"], "may make 299997 runs with sweep.retest_settings=3; at most 100000"),
        ):
            master = compose("train", typed, return_hydra_config=True)
            OmegaConf.set_struct(master, False)
            with pytest.raises(InputError, match=why):
                open_sweep(master)


def test_an_interrupt_of_the_sweep_leaves_the_retest_to_the_next_launch(home, monkeypatch, capsys):
    from micrograde.sweeps.session import SweepSession

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    train = SweepSession.run

    def interrupted(self, jobs):
        found = train(self, jobs)
        self.closing.set()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(SweepSession, "run", interrupted)
        moons("seed=1,2", "sweep.retest=3")
    assert "retest      not done: the sweep was stopped" in capsys.readouterr().out
    sweep = moons("seed=1,2", "sweep.retest=3")
    assert sweep.retest()["count"].tolist() == [3]
    assert find_sweep(local_store(home).tracking_uri, "latest").status == "FINISHED"


def runs(**columns):
    return pd.DataFrame(columns)


def test_fresh_seeds_go_on_after_the_largest():
    assert fresh_seeds(runs(seed=[3, 9, 0]), ["seed"], 2) == [{"seed": 10}, {"seed": 11}]
    splits = runs(**{"seed": [0, 0], "data.seed": [1, 4]})
    assert fresh_seeds(splits, ["data.seed"], 2) == [
        {"seed": 1, "data.seed": 5},
        {"seed": 2, "data.seed": 6},
    ]


def test_of_folds_the_fresh_runs_are_those_of_repeats_that_took_no_part():
    folds = runs(**{"seed": [0] * 3, "data.folds": [3] * 3, "data.fold": [0, 1, 2], "data.repeat": [0] * 3})
    fresh = fresh_seeds(folds, ["data.fold"], 4)
    assert [(each["data.repeat"], each["data.fold"]) for each in fresh] == [(1, 0), (1, 1), (1, 2), (2, 0)]
    assert [each["seed"] for each in fresh] == [1, 2, 3, 4]


def test_seeds_too_large_to_be_told_apart_are_refused():
    with pytest.raises(InputError, match="fresh ones end at"):
        fresh_seeds(runs(seed=[2.0**60]), ["seed"], 1)
    assert fresh_seeds(runs(seed=[np.nan, 2.0]), ["seed"], 1) == [{"seed": 3}]


def test_the_interval_of_a_retest_holds_the_mean_over_a_thousand_more_seeds():
    known = read_table()
    found = [search(known, number) for number in range(20)]
    assert sum(each.holds for each in found) >= 18  # ``python -m benchmarks.retest`` asks 200 searches
    assert len({each.truth for each in found}) > 10
