"""Going on with a run that was stopped: which one, from where, and that it ends as if it never had been."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.narrowing import not_none, of_type
from tests.recipes import with_keys
from tests.records import STOPPED, TREES, Unwatched

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig, config_digest, flatten, to_container
from micrograde.core.errors import InputError
from micrograde.runs.checkpoints import read_latest_checkpoint
from micrograde.runs.live_run import RunRequest
from micrograde.runs.resuming import Resumption, _agreed, _typed, resumed_run
from micrograde.runs.train import PreparedSets, train_and_record, train_runs
from micrograde.store import tags
from micrograde.store.backends.disabled import DisabledTracking
from micrograde.store.backends.local import LocalTracking
from micrograde.tracking import NullRecorder, claim


def typed(resume, overrides=(), **changes):
    """What is composed of a command line: the stopped run's recipe, and these groups changed."""
    container = {group: dict(value) if isinstance(value, dict) else value for group, value in STOPPED.items()}
    container["training"]["resume"] = resume
    for key, value in changes.items():
        if isinstance(value, dict):
            container[key] = {**container[key], **value}
        else:
            container[key] = value
    return parse_train_config(container), overrides


def refusal(*arguments):
    with pytest.raises(InputError) as error, resumed_run(*arguments):
        pass
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.fixture
def home(recorded, monkeypatch):
    """What is recorded; a claim is all that is written."""
    monkeypatch.setenv("MICROGRADE_HOME", str(recorded.home))
    return recorded


class Kept(NullRecorder):
    """Keeps what a run is told to be recorded, and its files in a folder if there is one."""

    def __init__(self, folder=None):
        super().__init__()
        self.told, self.folder = {}, folder

    def run_folder(self, run):  # noqa: ARG002
        return self.folder

    def log_metrics(self, run, step, values):  # noqa: ARG002
        for metric, value in values.items():
            self.told[metric, step] = value


@contextmanager
def going_on(config: TrainConfig, overrides: Sequence[str]) -> Iterator[Resumption]:
    """A run that is resumed, and no new one."""
    with resumed_run(config, overrides) as resumption:
        yield not_none(resumption)


def train_alone(resumption, recorder):
    request = RunRequest(resumption.config, "resumed", resumption=resumption)
    return train_runs([request], recorder, PreparedSets(), Unwatched())


# --- which run ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_nothing_asked_for_is_a_new_run():
    with resumed_run(*typed(None)) as resumption:
        assert resumption is None


@pytest.mark.parametrize("how", ["auto", "id", "beginning"])
def test_the_stopped_run_goes_on_where_it_was(home, how):
    resume = {"auto": "auto", "id": home.killed, "beginning": home.killed[:9]}[how]
    with going_on(*typed(resume)) as resumption:
        assert resumption.run_id == home.killed
        assert resumption.epoch == 4
        checkpoint = not_none(resumption.checkpoint)
        assert checkpoint.snapshot.epoch == 4
        assert {len(values) for values in checkpoint.history.values()} == {4}
        assert resumption.has_recipe
        assert list(resumption.problems) == []
        assert "epoch 4/8" in resumption.log
        assert config_digest(resumption.config) == resumption.stored.tags[tags.CONFIG_DIGEST]


@pytest.mark.usefixtures("home")
def test_it_ends_as_if_it_never_had_been_stopped():
    (whole,) = train_and_record([parse_train_config({**STOPPED, "tracking": {"name": "disabled"}})])
    recorder = Kept()
    with going_on(*typed("auto")) as resumption:
        (run,) = train_alone(resumption, recorder)
    assert run.status == "FINISHED"
    assert repr(run.history) == repr(whole.history)  # repr: NaN is NaN
    assert run.test == whole.test
    assert run.warnings == []
    # told is just what the store does not have
    stored = {(metric, step) for metric, values in resumption.stored.history.items() for step in values}
    assert not stored & set(recorder.told)
    assert {step for metric, step in recorder.told if metric == "train/loss"} == {5, 6, 7, 8}


def test_auto_is_the_last_run_of_the_same_recipe_unless_that_has_ended(records):
    for other in (
        typed("auto", seed=4),
        typed("auto", experiment_name="another"),
        typed("auto", training={"num_epochs": 9, "resume": "auto"}),
    ):
        with resumed_run(*other) as resumption:
            assert resumption is None
    # Where a run is recorded, how often it is kept and how it is watched are no part of the recipe.
    how = {"checkpoint_seconds": None, "diagnostics": False, "resume": "auto"}
    with going_on(*typed("auto", training={**STOPPED["training"], **how})) as resumption:
        assert resumption.run_id == records.killed
        assert resumption.config.training.checkpoint_seconds is None
    records.tag(records.killed, tags.SETTLED, "true")
    with resumed_run(*typed("auto")) as resumption:
        assert resumption is None
    records.execute("delete from tags where key = ?", tags.SETTLED)
    records.set_status(records.killed, "FINISHED")
    with resumed_run(*typed("auto")) as resumption:
        assert resumption is None


