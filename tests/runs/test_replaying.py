"""Replay: what is stored and what comes out again, compared value by value."""

import math
import shutil
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.narrowing import not_none
from tests.records import stored_run

from micrograde.core.errors import InputError
from micrograde.runs import replaying
from micrograde.runs.replaying import MetricComparison, Replay, compare_histories, replay_run
from micrograde.store import tags
from micrograde.store.backends.local import LocalTracking
from micrograde.store.records import LARGEST

HERE = LocalTracking()

# --- comparing ------------------------------------------------------------------------------------

values = st.floats() | st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, LARGEST, 5e-324])
steps = st.dictionaries(st.integers(0, 5), values, min_size=1, max_size=4)
histories = st.dictionaries(st.sampled_from(["train/loss", "val/loss", "ü\n"]), steps, max_size=3)


def as_stored(history):
    """As MLflow keeps it: the largest number for infinity."""
    kept = {math.inf: LARGEST, -math.inf: -LARGEST}
    return {
        metric: {step: kept.get(value, value) for step, value in reversed(of_steps.items())}
        for metric, of_steps in history.items()
    }


def values_of(history):
    return {(metric, step): value for metric, of_steps in history.items() for step, value in of_steps.items()}


def bits(value):
    return "nan" if math.isnan(value) else struct.pack("d", value + 0.0)  # 0.0 and -0.0 are the same number


@given(histories)
def test_a_history_is_identical_with_itself_as_the_store_keeps_it(history):
    compared = compare_histories(as_stored(history), history)
    assert [each.metric for each in compared] == list(history)
    for each in compared:
        assert (each.values, each.different, each.first) == (len(history[each.metric]), 0, None)
        assert each.line().endswith(" identical")


@given(histories, histories)
def test_different_are_just_the_values_that_differ(stored, replayed):
    stored = {metric: stored.get(metric, {0: 0.5}) for metric in {**stored, **replayed}}
    compared = compare_histories(stored, replayed)
    before, after = values_of(stored), values_of(replayed)
    differ = {
        place
        for place in {*before, *after}
        if place not in before or place not in after
        or bits(before[place]) not in (bits(after[place]), bits(math.copysign(min(abs(after[place]), LARGEST), after[place])))
    }  # fmt: skip
    assert sum(each.values for each in compared) == len({*before, *after})
    assert sum(each.different for each in compared) == len(differ)
    assert {each.metric for each in compared} == {*stored}
    for each in compared:
        of_metric = sorted(step for metric, step in differ if metric == each.metric)
        assert each.different == len(of_metric)
        if of_metric:
            step = of_metric[0]
            place = (each.metric, step)
            assert repr(each.first) == repr((step, before.get(place), after.get(place)))
        else:
            assert each.first is None


@given(histories.filter(values_of), st.data())
def test_a_single_bit_of_any_value_is_found(history, data):
    metric, step = data.draw(st.sampled_from(sorted(values_of(history))))
    value = history[metric][step]
    other = math.nextafter(value, data.draw(st.sampled_from([math.inf, -math.inf])))
    if math.isnan(value) or math.isinf(value) or math.isinf(other) or other == value:
        other = 0.125
    stored = {name: dict(of_steps) for name, of_steps in history.items()}
    stored[metric][step] = other
    (found,) = [each for each in compare_histories(stored, history) if each.different]
    assert (found.metric, found.different, not_none(found.first)[0]) == (metric, 1, step)


def test_a_value_that_one_side_lacks_is_a_difference():
    both = {1: 0.5, 2: 0.25}
    for stored, replayed, first in (
        ({"loss": both}, {"loss": {1: 0.5}}, (2, 0.25, None)),
        ({"loss": {1: 0.5}}, {"loss": both}, (2, None, 0.25)),
        ({"loss": both}, {}, (1, 0.5, None)),
    ):
        (found,) = compare_histories(stored, replayed)
        assert found.first == first
        assert " none" in found.line()


@given(histories, histories)
def test_what_was_not_recorded_then_is_no_difference_and_is_said(stored, replayed):
    replayed = {metric: of_steps for metric, of_steps in replayed.items() if metric not in stored}
    stored_alone = compare_histories(as_stored(stored), stored)
    compared = compare_histories(as_stored(stored), {**stored, **replayed})
    assert [each for each in compared if each.metric in stored] == stored_alone
    for each in compared:
        assert each.different == 0
        assert each.line().endswith(" identical" if each.metric in stored else " not recorded then")


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (
            (3, 0.1, 0.1 + 2**-56),
            "at step 3 0.10000000000000002, stored 0.10000000000000001, relative 1.4e-16",
        ),
        ((3, 0.0, 1e-300), "at step 3 1e-300, stored 0"),
        ((3, 2.0, math.nan), "at step 3 nan, stored 2, relative nan"),
        ((0, None, 2.5), "at step 0 2.5, stored none"),
        ((0, -2.5, None), "at step 0 none, stored -2.5"),
    ],
)
def test_a_difference_is_told_with_all_its_digits(first, text):
    line = MetricComparison("val/loss", 50, 7, first).line()
    assert line.startswith("val/loss ")
    assert line.endswith(f"50 values  7 differ: {text}")


def test_a_replay_is_identical_if_every_metric_is():
    same, other = MetricComparison("a", 3, 0, None), MetricComparison("b", 3, 1, (1, 0.5, 0.25))
    assert Replay(stored_run(), [same, same], ["numpy 3, was 2"]).identical
    assert not Replay(stored_run(), [same, other], []).identical


