"""Checkpoints come back as they were; damaged and foreign ones are told from good ones."""

import hashlib
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load_file, save_file
from tests.narrowing import not_none

from micrograde.core.json_files import canonical_digest
from micrograde.runs.checkpoints import (
    Checkpoint,
    CheckpointTimer,
    UnusableCheckpointError,
    read_checkpoint,
    read_latest_checkpoint,
    write_checkpoint,
)
from micrograde.runs.step_history import StepHistory
from micrograde.training import Snapshot

CONFIG, DATA = "c" * 64, "d" * 64
numbers = arrays.arrays(
    st.sampled_from([np.float32, np.float64]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in ("history", "__metadata__")
)


def checkpoint(epoch=3, arrays_=None, metrics=("train/loss", "val/loss")):
    stream = np.random.default_rng(epoch).bit_generator.state
    snapshot = Snapshot(0, epoch, 45 * epoch, arrays_ or {"parameters/w": np.arange(6.0)}, stream)
    history = {name: [epoch + step / 7 for step in range(epoch)] for name in metrics}
    return Checkpoint(CONFIG, DATA, snapshot, history)


def latest(folder):
    """The checkpoint that is read, which has to be there, and what is wrong with the others."""
    found, problems = read_latest_checkpoint(folder, CONFIG, DATA)
    return not_none(found), problems


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@settings(max_examples=50)
@given(
    st.dictionaries(names, numbers, max_size=4),
    st.dictionaries(names, st.lists(st.floats(), min_size=2, max_size=2), max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_what_is_written_is_read(tmp_path_factory, arrays_, history, seed):
    folder = tmp_path_factory.mktemp("checkpoints")
    stream = np.random.default_rng(seed)
    stream.integers(0, 10, 3, dtype=np.int32)
    snapshot = Snapshot(0, 2, 90, arrays_, stream.bit_generator.state)
    write_checkpoint(folder, Checkpoint(CONFIG, DATA, snapshot, history))
    found, problems = latest(folder)
    assert problems == []
    assert found.snapshot.arrays.keys() == arrays_.keys()
    for name, array in arrays_.items():
        came = found.snapshot.arrays[name]
        assert (came.dtype, came.shape, came.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert found.snapshot.shuffling == stream.bit_generator.state
    assert (found.snapshot.epoch, found.snapshot.steps) == (2, 90)
    assert {n: np.array(v).tobytes() for n, v in found.history.items()} == {
        n: np.array(v).tobytes() for n, v in history.items()
    }


@given(
    st.lists(st.integers(1, 90), max_size=5, unique=True),
    st.lists(names, min_size=1, max_size=3, unique=True),
)
def test_what_was_logged_of_steps_is_read_as_it_was_written(tmp_path_factory, steps, metrics):
    folder, steps = tmp_path_factory.mktemp("checkpoints"), np.sort(np.array(steps, np.int64))
    values = {name: np.random.default_rng(place).random(len(steps)) for place, name in enumerate(metrics)}
    whole = StepHistory()
    for part in (slice(2), slice(2, None)):  # as it comes, piece by piece
        if len(steps[part]):
            whole.add(steps[part], {name: each[part] for name, each in values.items()})
    write_checkpoint(folder, replace(checkpoint(2), steps=whole))
    found, problems = latest(folder)
    assert problems == []
    assert found.steps.points() == whole.points()
    assert found.snapshot.arrays.keys() == {"parameters/w"}


@pytest.mark.parametrize(
    ("steps", "values"),
    [
        ([5, 3], [[0.1, 0.2]]),
        ([0, 3], [[0.1, 0.2]]),
        ([3, 1000], [[0.1, 0.2]]),
        ([3, 5], [[0.1]]),
        ([3.0, 5.0], [[0.1, 0.2]]),
        ([3, 5], [[1, 2]]),
    ],
)
def test_steps_that_nobody_logged_are_told(tmp_path, steps, values):
    write_checkpoint(tmp_path, replace(checkpoint(2), steps=StepHistory.of(np.array([3]), {"a": np.ones(1)})))
    path = tmp_path / "a.safetensors"
    changed = {**load_file(path), "logged_steps": np.array(steps), "step_history": np.array(values)}
    save_file(changed, path)
    told = json.loads((tmp_path / "a.json").read_text())
    del told["sha256"]
    told["arrays_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "a.json").write_text(json.dumps({**told, "sha256": canonical_digest(told)}))
    with pytest.raises(UnusableCheckpointError, match="has no history of 1 metrics over steps up to 90"):
        read_checkpoint(tmp_path / "a.json", CONFIG, DATA)


def test_the_two_latest_are_kept(tmp_path):
    for epoch in range(1, 6):
        write_checkpoint(tmp_path, checkpoint(epoch), durable=epoch % 2 == 0)
        assert len(files(tmp_path)) == (2 if epoch == 1 else 4)
        found, problems = latest(tmp_path)
        assert (found.snapshot.epoch, problems) == (epoch, [])
    epochs = {json.loads((tmp_path / f"{slot}.json").read_text())["epoch"] for slot in "ab"}
    assert epochs == {4, 5}


@settings(max_examples=200)
@given(st.data())
def test_any_damage_is_noticed_and_the_one_before_is_used(tmp_path_factory, data):
    """A bit changed anywhere, or an end cut off, of either file of the latest."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for epoch in (1, 2):
        write_checkpoint(folder, checkpoint(epoch), durable=False)
    path = folder / data.draw(st.sampled_from(["b.json", "b.safetensors"]))
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[position:]
    path.write_bytes(content)
    found, problems = latest(folder)
    if not problems:  # white space in the JSON, which says nothing
        assert (path.suffix, found.snapshot.epoch) == (".json", 2)
        return
    assert found.snapshot.epoch == 1
    (problem,) = problems
    assert problem.startswith("checkpoints/b.json: ")
    assert "\n" not in problem


def test_a_write_that_was_broken_off_leaves_the_one_before(tmp_path):
    for epoch in (1, 2):
        write_checkpoint(tmp_path, checkpoint(epoch))
    # Killed after the arrays of the third, before its JSON.
    later = tmp_path / "later"
    write_checkpoint(later, checkpoint(3))
    (later / "a.safetensors").replace(tmp_path / "a.safetensors")
    (tmp_path / ".a.json.part").write_text("{")
    found, problems = latest(tmp_path)
    assert found.snapshot.epoch == 2
    assert problems == ["checkpoints/a.json: is damaged: the checksum of a.safetensors does not match"]
    write_checkpoint(tmp_path, checkpoint(4))
    assert latest(tmp_path)[0].snapshot.epoch == 4


def test_of_two_damaged_ones_none_is_used(tmp_path):
    for epoch in (1, 2):
        write_checkpoint(tmp_path, checkpoint(epoch))
    for slot in "ab":
        (tmp_path / f"{slot}.json").write_text("[]")
    found, problems = read_latest_checkpoint(tmp_path, CONFIG, DATA)
    assert found is None
    assert len(problems) == 2
    assert read_latest_checkpoint(tmp_path / "nowhere", CONFIG, DATA) == (None, [])


def forged(path, **changes):
    """A JSON with these changes and a checksum that fits: what an attacker can make as well."""
    content = json.loads(path.read_text())
    del content["sha256"]
    content |= changes
    content = {key: value for key, value in content.items() if value is not ...}
    path.write_text(json.dumps({**content, "sha256": canonical_digest(content)}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config_digest": "e" * 64}, "belongs to a run with another config"),
        ({"data_digest": "e" * 64}, "was made with other data"),
        ({"format": 2}, "has a format other than 1"),
        ({"format": ...}, "has a format other than 1"),
        ({"epoch": 2.5}, "has no epoch"),
        ({"epoch": True}, "has no epoch"),
        ({"epoch": 10**9}, "has no history of 2 metrics over 1000000000 epochs"),
        ({"steps": None}, "has no steps"),
        ({"shuffling": "x"}, "has no shuffling"),
        ({"metrics": ["train/loss"]}, "has no history of 1 metrics"),
        ({"metrics": ["train/loss", "train/loss"]}, "has no metrics"),
        ({"metrics": [1, 2]}, "has no metrics"),
        ({"arrays_sha256": "0" * 64}, "is damaged: the checksum of a.safetensors does not match"),
    ],
)
def test_a_foreign_one_is_refused_though_its_checksum_fits(tmp_path, changes, message):
    write_checkpoint(tmp_path, checkpoint())
    forged(tmp_path / "a.json", **changes)
    with pytest.raises(UnusableCheckpointError, match=message):
        read_checkpoint(tmp_path / "a.json", CONFIG, DATA)


def test_arrays_of_a_type_that_numpy_does_not_have_are_refused(tmp_path):
    import hashlib

    write_checkpoint(tmp_path, checkpoint())
    save_file({"parameters/w": np.zeros(2, np.float16)}, tmp_path / "a.safetensors")
    content = (tmp_path / "a.safetensors").read_bytes().replace(b'"F16"', b'"BF1"')
    for content_ in (
        content,
        content.replace(b"BF1", b"F8 "),
        b"",
        b"\xff" * 8,
        b"\x08" + b"\0" * 7 + b"[[[[[[[[",
    ):
        (tmp_path / "a.safetensors").write_bytes(content_)
        forged(tmp_path / "a.json", arrays_sha256=hashlib.sha256(content_).hexdigest())
        with pytest.raises(UnusableCheckpointError, match="holds no arrays"):
            read_checkpoint(tmp_path / "a.json", CONFIG, DATA)


def test_a_json_that_is_endless_or_deep_is_refused(tmp_path):
    write_checkpoint(tmp_path, checkpoint())
    for text in ("[" * 100_000, '{"a":' * 100_000, "9" * 100_000, " " * 2**25):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(UnusableCheckpointError):
            read_checkpoint(tmp_path / "a.json", CONFIG, DATA)


def test_the_pace_keeps_the_cost_small():
    now = 0.0
    timer = CheckpointTimer(5.0, clock=lambda: now)
    assert not timer.due()
    now = 5.0
    assert timer.due()
    assert not timer.due()
    timer.took(0.01)
    now = 9.9
    assert not timer.due()
    now = 10.0
    assert timer.due()
    timer.took(1.0)  # a large one: at most a hundredth of the time goes into them
    now = 109.9
    assert not timer.due()
    now = 110.0
    assert timer.due()
    assert not CheckpointTimer(None, clock=lambda: 1e9).due()


def test_the_slot_is_chosen_by_its_epoch_and_not_by_a_clock(tmp_path):
    write_checkpoint(tmp_path, checkpoint(1))
    write_checkpoint(tmp_path, checkpoint(2))
    os.utime(tmp_path / "b.json", (0, 0))  # the clock was set back
    write_checkpoint(tmp_path, checkpoint(3))
    assert [json.loads((tmp_path / f"{slot}.json").read_text())["epoch"] for slot in "ab"] == [3, 2]
    (tmp_path / "a.json").write_bytes(b"")  # a loss of power; its epoch was the later one
    write_checkpoint(tmp_path, checkpoint(4))
    assert [json.loads((tmp_path / f"{slot}.json").read_text())["epoch"] for slot in "ab"] == [4, 2]
