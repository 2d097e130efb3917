import re
import subprocess
import sys

import numpy as np
import pytest
import sklearn.datasets

from micrograde.data import load_dataset


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer"])
def test_content_is_scikit_learns_bit_for_bit(name):
    dataset = load_dataset(name, seed=0)
    bunch = getattr(sklearn.datasets, f"load_{name}")()
    assert np.array_equal(dataset.features, bunch.data)
    assert np.array_equal(dataset.labels, bunch.target)
    assert dataset.features.dtype == np.float64
    assert dataset.labels.dtype == np.int64
    assert dataset.feature_names == tuple(bunch.feature_names)
    assert dataset.class_names == tuple(str(name) for name in bunch.target_names)
    assert dataset.image_shape == (bunch.images.shape[1:] if "images" in bunch else None)


def test_diabetes_is_told_in_its_own_units():
    dataset = load_dataset("diabetes", seed=0)
    bunch = sklearn.datasets.load_diabetes(scaled=False)
    assert np.array_equal(dataset.features, bunch.data)
    assert np.array_equal(dataset.labels[:, 0], bunch.target)
    assert len(dataset.feature_names) == 10
    assert dataset.feature_names[:4] == tuple(bunch.feature_names[:4])
    # The others are those that the description of s1 to s6 names.
    for own, theirs in zip(dataset.feature_names[4:], bunch.feature_names[4:], strict=True):
        assert re.search(rf"- {theirs} +{own}, ", bunch.DESCR)
    assert dataset.target_names == ("progression",)


def test_loading_digits_imports_no_slow_library():
    program = (
        "import sys; from micrograde.data import load_dataset; load_dataset('digits', seed=0); "
        "print(*({'sklearn', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