def test_what_cannot_go_on_is_refused_in_a_line(records):
    finished, killed = records.finished, records.killed
    assert refusal(*typed(finished)).startswith(f"training.resume={finished}: run {finished} has finished")
    for resume in ("../../etc", "abc"):
        assert refusal(*typed(resume)).startswith(f"training.resume={resume}: is no run id")
    assert "there is no such run" in refusal(*typed("0123456789" * 3 + "ab"))
    assert "needs a store" in refusal(replace(typed("auto")[0], tracking=DisabledTracking()), ())
    records.tag(killed, tags.SETTLED, "true")
    records.tag(killed, tags.REASON, "the loss became NaN")
    assert "would fail again (the loss became NaN)" in refusal(*typed(killed))
    assert "latest: no run was stopped that could go on" in refusal(*typed("latest"))
    records.execute("delete from tags where key = ?", tags.SETTLED)
    records.tag(killed, tags.SWEEP_DIGEST, "d")
    assert "is a sweep" in refusal(*typed(killed))


def test_latest_is_the_run_that_was_stopped_last(records):
    with going_on(*typed("latest")) as resumption:
        assert resumption.run_id == records.killed


def test_a_run_that_is_going_on_is_left_alone(records):
    records.set_status(records.killed, "RUNNING")
    records.tag(records.killed, tags.PROCESS_ID, str(os.getpid()))  # this process, which is alive
    line = refusal(*typed(records.killed))
    assert f"is going on in process {os.getpid()} on " in line


def test_one_launch_at_a_time_has_it(home):
    location = home.location
    with claim(location.folder / "claims" / home.killed, location.folder / "launches", lambda _: None):
        line = refusal(*typed(home.killed))
    assert f"the run is going on in process {os.getpid()}" in line
    with going_on(*typed(home.killed)) as resumption:
        assert resumption.held.path.name == home.killed
        assert "is going on in process" in refusal(*typed(home.killed))


# --- from where -----------------------------------------------------------------------------------


