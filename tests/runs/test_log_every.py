"""``training.log_every``: values of single steps, recorded beside those of epochs, once each, and again."""

import numpy as np
import pandas as pd
import pytest
from tests.narrowing import not_none
from tests.recipes import with_keys
from tests.records import Records, Unwatched

import micrograde as mg
from micrograde.analysis import load_history, load_runs
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig, config_digest
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.metrics import formatted, lower_is_better
from micrograde.runs.building import replica_bytes, stack_key
from micrograde.runs.live_run import RunRequest
from micrograde.runs.replaying import replay_run
from micrograde.runs.resuming import resumed_run
from micrograde.runs.side_by_side import compare_runs
from micrograde.runs.train import PreparedSets, open_recorder, train_and_record, train_runs
from micrograde.store import load_run, tags
from micrograde.store.backends.local import LocalTracking
from micrograde.store.metric_names import plain_name, recorded_name


def config(**changes: object) -> TrainConfig:
    container = {
        "recipe_version": RECIPE_VERSION,
        "data": {"name": "moons", "samples": 100},
        "model": {"hidden_size": 4},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 5, "batch_size": 16, "log_every": 2},  # five steps an epoch
        "tracking": {"name": "disabled"},
        "experiment_name": "unit",
    }
    return parse_train_config(
        with_keys(container, {key.replace("__", "."): value for key, value in changes.items()})
    )


RECORDED = {"tracking": {"name": "local", "pictures": "light"}}


def stopped(asked: TrainConfig, epochs: int) -> str:
    with open_recorder(asked.tracking, None) as recorder:
        train_runs(
            [RunRequest(asked, "stopped")], recorder, PreparedSets(), Unwatched(),
            cancel=lambda place, epoch, metrics: epoch == epochs,  # noqa: ARG005
        )  # fmt: skip
        (run,) = recorder.close()
    return run.run_id


def test_a_recipe_without_it_has_the_digest_of_before():
    plain, logging = config(training__log_every=None), config()
    assert config_digest(plain) != config_digest(logging)
    assert stack_key(plain) != stack_key(logging)
    assert config_digest(plain) == config_digest(
        parse_train_config(
            {
                "recipe_version": RECIPE_VERSION, "data": {"name": "moons", "samples": 100},
                "model": {"hidden_size": 4}, "optimizer": {"name": "sgd"}, "schedule": {"name": "constant"},
                "training": {"num_epochs": 5, "batch_size": 16}, "tracking": {"name": "disabled"},
            }
        )
    )  # fmt: skip


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2", []])
def test_what_is_no_number_of_steps(value):
    with pytest.raises(InputError, match=r"^training\.log_every"):
        config(training__log_every=value)


def test_nothing_but_what_is_logged_depends_on_it():
    (plain,), (logging,) = (train_and_record([config(training__log_every=n)]) for n in (None, 3))
    assert plain.history == logging.history
    assert plain.kept == logging.kept
    assert plain.steps == {}
    assert {name: list(points) for name, points in logging.steps.items()} == {
        "step/train/loss": list(range(3, 26, 3)),
        "step/train/accuracy": list(range(3, 26, 3)),
    }
    assert logging.last_metrics() == plain.last_metrics()


def test_each_replica_of_a_stack_logs_what_it_logs_alone():
    several = [
        config(seed=seed, optimizer__learning_rate=rate) for seed, rate in ((1, 0.1), (2, 0.5), (3, 1e30))
    ]
    several.append(config(seed=4, model__batch_norm=False, optimizer__learning_rate=1e38))
    several.append(config(seed=5, model__batch_norm=False))
    for one, each in zip(several, train_and_record(several), strict=True):
        (alone,) = train_and_record([one])
        assert repr(alone.steps) == repr(each.steps)
        assert alone.status == each.status
    assert alone.steps.keys() == {"step/train/loss", "step/train/accuracy"}


def test_a_run_of_fewer_steps_is_told():
    (result,) = train_and_record([config(training__log_every=26)])
    assert result.steps == {}
    assert "training.log_every=26: logs no step, as the run has fewer" in result.warnings
    (result,) = train_and_record([config(training__log_every=25)])
    assert list(result.steps["step/train/loss"]) == [25]
    assert not [line for line in result.warnings if "log_every" in line]


def test_memory_that_many_points_need_is_counted():
    few, many = config(training__num_epochs=10**9), config(training__num_epochs=10**9, training__log_every=1)
    data = PreparedSets().of(few)
    assert replica_bytes(many, data) > replica_bytes(few, data) > 10**9


def test_its_metrics_have_names_of_their_own():
    for name in ("step/train/loss", "step/train/recall/a"):
        assert recorded_name(name, RECIPE_VERSION) == plain_name(name) == name
    assert lower_is_better("step/train/loss")
    assert not lower_is_better("step/train/accuracy")
    assert formatted("step/train/accuracy", 0.5, ".1f") == "0.5000"


# --- in a store -----------------------------------------------------------------------------------


def points_of(records: Records, run_id: str) -> pd.DataFrame:
    history = load_history(records.location.tracking_uri, run_ids=[run_id])
    return history[history["metric"].astype(str).str.startswith("step/")]


