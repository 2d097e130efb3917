"""An ensemble answers with the mean of its members, and is a model like any other once it is written."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.data import Dataset, Preprocessing, load_dataset
from micrograde.models.ensemble import (
    MANIFEST,
    Ensemble,
    EnsembleFacts,
    describe_ensemble,
    read_model,
    write_ensemble,
)
from micrograde.models.trained_network import read_network, write_network
from micrograde.nn import MLP
from micrograde.serving import _load_pyfunc
from micrograde.tasks import Output

RUNS = ("ab", "cd", "ef")


def config_of(name: str) -> TrainConfig:
    """The config of a run on a data set."""
    given = {"data": {"name": name}, "model": {"hidden_size": 5}, "optimizer": {"name": "sgd"}}
    more = {"schedule": {"name": "constant"}, "training": {}, "tracking": {"name": "disabled"}}
    return parse_train_config({**given, **more})


def network(
    folder: Path,
    name: str,
    rows: slice,
    seed: int,
    threshold: float | None = None,
    output: Output = "softmax",
) -> Path:
    """The folder of a network for a data set, whose preprocessing is fitted on some of its rows."""
    config = config_of(name)
    config = replace(config, model=replace(config.model, output=output))
    dataset = load_dataset(name, seed=0)
    preprocessing = Preprocessing.fit(dataset, dataset.features[rows], standardize=True)
    sizes = dataset.features.shape[1], 5, len(dataset.class_names) if output == "softmax" else 1
    model = MLP(*sizes, generators=[np.random.default_rng(seed)], loss_epsilon=0.0)
    write_network(folder / f"{name}-{seed}", model, config, preprocessing, threshold=threshold)
    return folder / f"{name}-{seed}"


@pytest.fixture
def iris() -> Dataset:
    """The rows that members answer for."""
    return load_dataset("iris", seed=0)


def test_its_probabilities_are_the_mean_of_its_members_each_with_its_own_scales(tmp_path, iris):
    sources = [network(tmp_path, "iris", slice(30 * seed, 30 * seed + 90), seed) for seed in range(3)]
    alone = [read_network(source).probabilities(iris.features) for source in sources]
    write_ensemble(tmp_path / "model", sources, EnsembleFacts(RUNS, ("species",), True))
    for source in sources:  # what it is made of may go
        for file in source.iterdir():
            file.unlink()
    found = read_model(tmp_path / "model")
    assert isinstance(found, Ensemble)
    assert (found.facts.runs, found.facts.targets, found.facts.header) == (RUNS, ("species",), True)
    np.testing.assert_allclose(found.probabilities(iris.features), np.mean(alone, axis=0), rtol=0, atol=1e-15)
    served = _load_pyfunc(str(tmp_path / "model")).predict(iris.features)
    assert list(served) == list(describe_ensemble(found, []).outputs)
    np.testing.assert_array_equal(served.iloc[:, 1:].to_numpy(), found.probabilities(iris.features))


def labels_network(folder: Path, seed: int, threshold: tuple[float, ...] | None) -> Path:
    """The folder of a network for two labels of the rows of iris."""
    rows = load_dataset("iris", seed=0)
    labels = np.stack([rows.labels == 0, rows.labels > 0], axis=1).astype(np.int64)
    given = replace(
        rows, labels=labels, class_names=(), target_names=("small", "large"), task="multilabel", summary=None
    )
    preprocessing = Preprocessing.fit(given, given.features, standardize=True)
    model = MLP(4, 5, 2, generators=[np.random.default_rng(seed)], loss_epsilon=0.0)
    write_network(folder / f"{seed}", model, config_of("iris"), preprocessing, threshold=threshold)
    return folder / f"{seed}"


def test_of_several_labels_each_has_the_mean_of_its_thresholds_and_none_is_a_half(tmp_path, iris):
    thresholds = [(0.2, 0.6), (0.3, 0.9), None]
    sources = [labels_network(tmp_path, seed, each) for seed, each in enumerate(thresholds)]
    write_ensemble(tmp_path / "model", sources, EnsembleFacts(RUNS))
    found = read_model(tmp_path / "model")
    assert found.threshold == pytest.approx((1 / 3, 2 / 3))
    said, shares = found.predict(iris.features), found.answers(iris.features)
    np.testing.assert_array_equal(said[["small", "large"]], shares > np.array(found.threshold))


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_of_two_classes_a_member_without_a_threshold_counts_as_a_half(tmp_path, output):
    sources = [
        network(tmp_path, "moons", slice(0, 90), seed, threshold, output)
        for seed, threshold in enumerate((0.1, None))
    ]
    write_ensemble(tmp_path / "model", sources, EnsembleFacts(RUNS[:2]))
    assert read_model(tmp_path / "model").threshold == pytest.approx(0.3)


def test_networks_that_know_other_classes_or_columns_are_no_ensemble(tmp_path):
    sources = [network(tmp_path, name, slice(0, 90), 0) for name in ("iris", "wine")]
    with pytest.raises(InputError, match="an ensemble needs runs that agree, and these differ in classes"):
        write_ensemble(tmp_path / "model", sources, EnsembleFacts(RUNS[:2]))


def test_a_network_alone_is_read_as_before(tmp_path):
    source = network(tmp_path, "iris", slice(0, 90), 0)
    assert not isinstance(read_model(source), Ensemble)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"runs": []}', json.dumps({"runs": ["a"] * 1001}), '{"runs": ["a", "b", "c", "d"]}'],
)
def test_a_manifest_that_is_broken_is_one_line(tmp_path, content):
    sources = [network(tmp_path, "iris", slice(0, 90), seed) for seed in range(3)]
    write_ensemble(tmp_path / "model", sources, EnsembleFacts(RUNS))
    (tmp_path / "model" / MANIFEST).write_text(content)
    with pytest.raises(InputError, match="holds no micrograde model"):
        read_model(tmp_path / "model")
