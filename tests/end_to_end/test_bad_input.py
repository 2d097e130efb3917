"""Bad input through the real command: one line on stderr that says what is wrong, status 2, nothing written."""

import gzip
import struct

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow  # each of them runs commands

LONG = "x" * 100_000
NUMBERS = "should be a valid number"
WHOLE = "should be a valid integer"
CSV, NPZ, IDX = ("data=csv", "data.target=kind"), ("data=npz",), ("data=idx", "data.labels=labels.idx")
SEARCH = ("-m", "hydra/sweeper=optuna", "search=sgd")
CODE = "would run Python code, which no config may do"
SERVER = "tracking=server"

# What is typed behind `python pipelines/train.py`, and how the line begins. More of what Hydra and its flags refuse is
# in tests/config/test_hydra_messages.py and tests/config/test_flags.py, more of values in tests/config/test_schema.py.
TRAIN = [
    # types
    ("optimizer.learning_rate=fast", f"optimizer.learning_rate=fast: {NUMBERS}"),
    ("optimizer.learning_rate=null", f"optimizer.learning_rate=null: {NUMBERS}"),
    ("optimizer.learning_rate=", f'optimizer.learning_rate="": {NUMBERS}'),
    ("training.batch_size=all", f"training.batch_size=all: {WHOLE}"),
    ("model.batch_norm=yes", "model.batch_norm=yes: should be a valid boolean"),
    ("model.hidden_size=[8,x]", f"model.hidden_size[1]=x: {WHOLE}"),
    ("training.early_stopping=true", "training.early_stopping=true: should be keys with values"),
    # ranges
    ("optimizer.learning_rate=-1", "optimizer.learning_rate=-1: should be greater than 0"),
    ("optimizer.learning_rate=nan", "optimizer.learning_rate=NaN: should be a finite number"),
    ("seed=9223372036854775808", "seed=9223372036854775808: should be less than"),
    ("training.num_epochs=0", "training.num_epochs=0: should be greater than or equal to 1"),
    ("training.checkpoint_seconds=0", "training.checkpoint_seconds=0: should be greater than 0"),
    ("data=gaussian data.classes=1", "data.classes=1: should be greater than or equal to 2"),
    ("data=moons data.samples=1", "data.name=moons: every row is of class"),
    ("tracking.register=my/model", "tracking.register=my/model: should be a name of letters, digits, hyphens"),
    # absurd sizes
    ("model.hidden_size=[1000000000]", "model.hidden_size=[1000000000]: training it takes about"),
    ("data=moons data.samples=1000000000000", "data.samples=1000000000000"),
    ("data=gaussian data.features=1000000000000", "data.samples=10: 10 rows of 1000000000000 features"),
    (f"seed={LONG}", f"seed={'x' * 77}...: {WHOLE}"),
    (f"experiment_name={LONG}", f"experiment_name={'x' * 77}...: should have at most 250 characters"),
    (f"{LONG}=1", "the config cannot be composed"),
    # keys and choices that are not there
    ("+extra=1", "extra: there is no such key"),
    ("optimizer=lion", "optimizer=lion: there is no such choice; there are adam adamw rmsprop sgd"),
    ("model=null", "model=null: there is no such choice; there are mlp"),
    ("data=[iris,wine]", "data=[iris,wine]: should be one choice"),
    # values that are missing
    ("data=npz", "data.path: is missing; it needs a value"),
    ("seed=???", "seed: is missing; it needs a value"),
    # rules between keys
    ("optimizer.nesterov=true", "optimizer.nesterov=true: needs momentum"),
    ("training.early_stopping.enabled=true data.validation_fraction=0", "training.early_stopping.enabled=true: needs a validation part"),
    ("data.validation_fraction=0.6 data.test_fraction=0.5", "data.validation_fraction=0.6 and data.test_fraction=0.5: must add up to less than 1"),
    ("data.validation_fraction=0.0001", "data.validation_fraction=0.0001"),
    ("training.batch_size=5000", "training.batch_size=5000: the training part has 1437 rows; at most that many, or null"),
    ("training.batch_size=1", "training.batch_size=1: leaves a batch of one row of the training part's 1437"),
    ("recipe_version=2 training.batch_size=4", "training.batch_size=4: leaves a batch of one row of the training part's 1437"),
    ("tracking=disabled training.resume=auto", "training.resume=auto: needs a store"),
    # syntax
    ("seed", "seed: cannot be read as key=value"),
    ("seed=1,2", "seed=1,2: is several values"),
    # interpolations
    ("seed=${oc.env:NOT_SET}", "seed: the environment variable NOT_SET is not set"),
    # signs that no name can have
    ("experiment_name=../../x", "experiment_name=../../x: should hold neither a slash nor control characters"),
    (["experiment_name='a\nb'"], "experiment_name=a\\nb: should hold neither a slash nor control characters"),
    (["experiment_name='\u202eevil'"], "experiment_name=\\u202eevil: should hold neither"),
    (["experiment_name=\x1b[31mred"], "experiment_name=\\x1b[31mred: cannot be read as key=value"),
    ([*CSV, "data.path='a\x7fb'"], "data.path=a\\x7fb: should hold neither control characters"),
    ([*CSV, "data.path=\udcff"], "data.path=\\udcff: should be a valid string"),
    # flags
    ("--nonsense", "unrecognized arguments: --nonsense"),
    ("--cfg job --package nothing", "package 'nothing' not found in config"),
    ("--config-name nonsense", "--config-name nonsense: there is no such config"),
    ("--config-dir broken experiment=broken", "the config cannot be composed: while parsing a flow"),
    ("--experimental-rerun evil.pickle", "--experimental-rerun: would load a pickle"),
    # where runs write is not theirs to choose
    ("hydra.run.dir=out", "hydra.run.dir=out: a run writes below mlruns alone"),
    # addresses
    (f"{SERVER} tracking.uri=ftp://me:secret@host", "tracking.uri: should be an address that starts with http"),
    # sweeps
    ("-m seed=-1,-2", "seed=-1: should be greater than or equal to 0 (and so on for all 2 jobs)"),
    ("-m seed=interval(0,1)", "seed=interval(0,1): only a search takes a range"),
    ("-m seed=range(0)", "seed=range(0): makes no run"),
    ("-m data=mnist,iris", "data=mnist: there is no such choice"),
    ("-m seed=1,2 sweep.metric=speed", "sweep.metric=speed: should be a metric such as kept/val/accuracy"),
    ("-m seed=1,2 hydra/launcher=rocket", "hydra/launcher=rocket: there is no such choice"),
    ("-m seed=1,2 training.resume=auto", "training.resume=auto: is for a run alone"),
    ([*SEARCH, "hydra.sweeper.n_trials=0"], "hydra.sweeper.n_trials=0: should be greater than 0"),
    ([*SEARCH, "hydra.sweeper.n_trials=x"], "hydra.sweeper.n_trials=x: Value 'x'"),
    ([*SEARCH, "hydra.sweeper.direction=up"], "hydra.sweeper.direction=up: should be minimize or maximize"),
    ([*SEARCH, "hydra.sweeper.storage=nonsense"], "hydra.sweeper.storage: cannot be opened"),
    ([*SEARCH, "seed=interval(2,1)"], "seed=interval(2,1): cannot be searched"),
]  # fmt: skip