def test_a_damaged_checkpoint_is_named_and_not_used(records):
    (path,) = records.files(records.killed).glob("checkpoints/*.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with going_on(*typed("auto")) as resumption:
        assert (resumption.checkpoint, resumption.epoch) == (None, 0)
        (problem,) = resumption.problems
        assert "checksum" in problem


def test_without_a_checkpoint_or_with_one_that_lies_elsewhere_it_begins_anew(records, tmp_path):
    folder = records.files(records.killed) / "checkpoints"
    folder.rename(tmp_path / "elsewhere")
    for there in (False, True):
        if there:
            folder.symlink_to(tmp_path / "elsewhere")
        with going_on(*typed("auto")) as resumption:
            assert (resumption.checkpoint, resumption.epoch, list(resumption.problems)) == (None, 0, [])


def test_a_checkpoint_of_other_data_is_not_used(records):
    records.tag(records.killed, tags.DATA_DIGEST, "0" * 64)
    with going_on(*typed("auto")) as resumption:
        assert resumption.checkpoint is None
        assert len(resumption.problems) == 1


def test_without_its_recipe_only_its_whole_command_goes_on(records):
    (records.files(records.killed) / "config" / "config.yaml").unlink()
    with going_on(*typed("auto")) as resumption:
        assert not resumption.has_recipe
        assert resumption.epoch == 4
    assert "has no config/config.yaml" in refusal(*typed(records.killed))


def test_a_recipe_that_a_loss_of_power_has_emptied_is_as_none(records):
    (records.files(records.killed) / "config" / "config.yaml").write_bytes(b"")
    with going_on(*typed("auto")) as resumption:
        assert not resumption.has_recipe  # so that it is written again
        assert resumption.epoch == 4
    assert "config/config.yaml is not a valid recipe" in refusal(*typed(records.killed))


def test_a_recipe_of_which_only_a_part_is_on_the_disk_is_as_none(records):
    path = records.files(records.killed) / "config" / "config.yaml"
    content = path.read_bytes()
    ends = [at for at, byte in enumerate(content) if byte == ord("\n")][:-1]
    for damaged in (
        bytes(len(content)),
        *(content[:end] for end in (*ends[::9], ends[-2])),
        *(content[: end + 3] for end in ends[4::9]),
        content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
        b"\xff\xfe",
    ):
        path.write_bytes(damaged)
        with going_on(*typed("auto")) as resumption:
            assert not resumption.has_recipe
            assert resumption.epoch == 4


def test_a_recipe_that_was_changed_is_not_gone_on_with(records):
    recipe = records.files(records.killed) / "config" / "config.yaml"
    recipe.write_text(recipe.read_text().replace("seed: 3", "seed: 4"))
    assert "is not what the run began with" in refusal(*typed(records.killed))
    with going_on(*typed("auto")) as resumption:  # by its whole command, which is what it began with
        assert resumption.config.seed == 3


# --- what else was typed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "changes", "line"),
    [
        (["seed=4"], {"seed": 4}, "seed is 3 in that run, not 4; a run keeps its recipe"),
        (["optimizer=sgd"], {"optimizer": {"name": "sgd"}}, "optimizer.name is adam in that run, not sgd"),
        (["data.samples=50"], {"data": {"samples": 50}}, "data.samples is 100 in that run, not 50"),
        (
            ["++model.hidden_size=[4,4]"],
            {"model": {"hidden_size": [4, 4]}},
            "model.hidden_size is 4 in that run, not [4, 4]",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_by_its_id_the_runs_recipe_holds_and_what_was_typed_must_agree(home, overrides, changes, line):
    assert line in refusal(*typed(home.killed, overrides, **changes))
    # The same as a default that nobody typed is no contradiction.
    with going_on(*typed(home.killed, (), **changes)) as resumption:
        assert (resumption.config.seed, resumption.config.optimizer.name) == (3, "adam")


def test_how_it_is_recorded_may_be_typed_anew(home):
    overrides = [
        "training.checkpoint_seconds=9",
        "experiment_name=x",
        f"training.resume={home.killed}",
        "tracking.pictures=all",
    ]
    config, _ = typed(
        home.killed,
        experiment_name="x",
        tracking={"pictures": "all"},
        training={**STOPPED["training"], "checkpoint_seconds": 9.0, "resume": home.killed},
    )
    with going_on(config, overrides) as resumption:
        assert resumption.config.training.checkpoint_seconds == 9.0
        assert of_type(LocalTracking, resumption.config.tracking).pictures == "all"
        assert resumption.config.seed == 3


STORED = parse_train_config(STOPPED)
VALUES: dict[str, list[Any]] = {
    "seed": [3, 4],
    "data.samples": [100, 50],
    "model.hidden_size": [4, [4, 4]],
    "optimizer.learning_rate": [0.01, 0.5],
    "training.num_epochs": [8, 9],
    "training.early_stopping.patience": [10, 3],
}


@given(
    st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 1)),
    st.sets(st.sampled_from([*VALUES, "data", "model", "training", "training.early_stopping", "x"])),
)
def test_a_key_that_was_typed_agrees_or_is_named_and_others_are_the_runs(chosen, keys):
    changes = {key: VALUES[key][number] for key, number in chosen.items()}
    config = parse_train_config(with_keys(to_container(STORED), changes))
    ours, theirs = flatten(to_container(config)), flatten(to_container(STORED))
    conflicts = {
        key for key in ours
        if ours[key] != theirs[key] and any(key == each or key.startswith(f"{each}.") for each in keys)
    }  # fmt: skip
    if conflicts:
        with pytest.raises(InputError) as error:
            _agreed(config, STORED, keys)
        assert any(
            f": {key} is {theirs[key]} in that run, not {ours[key]};" in str(error.value) for key in conflicts
        )
    else:
        assert _agreed(config, STORED, keys) == STORED


def test_of_what_was_typed_the_keys_of_the_recipe_count():
    overrides = [
        "seed=3", "+data.samples=1", "++model.hidden_size=[1,2]", "~optimizer.momentum", "optimizer=adam", "training.num_epochs=2",
        "tracking=server", "tracking.uri=http://x", "sweep.metric=val/loss", "experiment_name=x", "training.resume=auto", "training.checkpoint_seconds=1",
    ]  # fmt: skip
    assert _typed(overrides) == [
        "seed",
        "data.samples",
        "model.hidden_size",
        "optimizer.momentum",
        "optimizer",
        "training.num_epochs",
    ]


def test_data_files_may_be_elsewhere_now(records, tmp_path, monkeypatch):
    # The run of a table, as if it had been stopped at its end.
    records.set_status(records.finished, "KILLED")
    (tmp_path / "moved.csv").write_bytes((records.folder / "trees.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    training = {**TREES["training"], "resume": records.finished}

    def command(path):
        return parse_train_config({**TREES, "data": {**TREES["data"], "path": path}, "training": training})

    with going_on(command("moved.csv"), ["data.path=moved.csv"]) as resumption:
        assert (resumption.epoch, resumption.config.data.paths()["path"]) == (20, "moved.csv")
        recorder = Kept(tmp_path)
        (run,) = train_alone(resumption, recorder)
    assert run.status == "FINISHED"
    # What it leaves is still the run's, and could be gone on with again.
    checkpoint, problems = read_latest_checkpoint(
        tmp_path / "checkpoints", resumption.stored.tags[tags.CONFIG_DIGEST], run.data.dataset.digest
    )
    assert (not_none(checkpoint).snapshot.epoch, problems) == (20, [])
    other = {**TREES, "data": {**TREES["data"], "target": "leaf"}, "training": training}
    line = refusal(parse_train_config(other), ["data.target=leaf"])
    assert "data.target is kind in that run, not leaf" in line
