"""Each number at its extremes: it is refused in a line, or the run has an end, and a reason if it is a bad one."""

import dataclasses
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.recipes import with_keys

from micrograde import MLPClassifier
from micrograde.config.keys import SCHEMAS, keys_of
from micrograde.config.parsing import parse_train_config
from micrograde.config.recipe_versions import dataclass_members, members, names_of_choice
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError, RunFailedError
from micrograde.data import memory
from micrograde.data.kept_tables import kept_file, write_table
from micrograde.data.plain_columns import table_digest
from micrograde.data.plain_tables import parquet_rows
from micrograde.runs import building
from micrograde.runs.live_run import RunRequest
from micrograde.runs.progress import watch_runs
from micrograde.runs.train import PreparedSets, train_and_record, train_runs
from micrograde.tracking import NullRecorder

EXTREMES = [
    0,
    -0.0,
    -1,
    1,
    2,
    5e-324,
    1e-300,
    1e-154,
    1e-38,
    0.5,
    0.9999999999999999,
    1.0000000000000002,
    1e38,
    1e154,
    1e300,
    1.7976931348623157e308,
    -1e300,
    math.inf,
    -math.inf,
    math.nan,
    10**4,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    1e23,
    10**23,
    10**400,
    10**5000,
    -(10**400),
    True,
    None,
    "1_000",
    "0x10",
    "1e400",
    [],
    [10**9],
    [2, 10**9],
    [1] * 10_000,
    [0],
    [1e300],
]


def numeric_keys(schema: type, prefix: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """The dotted keys of a schema that hold numbers, each with the choice of its group that has it."""
    for field in dataclasses.fields(schema):
        kinds = dataclass_members(field.type)
        for kind in kinds:
            choice = {}
            if len(kinds) > 1:
                names = names_of_choice(kind)
                choice = {f"{prefix}{field.name}.name": "iris" if "iris" in names else names[0]}
            for key, inner in numeric_keys(kind, f"{prefix}{field.name}."):
                yield key, {**choice, **inner}
        if not kinds and is_numeric(field.type):
            yield prefix + field.name, {}


def is_numeric(annotation: object) -> bool:
    found = members(annotation)
    inner = [part for each in found for part in get_args(each) if part is not Ellipsis]
    return any(each in (int, float) for each in found) or any(map(is_numeric, inner))


KEYS = list(numeric_keys(TrainConfig))


def test_the_keys_are_found():
    names = {key for key, _ in KEYS}
    assert {"data.noise", "model.hidden_size", "optimizer.weight_decay", "schedule.warmup_epochs"} <= names
    assert {"training.num_epochs", "training.early_stopping.patience", "seed", "data.seed"} <= names
    assert names <= set(keys_of("train"))
    assert len(KEYS) > 70


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A tiny data set in each format, by ``data.name``: the keys that name it."""
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRADE_HOME", str(folder))
        yield tiny_files(folder)


def tiny_files(folder):
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(48, 3)), np.arange(48) % 2
    table = pd.DataFrame(features, columns=["a", "b", "c"]).assign(kind=labels)
    table.to_csv(folder / "t.csv", index=False)
    table.to_parquet(folder / "t.parquet")
    np.savez(folder / "t.npz", features=features, labels=labels)
    (folder / "images").write_bytes(b"\0\0\x08\2\0\0\0\x30\0\0\0\3" + bytes(range(144)))
    (folder / "labels").write_bytes(b"\0\0\x08\1\0\0\0\x30" + bytes(labels.tolist()))
    rows = parquet_rows(folder / "t.parquet", "t.parquet")
    kept = kept_file(folder / "mlruns", table_digest(rows))
    kept.parent.mkdir(parents=True)
    write_table(rows, kept)
    return {
        "frame": {"digest": kept.stem, "target": "kind"},
        "csv": {"path": str(folder / "t.csv"), "target": "kind"},
        "parquet": {"path": str(folder / "t.parquet"), "target": "kind"},
        "npz": {"path": str(folder / "t.npz")},
        "idx": {"images": str(folder / "images"), "labels": str(folder / "labels")},
    }


@pytest.fixture(autouse=True)
def small_machine(monkeypatch):
    """Of 1 GiB: what it could not hold is refused, and what it can takes no long time."""
    for module in (building, memory):
        monkeypatch.setattr(module, "physical_memory", lambda: 2**30)


def recipe(files, changes):
    """A container with changes by dotted keys; small, unless it is changed."""
    small = {
        "recipe_version": 2,
        "data": {"name": "moons"},
        "model": {"hidden_size": 3},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 2, "early_stopping": {"enabled": True}},
        "tracking": {"name": "disabled"},
    }
    container = with_keys(small, changes)
    data = container["data"]
    if "samples" in {field.name for field in dataclasses.fields(data_kind(data["name"]))}:
        data.setdefault("samples", 40)
    for key, value in files.get(data["name"], {}).items():
        data.setdefault(key, value)
    return container


def data_kind(name):
    kinds = dataclass_members(next(f.type for f in dataclasses.fields(TrainConfig) if f.name == "data"))
    return next(kind for kind in kinds if name in names_of_choice(kind))


@contextmanager
def strictly():
    """Warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def check_run(files, key, choice, value, dtype, **more):
    """A run with this value is refused in a line that names the key, or comes to an end that says how it was."""
    changes = {**choice, "training.dtype": dtype, **more, key: value}
    with strictly():
        try:
            config = parse_train_config(recipe(files, changes))
            (result,) = train_and_record([config], cancel=lambda *_: True)  # after an epoch
        except InputError as error:
            lines = str(error).split("\n")
            assert len(lines) == 1, lines
            assert re.match(r"[\w.[\]]+=", lines[0]), lines
            assert lines[0].isprintable()
            assert len(lines[0]) < 500, lines
            return None
    assert result.status in ("FINISHED", "KILLED") or result.reason, result
    return result


VALUES = st.one_of(
    st.sampled_from(EXTREMES),
    st.floats(),
    st.integers(),
    st.integers(-(10**30), 10**30),
    st.floats(0, 1),
    st.lists(st.integers(-1, 10**12), max_size=3),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(KEYS), VALUES, st.sampled_from(["float32", "float64"]))
def test_every_number_of_a_run(files, key_and_choice, value, dtype):
    key, choice = key_and_choice
    check_run(files, key, choice, value, dtype)


@pytest.mark.slow
@pytest.mark.matrix
@pytest.mark.parametrize(("key", "choice"), KEYS, ids=[f"{key} {' '.join(c.values())}" for key, c in KEYS])
def test_every_number_of_a_run_at_all_extremes(files, key, choice):
    for value in EXTREMES:
        check_run(files, key, choice, value, "float32")


class KeptFiles(NullRecorder):
    """A recorder that keeps the files of runs, and nothing else."""

    def __init__(self, folder):
        super().__init__()
        self._folder = folder

    def run_folder(self, run):
        folder = self._folder / f"run-{run}"
        folder.mkdir(exist_ok=True)
        return folder


LARGE = [1e-300, 1e38, 1e300]


@pytest.mark.slow
@pytest.mark.matrix
@pytest.mark.parametrize("value", LARGE)
@pytest.mark.parametrize(
    "key", sorted({key for key, _ in KEYS if not key.startswith(("data.s", "training"))})
)
def test_what_a_run_leaves_can_be_drawn_and_written(files, tmp_path, key, value):
    choice = next(choice for each, choice in KEYS if each == key)
    tracking = {"tracking": {"name": "local", "pictures": "all"}, "training.early_stopping.enabled": False}
    with strictly():
        try:
            config = parse_train_config(recipe(files, {**choice, **tracking, key: value}))
            prepared = PreparedSets()
            prepared.check(config)
        except InputError:
            return
        with watch_runs(["x"], [2], title="x", metric="val/accuracy", ascending=False, seeds=[0]) as watch:
            (run,) = train_runs([RunRequest(config, "x")], KeptFiles(tmp_path), prepared, watch)
    assert run.ended
    assert (tmp_path / "run-0" / "model").is_dir()
    assert not [each for each in run.warnings if "could not be drawn" in each]


NUMBERS_OF_COMMANDS = [
    (command, prefix + key)
    for command, schemas in SCHEMAS.items()
    for prefix, schema in schemas
    if schema is not TrainConfig
    for key, _ in numeric_keys(schema)
    if not key.startswith("data.")  # which are those of train
]


def test_the_numbers_of_commands():
    assert set(NUMBERS_OF_COMMANDS) == {
        ("train", "sweep.retest"),
        ("train", "sweep.retest_settings"),
        ("train", "sweep.runs_per_job"),
        ("train", "sweep.server_patience"),
        ("compare", "limit"),
        ("compare", "margin"),
        ("predict", "limit"),
        ("gc", "keep_best"),
        ("describe", "limit"),
    }  # each of which is a count, as all counts of a run are, which takes what there is, where that is less;
    # but for the margin, a difference: see tests/analysis/test_settings_compared.py, and the patience, which is
    # compared with times alone


PARAMETERS = [
    name for name, value in MLPClassifier().get_params().items() if not isinstance(value, bool | str)
]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PARAMETERS), VALUES, st.sampled_from(["float32", "float64"]), st.booleans())
def test_every_number_of_the_classifier(name, value, dtype, early_stopping):
    check_classifier(name, value, dtype, early_stopping=early_stopping)


