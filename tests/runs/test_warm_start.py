"""Runs that begin with the weights of a recorded run: which layers, from whom, and again by their recipe."""

import shutil
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.narrowing import not_none
from tests.recipes import with_keys
from tests.records import Records, Unwatched, stored_run

import micrograde as mg
from micrograde.analysis import load_runs
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig, as_params, config_digest, to_container
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.models.trained_network import read_network
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.runs.building import RandomStreams, stack_key
from micrograde.runs.live_run import RunRequest
from micrograde.runs.replaying import replay_run
from micrograde.runs.resuming import resumed_run
from micrograde.runs.train import PreparedSets, open_recorder, train_and_record, train_runs
from micrograde.runs.warm_start import WarmStart, WarmStarts, digest_of
from micrograde.store import load_run, tags
from micrograde.store.backends.disabled import DisabledTracking
from micrograde.store.backends.local import LocalTracking


def recipe(**changes: object) -> dict[str, object]:
    """Of a run on moons, as the run that was stopped is, but plain."""
    container = {
        "recipe_version": RECIPE_VERSION,
        "data": {"name": "moons", "samples": 80},
        "model": {"hidden_size": 4},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 3},
        "tracking": {"name": "local", "pictures": "light"},
        "experiment_name": "unit",
    }
    return with_keys(container, {key.replace("__", "."): value for key, value in changes.items()})


def config(**changes: object) -> TrainConfig:
    return parse_train_config(recipe(**changes))


def state_of(records: Records, run_id: str) -> Mapping[str, FloatArray]:
    return read_network(records.files(run_id) / "model").model.state()


# --- which layers ---------------------------------------------------------------------------------


def network(sizes, *, batch_norm, dtype="float64", seed=0, replicas=1):
    inputs, *hidden, outputs = sizes
    streams = [np.random.default_rng([seed, replica]) for replica in range(replicas)]
    model = MLP(inputs, hidden, outputs, batch_norm=batch_norm, generators=streams, dtype=dtype)
    model.parameters += np.arange(model.parameters.size).reshape(model.parameters.shape) / 7
    return model


def start_of(model: MLP) -> WarmStart:
    arrays = {name: array[0] for name, array in model.state().items()}
    return WarmStart(stored_run(), arrays, digest_of(arrays))


SIZES = st.lists(st.sampled_from([2, 3]), min_size=2, max_size=4)


@settings(max_examples=60)
@given(SIZES, SIZES, st.booleans(), st.booleans(), st.sampled_from(["float32", "float64"]))
def test_a_layer_is_copied_whole_or_not_at_all(there, here, norm_there, norm_here, dtype):
    parent = network(there, batch_norm=norm_there, seed=1)
    model = network(here, batch_norm=norm_here, seed=2, replicas=2, dtype=dtype)
    before = model.state()
    copied = start_of(parent).copy_to(model)
    after, theirs = model.state(), parent.state()
    assert {*copied.layers, *copied.others} == {name.partition(".")[0] for name in after}
    assert not {*copied.layers} & {*copied.others}
    for name, array in after.items():
        layer = name.partition(".")[0]
        fits = all(
            each in theirs and theirs[each].shape[1:] == after[each].shape[1:]
            for each in after
            if each.startswith(f"{layer}.")
        )
        assert fits == (layer in copied.layers)
        for replica in range(2):
            expected = theirs[name][0].astype(dtype) if fits else before[name][replica]
            np.testing.assert_array_equal(array[replica], expected)


def test_why_others_are_not_is_said():
    copied = start_of(network([2, 3, 3], batch_norm=True)).copy_to(network([2, 3, 2, 2], batch_norm=True))
    line = copied.line(stored_run("KILLED"))
    assert line.startswith("layer1 and batchnorm1 begin with the weights of run 01234567, which is KILLED; ")
    assert (
        "with initial weights of their own: layer2 (3x2 here, 3x3 there), batchnorm2 (2 here, 3 there), "
        in line
    )
    assert line.endswith("layer3 (not in that run), batchnorm3 (not in that run)")