# --- a recorded run -------------------------------------------------------------------------------


@pytest.fixture
def home(recorded, monkeypatch):
    """What is recorded, to be read only."""
    monkeypatch.setenv("MICROGRADE_HOME", str(recorded.home))
    monkeypatch.chdir(recorded.folder)
    return recorded


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_comes_out_again_and_nothing_is_written(home):
    before = files(home.home)
    replay = replay_run(home.finished[:8], HERE)
    assert replay.run.about.run_id == home.finished
    assert replay.identical
    assert {"train/loss", "val/accuracy", "test/loss", "within/gradient_check/max_relative_error"} <= {
        each.metric for each in replay.metrics
    }
    assert {each.metric: each.values for each in replay.metrics}["train/loss"] == 20
    assert sum(each.values for each in replay.metrics) == len(values_of(replay.run.history))
    assert files(home.home) == before


def test_one_that_was_stopped_is_stopped_again(home):
    replay = replay_run(home.killed, HERE)
    assert replay.identical
    assert {each.metric: each.values for each in replay.metrics}["train/loss"] == 4


def test_a_value_that_was_changed_is_found(records):
    change = "update metrics set value = value + 1e-15 where run_uuid = ? and key = 'val/loss' and step = 2"
    records.execute(change, records.killed)
    records.execute(
        "delete from metrics where run_uuid = ? and key = 'val/accuracy' and step = 3", records.killed
    )
    replay = replay_run(records.killed, HERE)
    assert not replay.identical
    found = {
        each.metric: (each.different, not_none(each.first)[0]) for each in replay.metrics if each.different
    }
    assert found == {"val/loss": (1, 2), "val/accuracy": (1, 3)}


def test_what_has_changed_is_said(records, tmp_path, monkeypatch):
    shutil.copy("trees.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    lines = (tmp_path / "trees.csv").read_text().splitlines()
    (tmp_path / "trees.csv").write_text("\n".join(lines[:-1]))
    replay = replay_run(records.finished, HERE)
    assert not replay.identical
    digest = replay.run.tags[tags.DATA_DIGEST][:12]
    (line,) = [line for line in replay.differences if line.startswith("data digest ")]
    assert line.endswith(f", was {digest}")
    assert digest not in line.partition(",")[0]


NOW = {
    tags.VERSION: "2.0",
    tags.GIT_COMMIT: "b" * 40,
    tags.GIT_DIRTY: "false",
    tags.ENVIRONMENT: "python 3.13.0, numpy 3.0, blas openblas 1 Haswell, cpu Some Processor",
}


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({}, []),
        ({tags.VERSION: "0.1.0"}, ["micrograde 2.0, was 0.1.0"]),
        ({tags.GIT_COMMIT: "a" * 40}, [f"commit {'b' * 40}, was {'a' * 40}"]),
        ({tags.GIT_DIRTY: "true"}, ["the working tree had changes that were not committed (then)"]),
        (
            {tags.ENVIRONMENT: "python 3.13.0, numpy 2.0, blas openblas 1 SkylakeX, cpu Some Processor"},
            ["numpy 3.0, was 2.0", "blas openblas 1 Haswell, was openblas 1 SkylakeX"],
        ),
        (
            {tags.ENVIRONMENT: "nonsense"},
            [f"{part}, was unknown" for part in NOW[tags.ENVIRONMENT].split(", ")],
        ),
    ],
    ids=["nothing", "version", "commit", "dirty", "libraries", "unreadable"],
)
def test_what_was_otherwise_then_is_a_line_each(records, monkeypatch, changed, lines):
    monkeypatch.setattr(replaying, "present_provenance", lambda: NOW)
    for key, value in {**NOW, **changed}.items():
        records.tag(records.killed, key, value)
    assert list(replay_run(records.killed, HERE).differences) == lines


def test_what_was_not_written_down_is_unknown(records, monkeypatch):
    monkeypatch.setattr(replaying, "present_provenance", lambda: {**NOW, tags.GIT_DIRTY: "true"})
    records.execute(
        "delete from tags where run_uuid = ? and key in (?, ?)", records.killed, tags.GIT_COMMIT, tags.VERSION
    )
    differences = replay_run(records.killed, HERE).differences
    assert "micrograde 2.0, was unknown" in differences
    assert f"commit {'b' * 40}, was unknown" in differences
    assert "the working tree had changes that were not committed (now)" in differences


def refusal(*arguments):
    with pytest.raises(InputError) as error:
        replay_run(*arguments)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_what_cannot_be_replayed_is_a_line(records):
    assert refusal("abc", HERE).startswith("run_id=abc: is no run id")
    records.tag(records.killed, tags.SWEEP_DIGEST, "d")
    assert refusal(records.killed, HERE) == f"run_id={records.killed}: is a sweep; replay one of its runs"
    records.set_status(records.finished, "RUNNING")
    records.execute("delete from tags where key like 'micrograde.process%' or key = ?", tags.LAUNCH)
    assert "is going on" in refusal(records.finished, HERE)


def test_data_that_are_elsewhere_can_be_given(home, tmp_path, monkeypatch):
    shutil.copy("trees.csv", tmp_path / "moved.csv")
    monkeypatch.chdir(tmp_path)
    assert "trees.csv: there is no such file" in refusal(home.finished, HERE)
    assert replay_run(home.finished, HERE, {"path": "moved.csv"}).identical