# The same where data come from files, which `make_files` writes.
FILES = [
    ([*CSV, "data.path=no.csv"], "data.path=no.csv: there is no such file"),
    ([*CSV, "data.path=broken"], "data.path=broken: is a directory"),
    ([*CSV, f"data.path={'x' * 300}"], f"data.path={'x' * 300}: cannot be read (File name too long)"),
    ([*CSV, "data.path='~nobody-here/x.csv'"], "data.path=~nobody-here/x.csv: cannot be read"),
    ([*CSV, "data.path=empty.csv"], "data.path=empty.csv"),
    ([*CSV, "data.path=header.csv"], "data.path=header.csv"),
    ([*CSV, "data.path=binary.csv"], "data.path=binary.csv"),
    ([*CSV, "data.path=one_class.csv"], "data"),
    ([*CSV, "data.path=twice.csv"], "data.path=twice.csv"),
    ([*CSV, "data.path=long_row.csv"], "data.path=long_row.csv"),
    ([*CSV, "data.path=gap.csv", "data.missing=error"], "data.path=gap.csv: missing values in"),
    ([*CSV, "data.path=good.csv", "data.target=colour"], "data.target=colour"),
    (["data=parquet", "data.target=kind", "data.path=lists.parquet"], "data.path=lists.parquet"),
    ([*NPZ, "data.path=damaged.npz"], "data.path=damaged.npz: is no .npz file"),
    ([*NPZ, "data.path=good.npz", "data.labels=kinds"], "data.labels=kinds: there is no such array"),
    ([*NPZ, "data.path=lengths.npz"], "data.labels=labels: has 5 labels for 6 rows"),
    ([*NPZ, "data.path=text.npz"], "data.features=features: holds"),
    ([*NPZ, "data.path=objects.npz"], "data.labels=labels: holds Python objects"),
    ([*NPZ, "data.path=continuous.npz", "task=classification"], "data.labels=labels: holds continuous values such as 0.5"),
    ([*IDX, "data.images=good.csv"], "data.images=good.csv: is no IDX file"),
    ([*IDX, "data.images=short.idx"], "data.images=short.idx: its header, of the shape (6, 2, 2), promises 24 bytes"),
    ([*IDX, "data.images=damaged.gz"], "data.images=damaged.gz: is a damaged gzip file"),
    ([*IDX, "data.images=seven.idx"], "data.labels=labels.idx: has 6 labels for 7 images"),
    ([*IDX, "data.images=six.idx", "data.test_images=six.idx"], "data.test_labels: is missing"),
]  # fmt: skip

