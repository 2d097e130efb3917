"""Runs whose data differ train in one stack, each on its own: equal to the run alone, bit for bit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.narrowing import not_none
from tests.recipes import with_keys
from tests.records import Unwatched

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.runs import live_run, train
from micrograde.runs.building import copied_bytes, data_key, replica_bytes, stack_key, stack_size
from micrograde.runs.live_run import LiveRun, RunRequest
from micrograde.runs.resuming import resumed_run
from micrograde.runs.stacks import Stack
from micrograde.runs.train import PreparedSets, open_recorder, train_and_record, train_runs
from micrograde.tracking import NullRecorder
from micrograde.training import Samples, SampleSets

RECIPE: dict[str, Any] = {
    "recipe_version": RECIPE_VERSION,
    "data": {"name": "blobs", "samples": 60, "noise": 4.0},
    "model": {"hidden_size": [4]},
    "optimizer": {"name": "adam"},
    "schedule": {"name": "constant"},
    "training": {"num_epochs": 4, "batch_size": 16},
    "tracking": {"name": "local", "pictures": "light"},
    "experiment_name": "unit",
}


def config(changes: Mapping[str, object]) -> TrainConfig:
    return parse_train_config(with_keys(RECIPE, changes))


class Files(NullRecorder):
    """Keeps the files of each run in a folder of its own, and records nothing else."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def run_folder(self, run: int) -> Path:
        folder = self._folder / str(run)
        folder.mkdir(exist_ok=True)
        return folder


def trained(configs: Sequence[TrainConfig], workers: int = 1) -> tuple[list[Any], list[int]]:
    """What came of each run, its files included, and the number of runs in each stack."""
    stacks = []

    def stack(requests, *rest):
        stacks.append(len(requests))
        return Stack(requests, *rest)

    with (
        TemporaryDirectory() as folder,
        mock.patch.object(train, "Stack", stack),
        mock.patch.object(live_run, "write_pictures"),  # which take most of the time
    ):
        requests = [RunRequest(each, "a run") for each in configs]
        runs = train_runs(requests, Files(Path(folder)), PreparedSets(), Unwatched(), workers=workers)
        return [outcome(run) for run in runs], stacks


