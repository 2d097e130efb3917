import io
from typing import Any

import numpy as np
import pytest

from micrograde.core.errors import InputError
from micrograde.data import DATA_SETS, load, load_dataset

FEATURES = np.arange(12.0).reshape(3, 2, 2)
LABELS = np.array([4, 9, 4])


@pytest.fixture
def npz(tmp_path):
    def given(arrays, task=None, **options):
        path = tmp_path / "arrays.npz"
        np.savez(path, **arrays)
        entry: Any = DATA_SETS["npz"]
        return load(entry(seed=0, path=str(path), **options), task=task)

    return given


def test_rows_are_flattened_and_labels_encoded(npz):
    dataset = npz({"features": FEATURES, "labels": LABELS})
    assert dataset.features.tolist() == FEATURES.reshape(3, 4).tolist()
    assert dataset.feature_names == ("feature_0_0", "feature_0_1", "feature_1_0", "feature_1_1")
    assert dataset.labels.tolist() == [0, 1, 0]
    assert dataset.class_names == ("4", "9")


def test_arrays_are_found_by_the_names_in_the_config(npz):
    dataset = npz({"X": np.array([1, 2], np.uint8), "y": np.array(["u", "v"])}, features="X", labels="y")
    assert dataset.features.tolist() == [[1.0], [2.0]]
    assert dataset.features.dtype == np.float64
    assert dataset.feature_names == ("feature_0",)
    assert dataset.class_names == ("u", "v")


HOLES = {"features": np.array([[1, np.nan], [3, 4], [5, 6], [7, 8]]), "labels": np.array([0, 1, 0, 1])}


def test_missing_rules(npz):
    dropped = npz(HOLES, missing="drop")
    assert dropped.features.tolist() == [[3, 4], [5, 6], [7, 8]]
    assert dropped.labels.tolist() == [1, 0, 1]
    kept = npz(HOLES, missing="mean")
    assert kept.fill_missing
    assert np.array_equal(kept.features, HOLES["features"], equal_nan=True)


def test_rows_without_a_label_are_dropped(npz):
    arrays = {"features": np.eye(3), "labels": np.array([1.0, np.nan, 2.0])}
    assert npz(arrays, missing="drop").features.tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("arrays", "options", "words"),
    [
        ({"features": FEATURES}, {}, "data.labels=labels: there is no such array; the arrays are 'features'"),
        ({"features": FEATURES, "labels": LABELS[:2]}, {}, "data.labels=labels: has 2 labels for 3 rows"),
        ({"features": FEATURES, "labels": np.eye(3)[None]}, {}, "has the shape (1, 3, 3); needs (3,), one a row"),
        ({"features": FEATURES, "labels": np.eye(3)}, {"task": "classification"}, "has 3 columns; one holds"),
        ({"features": np.float64(3), "labels": LABELS}, {}, "data.features=features: has the shape ()"),
        ({"features": np.empty((0, 2)), "labels": np.empty(0, int)}, {}, "has the shape (0, 2)"),
        ({"features": np.array(["a", "b", "c"]), "labels": LABELS}, {}, "holds <U1 values; needs numbers"),
        ({"features": FEATURES * 1j, "labels": LABELS}, {}, "holds complex128 values; needs numbers"),
        ({"features": np.array([1, "a", None]), "labels": LABELS}, {}, "would need allow_pickle"),
        ({"features": np.full((3, 2), np.nan), "labels": LABELS}, {}, "missing values"),
        ({"features": FEATURES + np.inf, "labels": LABELS}, {"missing": "drop"}, "holds 12 infinite values"),
        ({"features": FEATURES, "labels": LABELS + 0.5}, {"task": "classification"}, "holds continuous values"),
        ({"features": FEATURES, "labels": np.array(["a", "b", "c"])}, {"task": "regression"}, "needs numbers"),
        ({"features": FEATURES, "labels": np.full(3, 0.5)}, {}, "every row has the target '0.5'"),
        ({"features": FEATURES, "labels": LABELS * 0}, {}, "data.name=npz: every row is of class '0'"),
        (HOLES, {}, "missing values in 'feature_1' (1); set data.missing=drop or data.missing=mean"),
        (HOLES | {"labels": np.full(4, np.nan)}, {"missing": "mean"}, "missing values in 'labels' (4)"),
        (HOLES | {"labels": np.full(4, np.nan)}, {"missing": "drop"}, "no row is left"),
    ],
)  # fmt: skip
def test_bad_arrays(npz, arrays, options, words):
    with pytest.raises(InputError) as caught:
        npz(arrays, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def archive_bytes():
    buffer = io.BytesIO()
    np.savez(buffer, features=FEATURES, labels=LABELS)
    return buffer.getvalue()


def single_array_bytes():
    buffer = io.BytesIO()
    np.save(buffer, FEATURES)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no .npz file"),
        (b"not an archive", "is no .npz file"),
        (archive_bytes()[:-30], "is no .npz file"),
        (archive_bytes().replace(FEATURES.tobytes(), bytes(96)), "data.features=features: cannot be read"),
        (single_array_bytes(), "holds a single array"),
    ],
)
def test_bad_files(tmp_path, content, words):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_dataset("npz", seed=0, path=str(path))
    assert words in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"data.path=/no/where.npz: there is no such file"):
        load_dataset("npz", seed=0, path="/no/where.npz")