COMPARE = [
    ("metric=speed", "metric=speed: no run has it; there are"),
    ("order=up", "order=up: should be 'auto', 'ascending' or 'descending'"),
    ("status=DONE", "status=DONE: should be 'RUNNING', 'FINISHED', 'FAILED' or 'KILLED'"),
    ('where="seed=one"', "where=seed=one: should compare with a number"),
    ('where="seed"', "where=seed: should read like"),
    ("sweep=nothing", "sweep=nothing: there are no sweeps yet"),
    ("sweep=12e45678", "sweep=12e45678: there are no sweeps yet"),
    ("report=out", "report=out: is the report of a sweep"),
    ("output=runs.xlsx", "output=runs.xlsx: should end in one of"),
    ("output=no/runs.csv", "output=no/runs.csv: there is no folder no"),
    ("tracking=disabled", "tracking.name=disabled: must be one of"),
    ("-m limit=1,2", "-m: is for micrograde train"),
]  # fmt: skip


def make_files(folder):
    """Data files with one mistake each, and what they would be without."""
    rows = [f"{n % 7}.5,{n % 3},{'ab'[n % 2]}" for n in range(60)]
    good = "\n".join(["width,height,kind", *rows])
    tables = {
        "good": good,
        "empty": "",
        "header": "width,height,kind\n",
        "one_class": good.replace(",b", ",a"),
        "twice": good.replace("height", "width", 1),
        "long_row": f"{good}\n1,2,a,3,4",
        "gap": f"{good}\n,2,a",
    }
    for name, content in tables.items():
        (folder / f"{name}.csv").write_text(content)
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 20)

    lists = pd.DataFrame({"width": [[1, 2], [3]] * 10, "kind": ["a", "b"] * 10})
    lists.to_parquet(folder / "lists.parquet")

    features, labels = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    np.savez(folder / "good.npz", features=features, labels=labels)
    np.savez(folder / "lengths.npz", features=features, labels=labels[:5])
    np.savez(folder / "text.npz", features=features.astype(str), labels=labels)
    np.savez(folder / "objects.npz", features=features, labels=np.array([{}, 1, 2, 3, 4, 5], object))
    np.savez(folder / "infinite.npz", features=np.where(features == 3, np.inf, features), labels=labels)
    np.savez(folder / "continuous.npz", features=features, labels=labels / 2)
    whole = (folder / "good.npz").read_bytes()
    (folder / "damaged.npz").write_bytes(whole[: len(whole) // 2])

    def idx(*shape):
        return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(int(np.prod(shape)))

    (folder / "labels.idx").write_bytes(idx(6))
    (folder / "six.idx").write_bytes(idx(6, 2, 2))
    (folder / "seven.idx").write_bytes(idx(7, 2, 2))
    (folder / "short.idx").write_bytes(idx(6, 2, 2)[:-3])
    (folder / "damaged.gz").write_bytes(gzip.compress(idx(6, 2, 2))[:-9])

    (folder / "broken" / "experiment").mkdir(parents=True)
    (folder / "broken" / "experiment" / "broken.yaml").write_text("# @package _global_\nseed: [1\n")


@pytest.fixture(scope="module")
def user(make_user):
    """One for all: nothing that they do leaves anything."""
    user = make_user("bad-input")
    make_files(user.folder)
    return user


@pytest.fixture(scope="module")
def user_with_a_run(make_user):
    user = make_user("bad-comparisons")
    user.run("train", "data=iris", "training.num_epochs=1")
    return user


def everything(user):
    """All files with their content, the store's among them; but for what libraries cache."""
    return {path: open(path, "rb").read() for path in user.files() if "/mlruns/cache/" not in path}


def check(user, pipeline, arguments, message):
    before = everything(user)
    done = user.run(pipeline, *(arguments.split() if isinstance(arguments, str) else arguments), status=2)
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("\n")
    assert len(done.stderr) <= 1001
    assert "secret" not in done.stderr
    assert done.stdout == ""
    assert everything(user) == before


def name_of(value):
    return (" ".join(value) if isinstance(value, list) else value)[:60]


@pytest.mark.parametrize(("arguments", "message"), TRAIN, ids=name_of)
def test_of_a_run_or_a_sweep(user, arguments, message):
    check(user, "train", arguments, message)


@pytest.mark.parametrize(("arguments", "message"), FILES, ids=name_of)
def test_of_data_files(user, arguments, message):
    check(user, "train", arguments, message)


@pytest.mark.parametrize(("arguments", "message"), COMPARE, ids=name_of)
def test_of_a_comparison(user_with_a_run, arguments, message):
    check(user_with_a_run, "compare", arguments, message)


def test_several_mistakes_are_several_lines(user):
    done = user.run("train", "data=csv", "seed=-1", status=2)
    assert done.stderr.splitlines() == [
        "data.target: is missing; it needs a value",
        "data.path: is missing; it needs a value",
        "seed=-1: should be greater than or equal to 0",
    ]


def test_of_several_jobs_the_wrong_one_is_recorded_with_its_reason(make_user):
    user = make_user("one-wrong-job")
    done = user.run("train", "-m", "training.num_epochs=1", "data=iris", "model.hidden_size=4,0", status=1)
    assert done.stderr == ""
    failed = [run for run in user.runs() if run.info.status == "FAILED"]
    assert [run.data.tags["micrograde.reason"] for run in failed] == [
        "model.hidden_size=0: should be greater than or equal to 1"
    ]
