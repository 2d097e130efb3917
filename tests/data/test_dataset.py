import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograde.core.errors import InputError
from micrograde.data import Dataset


def make_dataset(**changes):
    fields = {
        "name": "made",
        "features": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "labels": np.array([0, 1, 0]),
        "class_names": ("a", "b"),
        "feature_names": ("x", "y"),
    }
    return Dataset(**{**fields, **changes})


@pytest.mark.parametrize(
    "change",
    [
        {"features": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]])},
        {"labels": np.array([0, 1, 1])},
        {"class_names": ("a", "c")},
        {"class_names": ("a", "b", "c")},
        {"feature_names": ("x", "z")},
        {"feature_names": ("y", "x")},
        {"test_rows": 1},
    ],
)
def test_digest_changes_with_everything_that_training_sees(change):
    assert make_dataset(**change).digest != make_dataset().digest


def test_digest_tells_shapes_of_the_same_bytes_apart():
    labels, values = np.array([0, 1]), np.arange(8.0)
    names = ("1", "2", "3", "4")
    wide = make_dataset(features=values.reshape(2, 4), labels=labels, feature_names=names)
    flat = make_dataset(features=values.reshape(4, 2), labels=np.array([0, 1, 0, 0]), feature_names=names)
    assert wide.digest != flat.digest


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e9, 1e9)))
def test_digest_does_not_depend_on_memory_layout(features):
    labels = np.array([0, 1, 1, 0])
    expected = make_dataset(features=features, labels=labels).digest
    spread = np.empty((8, 6))
    spread[::2, ::2] = features
    spread_labels = np.repeat(labels, 2)[::2]
    for same in (np.asfortranarray(features), spread[::2, ::2], features.astype(">f8")):
        assert make_dataset(features=same, labels=spread_labels).digest == expected


def test_digest_does_not_depend_on_where_the_content_came_from():
    other = make_dataset(name="other", fill_missing=True, image_shape=(1, 2))
    assert other.digest == make_dataset().digest


def test_a_dataset_cannot_be_changed_behind_its_digest():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_dataset().labels = np.array([1, 1, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.empty((0, 2)), "labels": np.empty(0, int)}, "0 rows"),
        ({"features": np.empty((3, 0))}, "0 features"),
        ({"labels": np.array([0, 1])}, "3 rows but 2 labels"),
        ({"features": np.full((3, 2), np.inf)}, "infinite"),
        ({"features": np.full((3, 2), np.nan)}, "missing values"),
        ({"labels": np.array([1, 1, 1])}, "data.name=made: every row is of class 'b'"),
    ],
)
def test_unusable_content_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        make_dataset(**change)


def test_missing_values_are_kept_when_they_will_be_filled():
    features = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 6.0]])
    assert np.isnan(make_dataset(features=features, fill_missing=True).features[0, 1])