@pytest.mark.slow
@pytest.mark.matrix
@pytest.mark.parametrize("name", PARAMETERS)
def test_every_number_of_the_classifier_at_all_extremes(name):
    for value in EXTREMES:
        check_classifier(name, value, "float32", optimizer="adam", early_stopping=True)


def check_classifier(name, value, dtype, **more):
    if name == "num_epochs" and isinstance(value, int) and value > 100:
        return  # it trains as long as it is told to; that no more than an epoch is planned is tested above
    features = np.random.default_rng(0).normal(size=(30, 2))
    parameters = {"num_epochs": 2, "random_state": 0, "dtype": dtype, **more, name: value}
    with strictly():
        warnings.filterwarnings("ignore", "MLPClassifier: the validation loss is not finite")
        try:
            fitted = MLPClassifier(**parameters).fit(features, np.arange(30) % 2)
            assert np.isfinite(fitted.predict_proba(features)).all()
            return
        except (RunFailedError, ValueError) as error:
            said = str(error)
    assert "\n" not in said
    assert name in said or re.search("diverged|overflow|[Ss]eed", said)  # of which scikit-learn says it


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-154, 1e154, 1e300, 1.7e308])
@pytest.mark.parametrize("standardize", [True, False])
def test_the_numbers_that_a_classifier_is_given(scale, standardize):
    features = np.random.default_rng(0).uniform(-1, 1, size=(30, 2)) * scale
    with strictly():
        try:
            fitted = MLPClassifier(num_epochs=2, random_state=0, standardize=standardize)
            assert np.isfinite(fitted.fit(features, np.arange(30) % 2).predict_proba(features)).all()
            return
        except (RunFailedError, InputError) as error:
            said = str(error)
    assert re.search("diverged|overflow", said)
