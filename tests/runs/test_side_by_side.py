"""Two runs side by side: only what differs, what they came to, and how they got there."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.drawing.test_run_curves import curves_of
from tests.narrowing import not_none, of_type
from tests.security.test_hostile_names import check_svg
from tests.stored_runs import add_run, new_store

from micrograde.core.errors import InputError
from micrograde.runs.side_by_side import compare_runs, picture_path, told_apart

PARAMS = {"optimizer.learning_rate": "0.1", "seed": "0", "model.hidden_size": "[8, 8]"}
ENVIRONMENT = "python 3.11.7, numpy 2.3.1, blas openblas, cpu Alpha"
TAGS = {
    "micrograde.config_digest": "c0",
    "micrograde.data_digest": "d" * 64,
    "micrograde.version": "0.2.0",
    "micrograde.environment": ENVIRONMENT,
    "mlflow.source.git.commit": "a" * 40,
    "micrograde.git_dirty": "false",
}


class Store:
    def __init__(self, client, uri, experiment):
        self.client, self.uri, self.experiment = client, uri, experiment

    def add(self, name, params=PARAMS, tags=TAGS, status="FINISHED", epochs=3, scale=1.0, **options):
        from mlflow.entities import Metric

        run = add_run(self.client, self.experiment, name, params, {}, "RUNNING", tags, **options)
        points = [
            Metric(metric, scale * value / epoch, 1000 * epoch, epoch)
            for epoch in range(1, epochs + 1)
            for metric, value in (
                ("val/loss", 1.0),
                ("val/accuracy", 0.6),
                ("train/loss", 2.0),
                ("gradient/x", 7.0),
            )
        ]
        self.client.log_batch(run, metrics=points)
        if status != "RUNNING":
            self.client.set_terminated(run, status, end_time=1_700_000_009_000)
        return run


@pytest.fixture(scope="module")
def store(empty_store, tmp_path_factory):
    client, uri, (experiment, _) = new_store(empty_store, tmp_path_factory.mktemp("side"), "digits", "other")
    return Store(client, uri, experiment)


@pytest.fixture(scope="module")
def first(store):
    return store.add("first", start=1)


def rows(comparison):
    return {key: tuple(row) for key, row in comparison.differences.iterrows()}


def values_of(table, key):
    """The values of the one row of this name."""
    return of_type(pd.Series, table.loc[key]).tolist()


def test_only_what_differs(store, first):
    second = store.add("second", {**PARAMS, "seed": "1", "data.noise": "0.2"}, scale=2.0, start=2)
    found = compare_runs(store.uri, [first, second])
    assert list(found.differences) == list(found.metrics)[:2] == [first[:8], second[:8]]
    told = rows(found)
    assert {key: told[key] for key in ("run_name", "seed")} == {
        "run_name": ("first", "second"),
        "seed": ("0", "1"),
    }
    assert told["data.noise"][1] == "0.2"
    assert values_of(found.differences.isna(), "data.noise") == [True, False]
    assert set(told) == {"run_name", "seed", "data.noise"} | {key for key in told if key == "duration"}
    assert re.match(r"2 runs: 2 params differ, \d+ are the same", found.title)  # with keys that came later
    assert found.notes == []


def test_last_values_and_their_difference(store, first):
    second = store.add("twice", scale=2.0, start=3)
    found = compare_runs(store.uri, [first, second])
    kept, others = found.metrics.index[:2], found.metrics.index[2:]
    assert list(kept) == ["kept/val/accuracy", "kept/val/loss"]  # known, though not recorded then
    assert list(others) == ["gradient/x", "kept/epoch", "train/loss", "val/accuracy", "val/loss"]
    assert values_of(found.metrics, "val/loss") == pytest.approx([1 / 3, 2 / 3, 1 / 3])
    shown = found.readable_metrics().set_index("metric")
    assert values_of(shown, "val/accuracy") == ["0.2000", "0.4000", "+0.2000"]
    other_way = compare_runs(store.uri, [second, first]).readable_metrics().set_index("metric")
    assert values_of(other_way, "val/accuracy") == ["0.4000", "0.2000", "-0.2000"]
    again = store.add("again", start=4)
    assert set(compare_runs(store.uri, [first, again]).readable_metrics()["difference"]) == {"0"}


def test_their_curves_are_drawn(store, first):
    second = store.add("longer", epochs=9, start=5)
    found = compare_runs(store.uri, [first, second], metric="gradient/x")
    words = check_svg(not_none(found.curves).text)
    assert f"{first[:8]}  first" in words
    metrics = ("gradient/x", "val/accuracy", "val/loss", "train/loss")
    assert list(curves_of(found.curves)) == [
        f"{run[:8]}  {name}: {m}" for m in metrics for run, name in ((first, "first"), (second, "longer"))
    ]
    assert found.metrics.index[0] == "gradient/x"
    assert rows(found)["epochs"] == ("3", "9")


def test_data_code_and_machine_are_told_if_they_differ(store, first):
    elsewhere = {
        **TAGS,
        "micrograde.data_digest": "e" * 64,
        "micrograde.version": "0.1.0",
        "micrograde.environment": ENVIRONMENT.replace("Alpha", "Beta"),
        "mlflow.source.git.commit": "b" * 40,
        "micrograde.git_dirty": "true",
        "team": "blue",
        "micrograde.note": "why",
    }
    told = rows(compare_runs(store.uri, [first, store.add("first", tags=elsewhere, start=6)]))
    expected = {
        "data digest": ("d" * 12, "e" * 12),
        "micrograde": ("0.2.0", "0.1.0"),
        "commit": ("a" * 12, "b" * 12),
        "cpu": ("Alpha", "Beta"),
        "uncommitted changes": ("no", "yes"),
    }
    assert {key: told[key] for key in expected} == expected
    assert told["tags.team"][1] == "blue"
    assert told["note"][1] == "why"
    assert not {"python", "numpy", "blas", "seed"} & set(told)


def test_changes_that_were_not_committed_are_told_though_the_commit_is_the_same(store):
    dirty = {**TAGS, "micrograde.git_dirty": "true"}
    runs = [store.add("dirty", tags=dirty, start=start) for start in (7, 8)]
    assert any("not committed" in note for note in compare_runs(store.uri, runs).notes)


def test_a_recipe_of_version_0_1_differs_in_nothing_that_came_later(store, first):
    later = store.add("later", {**PARAMS, "recipe_version": "1"}, start=9)
    assert "recipe_version" not in rows(compare_runs(store.uri, [first, later]))
    future = store.add("future", {**PARAMS, "recipe_version": "999"}, start=10)
    assert rows(compare_runs(store.uri, [first, future]))["recipe_version"][1] == "999"


@pytest.mark.parametrize("status", ["KILLED", "FAILED", "RUNNING"])
def test_runs_that_did_not_finish(store, first, status):
    tags = {**TAGS, "micrograde.reason": "the loss is nan"}
    other = store.add("odd", tags=tags, status=status, epochs=2, start=11)
    found = compare_runs(store.uri, [first, other])
    assert rows(found)["status"] == ("FINISHED", status)
    (note,) = found.notes
    assert note.startswith(f"{other[:8]} is {'going on' if status == 'RUNNING' else status}")
    assert "2" in note


def test_runs_without_a_value(store, first):
    bare = [store.add(name, {}, {}, "FAILED", epochs=0, start=12) for name in ("bare", "naked")]
    nothing = compare_runs(store.uri, bare)
    assert nothing.curves is None
    assert nothing.metrics.empty
    assert nothing.readable_metrics().empty
    repr(nothing)
    nothing._repr_html_()
    half = compare_runs(store.uri, [first, bare[0]])
    assert math.isnan(half.metrics.loc["val/loss", bare[0][:8]])
    assert values_of(half.readable_metrics().set_index("metric"), "val/loss")[1:] == ["-", "-"]


def test_values_that_are_not_finite(store):
    huge = store.add("huge", scale=math.inf, start=13)
    other = store.add("also huge", scale=math.inf, start=14)
    found = compare_runs(store.uri, [huge, other])
    assert values_of(found.metrics, "val/loss")[:2] == [math.inf, math.inf]
    differences = found.readable_metrics().set_index("metric")["difference"]
    assert set(differences.drop("kept/epoch")) == {"-"}
    check_svg(not_none(found.curves).text)


def test_more_than_two_have_no_difference(store, first):
    others = [store.add(f"other {number}", start=20 + number) for number in range(7)]
    found = compare_runs(store.uri, [first, *others[:6]])
    assert list(found.metrics) == [run[:8] for run in (first, *others[:6])]
    with pytest.raises(InputError, match="at most 7 runs go side by side"):
        compare_runs(store.uri, [first, *others])


def test_what_cannot_be_compared(store, first):
    latest = store.add("latest", start=10**6)
    for runs, line in (
        ([first], "is one run; name another beside it"),
        ([first, first], f"{first} twice: is one run"),
        ([first, first[:8]], f"{first} and {first[:8]}: is one run, {first}"),
        (["latest", latest], "is one run"),
        ([first, "0" * 32], "0" * 32 + ": there is no such run"),
        ([first, "nonsense"], "nonsense: is no run id"),
    ):
        with pytest.raises(InputError, match=line):
            compare_runs(store.uri, runs)
    with pytest.raises(
        InputError, match="metric=val/f1: none of the runs has it; there are gradient/x, train/loss"
    ):
        compare_runs(store.uri, [first, latest], "val/f1")
    assert compare_runs(store.uri, [first, "latest"]).runs[1].about.run_id == latest


def test_a_sweep_means_its_best_run(store, first):
    best = store.add("best", start=30)
    tags = {"micrograde.sweep_digest": "s", "micrograde.best_run_id": best}
    sweep = add_run(store.client, store.experiment, "sweep", {}, {}, tags=tags, start=31)
    for named in (sweep, sweep[:8]):
        assert compare_runs(store.uri, [first, named]).runs[1].about.run_id == best
    empty = add_run(
        store.client, store.experiment, "empty", {}, {}, tags={"micrograde.sweep_digest": "t"}, start=32
    )
    with pytest.raises(InputError, match=f"{empty}: is a sweep that has no best run"):
        compare_runs(store.uri, [first, empty])


def test_hostile_names_are_text(store, first):
    hostile = store.add("<script>alert(1)</script>\x1b[31m", {"b": "<i>"}, {"u": "<s>"}, start=40)
    found = compare_runs(store.uri, [first, hostile])
    check_svg(not_none(found.curves).text)
    html = found._repr_html_()
    for tag in ("<script>", "<i>", "<s>"):
        assert tag not in html
    hostile_id = replace(found.runs[1], about=found.runs[1].about._replace(run_id="../../evil"))
    path = picture_path(Path("/home"), [found.runs[0], hostile_id])
    assert path.resolve().parent == Path("/home/mlruns/reports").resolve()


def test_both_tables_can_be_written_as_one(store, first):
    second = store.add("second", {**PARAMS, "seed": "1"}, start=41)
    table = compare_runs(store.uri, [first, second]).table()
    assert list(table) == ["what", "key", first[:8], second[:8], "difference"]
    assert values_of(table.set_index("key")[[first[:8], second[:8]]], "seed") == ["0", "1"]
    assert table.set_index("key").loc["val/loss", first[:8]] == repr(1 / 3)


def test_long_values_are_shown_from_where_they_differ():
    path = "/data/" + "x" * 4000
    one, other = told_apart([f"{path}/a.csv", f"{path}/b.csv"], 40, "…")
    assert one != other
    assert len(one) <= 40
    assert one.endswith("/a.csv")
    assert told_apart(["0.1", "0.2"], 40, "…") == ["0.1", "0.2"]
    assert told_apart(["short", "x" * 100], 40, "…") == ["short", "x" * 100]