def test_histories_of_epochs_and_of_steps_do_not_mix(records):
    (result,) = train_and_record([config(**RECORDED)])
    points = points_of(records, not_none(result.run_id))
    assert not points.duplicated(["metric", "step"]).any()
    assert sorted({*points["metric"]}) == ["step/train/accuracy", "step/train/loss"]
    found = {
        name: dict(zip(of["step"], of["value"], strict=True))
        for name, of in points.groupby("metric", observed=True)
    }
    assert found == result.steps
    run = mg.Run.load(not_none(result.run_id), records.location)
    assert list(run.history.index) == [1, 2, 3, 4, 5]
    assert not [name for name in run.history if str(name).startswith("step/")]
    steps = not_none(run.steps)
    assert list(steps.index) == list(range(2, 26, 2))
    assert list(steps) == ["train/accuracy", "train/loss"]
    pd.testing.assert_frame_equal(steps, not_none(mg.Run.of_result(result).steps))
    (row,) = load_runs(records.location.tracking_uri, where=[f"run_name={run.name}"]).to_dict("records")
    assert row["step/train/loss"] == steps["train/loss"].iloc[-1]
    assert mg.Run.load(records.finished, records.location).steps is None
    compared = compare_runs(
        records.location.tracking_uri, [run.run_id or "", records.killed], "step/train/loss"
    )
    assert compared.metrics.index[0] == "step/train/loss"
    assert ">step<" in not_none(compared.curves).text
    replay = replay_run(run.run_id or "", LocalTracking())
    assert replay.identical
    assert {each.metric: each.values for each in replay.metrics}["step/train/loss"] == 12


def test_a_value_of_a_step_that_differs_is_found_by_a_replay(records):
    (result,) = train_and_record([config(**RECORDED)])
    records.execute(
        "update metrics set value = value * (1 + 1e-15) where run_uuid = ? and key = ? and step = 4",
        result.run_id,
        "step/train/loss",
    )
    replay = replay_run(not_none(result.run_id), LocalTracking())
    (found,) = [each for each in replay.metrics if each.different]
    assert (found.metric, found.different, not_none(found.first)[0]) == ("step/train/loss", 1, 4)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["nothing", "the end", "one metric", "all"])
def test_a_resumed_run_has_each_point_once_whatever_the_store_lacks(records, lost):
    asked = config(**RECORDED, training__num_epochs=8)
    (whole,) = train_and_record([asked])
    run_id = stopped(asked, 4)
    where = {
        "nothing": "0",
        "the end": "step > 14",
        "one metric": "key = 'step/train/accuracy'",
        "all": "1",
    }[lost]
    for table in ("metrics", "latest_metrics"):
        records.execute(f"delete from {table} where run_uuid = ? and key like 'step/%' and {where}", run_id)
    with resumed_run(config(**RECORDED, training__resume=run_id), []) as resumption:
        resumption = not_none(resumption)
        assert resumption.epoch == 4
        (result,) = train_and_record([resumption.config], resumption=resumption)
    assert result.steps == whole.steps
    points = points_of(records, run_id)
    assert len(points) == 2 * 20
    assert not points.duplicated(["metric", "step"]).any()
    uri = records.location.tracking_uri
    found, expected = (load_run(uri, not_none(run.run_id)) for run in (result, whole))
    assert found.history == expected.history
    assert tags.RESUMED_DIFFERS not in found.tags


@pytest.mark.slow
def test_a_run_stopped_within_an_epoch_is_replayed_as_far_as_it_got(records):
    """As one that was killed: steps of the epoch that it was in are in the store, and the epoch is not."""
    asked = config(**RECORDED, training__num_epochs=8)
    (whole,) = train_and_record([asked])
    run_id = stopped(asked, 3)
    for step, value in list(whole.steps["step/train/loss"].items())[:9]:  # up to step 18, of epoch 4
        records.execute(
            "insert or ignore into metrics (run_uuid, key, value, timestamp, step, is_nan) values (?, ?, ?, 1, ?, 0)",
            run_id, "step/train/loss", value, step,
        ) if step > 15 else None  # fmt: skip
    replay = replay_run(run_id, LocalTracking())
    compared = {each.metric: each for each in replay.metrics}
    assert compared["step/train/loss"].values == 9
    assert compared["step/train/loss"].different == 0
    assert compared["train/loss"].values == 3
    assert compared["train/loss"].different == 0
    # Accuracy of these two steps was not written to the store, which a replay finds.
    assert [each.metric for each in replay.metrics if each.different] == ["step/train/accuracy"]


def test_a_huge_number_of_points_is_told_in_pieces_of_bounded_size(records, monkeypatch):
    from micrograde.tracking import recorder as recording

    told = []
    append = recording.Recorder._append

    def tell(recorder, event):
        told.append(event)
        append(recorder, event)

    monkeypatch.setattr(recording.Recorder, "_append", tell)
    monkeypatch.setattr("micrograde.runs.step_history._NUMBERS", 40)
    monkeypatch.setattr("micrograde.training.step_log._NUMBERS", 64)
    several = [config(**RECORDED, training__log_every=1, seed=seed) for seed in range(2)]
    results = train_and_record(several)
    sizes = [len(event.steps) for event in told if hasattr(event, "steps")]
    assert sum(sizes) == 25
    assert max(sizes) <= 10  # of 40 numbers: two metrics of two runs
    for result in results:
        points = points_of(records, not_none(result.run_id))
        assert len(points) == 2 * 25
        assert np.isfinite(points["value"]).all()