def test_the_digest_is_of_names_types_shapes_and_numbers():
    arrays = {"layer1.weights": np.zeros((2, 3)), "layer1.biases": np.zeros(3)}
    found = {digest_of(arrays), digest_of(dict(reversed(arrays.items())))}
    assert len(found) == 1
    others: list[dict[str, FloatArray]] = [
        {"layer1.weights": np.zeros((3, 2)), "layer1.biases": np.zeros(3)},
        {"layer1.weights": np.zeros((2, 3), np.float32), "layer1.biases": np.zeros(3)},
        {"layer2.weights": np.zeros((2, 3)), "layer1.biases": np.zeros(3)},
        {"layer1.weights": np.zeros((2, 3)), "layer1.biases": np.full(3, 5e-324)},
    ]
    assert len(found | {digest_of(each) for each in others}) == 5


# --- from whom ------------------------------------------------------------------------------------


def test_a_run_begins_with_the_kept_weights_of_another(records, capsys):
    starts = WarmStarts(records.location)
    for typed in (records.finished, records.finished[:7], "latest"):
        resolved = starts.resolved(config(model__init_from=typed)).model
        assert resolved.init_from == records.finished
    trees = {"name": "csv", "path": "trees.csv", "target": "kind"}
    (result,) = train_and_record([config(data=trees, model__init_from=records.finished[:7])])
    line = (
        f"model.init_from: layer1, batchnorm1 and layer2 begin with the weights of run {records.finished[:8]}"
    )
    assert line in capsys.readouterr().out.splitlines()
    found = load_run(records.location.tracking_uri, not_none(result.run_id))
    assert found.params["model.init_from"] == found.tags[tags.INIT_FROM] == records.finished
    assert found.tags[tags.INIT_DIGEST] == digest_of(state_of(records, records.finished))
    assert line.removeprefix("model.init_from: ") in found.tags[tags.DESCRIPTION]
    assert "model.init_digest" not in found.params
    run = mg.Run.load(not_none(result.run_id), records.location)
    assert run.init_from == records.finished
    assert run.lineage == (records.finished,)
    assert f"began from run {records.finished[:8]}" in repr(run)
    assert replay_run(run.run_id or "", LocalTracking()).identical


def test_its_first_loss_is_that_of_the_other_runs_model(records):
    """Trained on the same rows all at once, without batch norm: what is measured first is what the other keeps."""
    plain = {"model__batch_norm": False, "training__batch_size": None}
    (parent,) = train_and_record([config(**plain)])
    child = config(
        **plain,
        model__init_from=parent.run_id,
        training__num_epochs=1,
        seed=9,
        tracking=({"name": "disabled"}),
    )
    (result,) = train_and_record([child], prepared=PreparedSets(records.location))
    np.testing.assert_allclose(result.history["train/loss"][0], parent.kept["kept/train/loss"], rtol=1e-6)


def test_frozen_layers_end_as_the_other_runs_ended(records):
    child = config(
        model__init_from=records.killed,
        training__freeze=["layer1", "batchnorm1"],
        optimizer={"name": "adamw", "weight_decay": 0.5},
    )
    (result,) = train_and_record([child])
    theirs, ours = (state_of(records, each) for each in (records.killed, not_none(result.run_id)))
    for name, array in ours.items():
        frozen = name.startswith(("layer1.", "batchnorm1.")) and "running" not in name
        assert (array.tobytes() == theirs[name].tobytes()) == frozen, name


def test_shuffling_and_other_initial_weights_are_those_of_the_same_seed(records):
    """Its own weights have been drawn all the same."""
    plain = config(model__hidden_size=[4, 5])
    child = config(model__hidden_size=[4, 5], model__init_from=records.killed)
    stream = RandomStreams.spawn(plain.seed).weights
    own = MLP(2, [4, 5], 2, output_batch_norm=False, initializer=plain.model.initializer, generators=[stream])
    (result,) = train_and_record(
        [config(model__hidden_size=[4, 5], model__init_from=records.killed, optimizer__learning_rate=1e-30)]
    )
    state = state_of(records, not_none(result.run_id))
    np.testing.assert_allclose(state["layer2.weights"], own.layer2.weights[0], rtol=1e-6)
    assert stack_key(plain) != stack_key(child)