def outcome(run: LiveRun) -> Any:
    files = {
        path.relative_to(not_none(run.folder)).as_posix(): path.read_bytes()
        for path in sorted(not_none(run.folder).rglob("*"))
        if path.is_file() and path.name != "train.log"  # which has times
    }
    assert {"model/weights.safetensors", "predictions.parquet"} <= files.keys() or run.status != "FINISHED", (
        list(files)
    )
    numbers = (
        run.history,
        run.kept,
        run.test,
        run.steps.points(),
        run.findings,
        run.kept_epoch,
        run.decision,
    )
    return run.status, run.reason, repr(numbers), files


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A table of two classes with weights, one of several labels, and one whose groups are unequal."""
    folder, random = tmp_path_factory.mktemp("tables"), np.random.default_rng(5)
    features = random.normal(size=(70, 3))
    table = pd.DataFrame(features, columns=["a", "b", "c"])
    of_each = table["a"] + random.normal(size=70)
    table.assign(
        kind=np.where(of_each > 0.3, "yes", "no"),
        counts=random.integers(1, 4, 70),
        c=random.choice(["u", "v"], 70),
    ).to_csv(folder / "weighted.csv", index=False)
    table.assign(price=10 + 3 * of_each, size=100 * of_each**2).to_csv(folder / "numbers.csv", index=False)
    table.assign(red=(of_each > 0).astype(int), ripe=(table["b"] > 0).astype(int)).to_csv(
        folder / "labels.csv", index=False
    )
    table.assign(
        kind=np.where(of_each > 0, "yes", "no"), owner=np.repeat(range(7), (21, 17, 12, 8, 6, 4, 2))
    ).to_csv(folder / "groups.csv", index=False)
    return folder


def sources(folder: Path) -> dict[str, dict[str, Any]]:
    path = {key: str(folder / f"{key}.csv") for key in ("weighted", "numbers", "labels", "groups")}
    return {
        "blobs": {},
        "moons": {"data": {"name": "moons", "samples": 50}},
        "iris": {"data": {"name": "iris", "validation_fraction": 0.3}},
        "surface": {"data": {"name": "surface", "samples": 60, "validation_fraction": 0.2}},
        "weighted": {"data": {"name": "csv", "path": path["weighted"], "target": "kind", "weight": "counts"}},
        "numbers": {"data": {"name": "csv", "path": path["numbers"], "target": ["price", "size"]}},
        "labels": {"data": {"name": "csv", "path": path["labels"], "target": ["red", "ripe"]}},
        "without": {"data": {"name": "iris", "validation_fraction": 0.0}},
    }


KINDS = ("blobs", "moons", "iris", "surface", "weighted", "numbers", "labels", "without")
OF_CLASSES = ("blobs", "moons", "iris", "weighted", "without")

programs = st.fixed_dictionaries(
    {
        "training.batch_size": st.sampled_from([None, 7, 16, 29]),
        "training.dtype": st.sampled_from(["float32", "float64"]),
        "training.log_every": st.sampled_from([None, 1, 3]),
        "training.drop_last": st.booleans(),
        "training.keep": st.sampled_from([None, "last"]),
        "model.batch_norm": st.booleans(),
        "model.hidden_size": st.sampled_from([[], [4], [5, 3]]),
        "data.standardize": st.booleans(),
    }
)
of_classes = st.fixed_dictionaries(
    {
        "training.class_weights": st.sampled_from([None, "balanced"]),
        "training.metrics": st.sampled_from([["accuracy"], ["accuracy", "macro_f1", "roc_auc"]]),
    }
)
replicas = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2),
        "data.seed": st.integers(0, 3),
        "training.label_noise": st.sampled_from([0.0, 0.0, 0.3]),
        "optimizer.learning_rate": st.sampled_from([0.001, 0.1, 1e30]),
    }
)


@settings(max_examples=20)
@given(
    st.sampled_from(KINDS),
    programs,
    of_classes,
    st.sampled_from([False, False, True]),
    st.sampled_from([None, 1]),
    st.lists(replicas, min_size=2, max_size=5),
    st.integers(1, 2),
)
def test_a_replica_with_data_of_its_own_equals_the_run_alone(
    tables, kind, program, classes, smoothed, patience, group, workers
):
    shared = {**sources(tables)[kind], **program}
    if kind in OF_CLASSES:
        shared |= classes
        shared["training.label_smoothing"] = 0.1 if smoothed else 0.0
    if patience and kind != "without":
        shared["training.early_stopping"] = {"enabled": True, "patience": patience}
    else:
        shared["training.early_stopping"] = {"enabled": False}
    configs = [config({**shared, **each}) for each in group]
    together, _ = trained(configs, workers)
    for each, found in zip(configs, together, strict=True):
        ((alone,), _) = trained([each])
        assert found == alone


@pytest.mark.parametrize("kind", KINDS)
def test_splits_of_one_size_are_one_stack_with_a_file_for_each(tables, kind):
    """The property above would hold, too, if each had a stack of its own."""
    configs = [config({**sources(tables)[kind], "data.seed": seed}) for seed in (0, 1, 2, 1)]
    together, stacks = trained(configs)
    assert stacks == [4]
    assert len({files["predictions.parquet"] for *_, files in together}) == 3
    for each, found in zip(configs, together, strict=True):
        assert found == trained([each])[0][0]


def test_groups_make_parts_of_unequal_sizes_which_are_stacks_of_their_own(tables):
    path = str(tables / "groups.csv")
    data: dict[str, Any] = {"name": "csv", "path": path, "target": "kind", "group": "owner"}
    data = {**data, "validation_fraction": 0.2, "test_fraction": 0.2}
    configs = [config({"data": data, "data.seed": seed}) for seed in range(8)]
    prepared = PreparedSets()
    sizes = Counter(
        (len(found.training), len(not_none(found.validation))) for found in map(prepared.of, configs)
    )
    assert 1 < len(sizes) < len(configs)
    together, stacks = trained(configs)
    assert sorted(stacks) == sorted(sizes.values())
    assert [status for status, *_ in together] == ["FINISHED"] * len(configs)
    for each, found in zip(configs, together, strict=True):
        assert found == trained([each])[0][0]


def test_what_data_must_have_in_common_to_be_in_one_stack():
    prepared = PreparedSets()

    def key(**keys):
        asked = config({"data": {"name": "blobs", "samples": 60, **keys}})
        return stack_key(asked), data_key(prepared.of(asked))

    plain = key()
    for same in ({"seed": 1}, {"noise": 3.0}, {"standardize": False}, {"stratify": False}):
        assert key(**same) == plain
    for other in ({"samples": 61}, {"features": 3}, {"classes": 4}, {"validation_fraction": 0.0}):
        assert key(**other) != plain


def test_a_task_of_a_plug_in_keeps_to_one_data_set(monkeypatch):
    first, second = (PreparedSets().of(config({"data.seed": seed})) for seed in (0, 1))
    assert data_key(first) == data_key(second)
    monkeypatch.setattr("micrograde.runs.building.plugin_of", lambda _: object())
    assert data_key(first) != data_key(second)


def test_memory_counts_a_copy_of_each_data_set(monkeypatch):
    asked = config({"data": {"name": "digits"}})
    data = PreparedSets().of(asked)
    copy, replica = copied_bytes(data), replica_bytes(asked, data)
    assert copy >= data.training.features.nbytes + not_none(data.validation).features.nbytes
    monkeypatch.setattr("micrograde.runs.building._MEMORY", 8 * (copy + replica))
    assert stack_size(asked, data, 64, 1, sets=64) == 8
    assert stack_size(asked, data, 64, 2, sets=64) == 4
    assert stack_size(asked, data, 64, 1, sets=2) == min(64, (6 * copy + 8 * replica) // replica)


def test_replicas_of_one_data_set_share_its_rows_and_those_that_all_have_are_not_copied():
    parts = [
        Samples(np.full((4, 2), number, "float32"), np.zeros((4, 3), "float32"), np.full(4, number))
        for number in range(2)
    ]
    assert SampleSets.of([parts[0], parts[0]]) is parts[0]
    sets = SampleSets.of([parts[1], parts[0], parts[1]])
    assert isinstance(sets, SampleSets)
    assert len(sets.every) == 8
    assert len(sets) == 4
    assert sets.labels[:, 0].tolist() == [1, 0, 1]
    assert sets.at(slice(1, 3)).features.shape == (3, 2, 2)
    assert sets.keep_replicas(np.array([1, 2])).labels[:, 0].tolist() == [0, 1]


def test_a_run_of_a_stack_that_was_stopped_goes_on_alone_as_if_it_never_had_been(home, monkeypatch):
    """Each goes on from its own checkpoint, on its own data."""
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    shared = {"training.num_epochs": 6, "training.early_stopping": {"enabled": False}}
    configs = [config({**shared, "data.seed": seed}) for seed in range(3)]
    with open_recorder(configs[0].tracking, None) as recorder:
        train_runs(
            [RunRequest(each, "stopped") for each in configs], recorder, PreparedSets(), Unwatched(),
            cancel=lambda place, epoch, metrics: epoch == 3, workers=1,  # noqa: ARG005
        )  # fmt: skip
        ids = [each.run_id for each in recorder.close()]
    for each, run_id in zip(configs, ids, strict=True):
        asked = config({**shared, "data.seed": each.data.seed, "training.resume": run_id})
        with resumed_run(asked, ()) as resumption:
            assert 3 <= not_none(resumption).epoch < 6
            (resumed,) = train_and_record([not_none(resumption).config], resumption=resumption)
        (whole,) = train_and_record(
            [config({**shared, "data.seed": each.data.seed, "tracking": {"name": "disabled"}})]
        )
        assert repr((resumed.history, resumed.kept)) == repr((whole.history, whole.kept))


def test_fifty_folds_of_wine_are_a_stack_for_each_size_and_their_table_is_read_once():
    shared = {"data": {"name": "wine", "folds": 5}, "training.num_epochs": 1}
    folds = [(repeat, fold) for repeat in range(10) for fold in range(5)]
    configs = [config({**shared, "data.repeat": repeat, "data.fold": fold}) for repeat, fold in folds]
    prepared = PreparedSets()
    data = [prepared.of(each) for each in configs]
    assert len({id(each.dataset) for each in data}) == 1
    together, stacks = trained(configs)
    assert sorted(stacks) == sorted(Counter(len(each.training) for each in data).values()) == [20, 30]
    for place in (0, 29, 49):
        assert together[place] == trained([configs[place]])[0][0]
