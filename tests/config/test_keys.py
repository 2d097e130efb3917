"""The line for a key that there is not: it offers what this command takes, and what it offers can be typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.config.keys import SCHEMAS, UNTYPED, keys_of, unknown_key_message

commands = st.sampled_from(list(SCHEMAS))


def offered(line):
    """The keys of a line, and the choices they are to be given with."""
    _, _, names = line.removesuffix("?").partition("; did you mean ")
    pairs = [
        name.partition(" (with ") for name in names.split(" or ") if not name.endswith(")") or "(" in name
    ]
    return {name: choice.rstrip(")") for name, _, choice in pairs if name and "=" not in name}


@given(commands, st.data())
def test_only_keys_of_the_command_are_offered_and_none_that_nobody_types(command, data):
    every = sorted({name for each in SCHEMAS for name in keys_of(each)})
    key = data.draw(st.sampled_from(every))
    place = data.draw(st.integers(0, len(key)))
    line = unknown_key_message(key[:place] + "x" + key[place:], command)
    assert len(line.splitlines()) == 1
    assert set(offered(line)) <= set(keys_of(command)) - set(UNTYPED)


LINES = [
    ("run_id", "train", "run_id: there is no such key here; it is one of replay and predict and export"),
    ("launch", "train", "launch: there is no such key here; it is one of sync"),
    ("seed", "compare", "seed: there is no such key here; it is one of train"),
    ("limit", "train", "limit: there is no such key here; it is one of compare and predict and describe"),
    ("output", "train", "output: there is no such key; did you mean model.output?"),
    ("runid", "replay", "runid: there is no such key; did you mean run_id?"),
    ("epochs", "train", "epochs: there is no such key; did you mean training.num_epochs or schedule.step_epochs (with schedule=step)?"),
    ("learning_rate", "train", "learning_rate: there is no such key; did you mean optimizer.learning_rate?"),
    ("sed", "train", "sed: there is no such key; did you mean seed?"),
    ("sweep.parent_run", "train", "sweep.parent_run: there is no such key; did you mean "),
    ("bogus", "train", "bogus: there is no such key; see --help for the keys"),
    ("x" * 200, "sync", f"{'x' * 77}...: there is no such key; see --help for the keys"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "command", "line"), LINES, ids=[f"{command} {key[:20]}" for key, command, _ in LINES]
)
def test_what_is_said_of_a_key_that_is_not_there(key, command, line):
    assert unknown_key_message(key, command).startswith(line)


@pytest.mark.parametrize(
    ("key", "typed", "line"),
    [
        ("data.path", ["data.path=trees.csv"], "add data=csv"),
        ("data.path", ["data.path=trees"], "add data=csv"),
        ("data.path", ["data.path=a/trees.csv.gz"], "add data=csv"),
        ("data.path", ["data.path='my trees.PARQUET'"], "add data=parquet"),
        ("data.path", ["data.path=arrays.npz"], "add data=npz"),
        ("data.target", ["data.target=kind", "data.path=trees.parquet"], "add data=parquet"),
        ("data.images", ["data.images=x"], "add data=idx"),
        ("data.path", ["data=moons", "data.path=trees.csv"], "write data=csv in place of data=moons"),
        (
            "optimizer.momentum",
            ["optimizer=adam"],
            "write optimizer=rmsprop or optimizer=sgd in place of optimizer=adam",
        ),
        ("tracking.uri", ["tracking.uri=http://me:secret@host"], "add tracking=server"),
        ("schedule.factor", [], "add schedule=exponential or schedule=step"),
        ("data.turns", [], "add data=spirals"),
        ("data.factor", ["data=moons"], "write data=circles in place of data=moons"),
    ],
)
def test_a_key_of_another_choice_says_which(key, typed, line):
    group = key.partition(".")[0]
    assert (
        unknown_key_message(key, "train", typed) == f"{key}: is no key of the {group} that is chosen; {line}"
    )