@pytest.mark.slow
def test_a_chain_of_three(records):
    runs = [records.finished]
    for seed in range(2):
        trees = {"name": "csv", "path": "trees.csv", "target": "kind"}
        (result,) = train_and_record([config(data=trees, model__init_from=runs[-1], seed=seed)])
        runs.append(not_none(result.run_id))
    run = mg.Run.load(runs[-1], records.location)
    assert run.lineage == (runs[1], runs[0])
    assert replay_run(runs[-1], LocalTracking()).identical


def test_a_stack_equals_each_run_alone(records):
    several = [
        config(
            model__init_from=records.killed,
            training__freeze=["layer1"],
            seed=seed,
            tracking=({"name": "disabled"}),
        )
        for seed in range(3)
    ]
    prepared = PreparedSets(records.location)
    together = train_and_record(several, prepared=prepared)
    for one, each in zip(several, together, strict=True):
        (alone,) = train_and_record([one], prepared=prepared)
        assert repr(alone) == repr(each)


# --- what is wrong --------------------------------------------------------------------------------


def refusal(asked: TrainConfig) -> str:
    with pytest.raises(InputError) as caught:
        train_and_record([asked])
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_cannot_be_begun_from_is_refused_in_a_line(records):
    assert refusal(config(model__init_from="nonsense")).startswith("model.init_from=nonsense: is no run id")
    assert "there is no such run" in refusal(config(model__init_from="0" * 32))
    without = refusal(config(model__init_from="latest", tracking=({"name": "disabled"})))
    assert without == "model.init_from=latest: needs a store; with tracking=disabled none is read"
    none = refusal(config(model__hidden_size=7, model__batch_norm=False, model__init_from=records.killed))
    assert none == (
        f"model.init_from={records.killed}: no layer of run {records.killed[:8]} has the shapes of this "
        "network's: layer1 (2x7 here, 2x4 there), layer2 (7x2 here, 4x2 there)"
    )
    records.tag(records.killed, tags.SWEEP_DIGEST, "d")
    assert "is a sweep that has no best run" in refusal(config(model__init_from=records.killed))
    shutil.rmtree(records.files(records.finished) / "model")
    said = refusal(config(model__init_from=records.finished))
    assert said == f"model.init_from={records.finished}: has left no model; the run is FINISHED"


def test_a_child_whose_parent_is_gone_or_changed_says_so_when_it_is_replayed(records):
    (result,) = train_and_record([config(model__init_from=records.killed)])
    child, weights = not_none(result.run_id), records.files(records.killed) / "model" / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError) as caught:
        replay_run(child, LocalTracking())
    assert f"model.init_from={records.killed}: the weights of that run have changed since" in str(
        caught.value
    )
    weights.write_bytes(whole)
    assert replay_run(child, LocalTracking()).identical
    records.execute("update runs set lifecycle_stage = 'deleted' where run_uuid = ?", records.killed)
    with pytest.raises(InputError) as caught:
        replay_run(child, LocalTracking())
    assert f"model.init_from={records.killed}: there is no such run in the store" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert mg.Run.load(child, records.location).lineage == (records.killed,)


def test_a_stored_digest_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"^model\.init_digest"):
        config(model__init_digest="../../etc")


# --- the recipe -----------------------------------------------------------------------------------


def test_a_recipe_without_it_has_the_digest_of_before():
    plain = config()
    assert "init_digest" not in to_container(plain)["model"]
    assert as_params(plain)["model.init_from"] == "null"
    started = config(model__init_from="0" * 32, model__init_digest="a" * 64)
    others = [started, config(model__init_from="0" * 32, model__init_digest="b" * 64)]
    assert len({config_digest(each) for each in (plain, *others)}) == 3
    assert parse_train_config(to_container(started)) == started


# --- going on -------------------------------------------------------------------------------------


def stopped(asked: TrainConfig) -> str:
    """Train it for two epochs, and return its id."""
    prepared = PreparedSets()
    asked = prepared.resolved(asked)
    with open_recorder(asked.tracking, None) as recorder:
        train_runs(
            [RunRequest(asked, "stopped")], recorder, prepared, Unwatched(),
            cancel=lambda place, epoch, metrics: epoch == 2,  # noqa: ARG005
        )  # fmt: skip
        (run,) = recorder.close()
    return run.run_id


@pytest.mark.slow
@pytest.mark.parametrize("parent_is_there", [True, False])
def test_a_stopped_child_ends_as_if_it_never_had_been(records, parent_is_there, capsys):
    asked = config(
        model__init_from=records.killed,
        training__freeze=["layer1"],
        training__num_epochs=6,
        optimizer={"name": "adam"},
    )
    (whole,) = train_and_record([asked])
    run_id = stopped(asked)
    if not parent_is_there:
        records.execute("update runs set lifecycle_stage = 'deleted' where run_uuid = ?", records.killed)
    with resumed_run(config(training__resume=run_id), []) as resumption:
        resumption = not_none(resumption)
        (result,) = train_and_record([resumption.config], resumption=resumption)
    assert result.run_id == run_id
    found, expected = (
        load_run(records.location.tracking_uri, not_none(run.run_id)) for run in (result, whole)
    )
    assert repr(result.history) == repr(whole.history)
    assert found.history == expected.history
    assert tags.RESUMED_DIFFERS not in found.tags
    assert result.warnings == whole.warnings
    said = "there is no such run in the store" in capsys.readouterr().out
    assert said != parent_is_there


def test_without_its_checkpoint_and_its_parent_it_cannot_go_on(records):
    run_id = stopped(config(model__init_from=records.killed, training__num_epochs=6))
    shutil.rmtree(records.files(run_id) / "checkpoints")
    records.execute("update runs set lifecycle_stage = 'deleted' where run_uuid = ?", records.killed)
    with resumed_run(config(training__resume=run_id), []) as resumption:
        resumption = not_none(resumption)
        with pytest.raises(InputError, match="there is no such run in the store"):
            train_and_record([resumption.config], resumption=resumption)


def test_auto_finds_the_child_by_what_was_typed(records):
    run_id = stopped(config(model__init_from=records.killed, training__num_epochs=6))
    typed = config(model__init_from=records.killed[:8], training__num_epochs=6, training__resume="auto")
    with resumed_run(typed, []) as resumption:
        assert not_none(resumption).run_id == run_id


# --- sweeps ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_sweep_over_parents(records, capsys):
    asked = [
        "data=moons", "data.samples=80", "model.hidden_size=4", "training.num_epochs=2", "experiment_name=unit",
        f"model.init_from={records.killed[:8]},null,00000000", "training.freeze=[layer2]",
        "seed=0,1", "tracking.pictures=light",
    ]  # fmt: skip
    sweep = mg.sweep(*asked)
    assert f"begin with the weights of run {records.killed[:8]}" in capsys.readouterr().out
    runs = sweep.runs
    done = runs[runs["status"] == "FINISHED"]
    assert sorted(done["model.init_from"].fillna("own")) == sorted([records.killed] * 2 + ["own"] * 2)
    failed = runs[runs["status"] == "FAILED"]
    assert [*failed[f"tags.{tags.REASON}"].str.contains("there is no such run in the store")] == [True, True]
    before = set(load_runs(records.location.tracking_uri)["run_id"])
    again = mg.sweep(*asked)  # which has nothing left to train
    assert again.run_id == sweep.run_id
    assert set(load_runs(records.location.tracking_uri)["run_id"]) == before


def test_latest_is_no_name_for_a_sweep(records):
    with pytest.raises(InputError) as caught:
        mg.sweep("data=moons", "model.hidden_size=4", "model.init_from=latest", "seed=0,1")
    (run_id,) = {str(caught.value).partition("name the run: model.init_from=")[2][:32]}
    assert run_id == records.finished


def test_what_is_read_is_read_once(records, monkeypatch):
    read = []

    def find(uri, run, key):
        read.append((run, key))
        return load_run(uri, run)

    monkeypatch.setattr("micrograde.runs.warm_start.find_run", find)
    starts = WarmStarts(records.location)
    resolved = starts.resolved(config(model__init_from=records.killed[:9]))
    assert starts.resolved(resolved) == resolved
    assert starts.of(records.killed) is starts.of(records.killed[:9])
    assert len(read) == 1
    assert resolved.tracking != DisabledTracking()
