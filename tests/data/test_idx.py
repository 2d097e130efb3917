import gzip
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from tests.narrowing import not_none

from micrograde.core.errors import InputError
from micrograde.data import Preprocessing, load_dataset, split_dataset

CODES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}


def idx_bytes(array, dtype="u1", shape=None):
    shape = np.shape(array) if shape is None else shape
    header = bytes([0, 0, CODES[dtype], len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return header + np.asarray(array).astype(dtype).tobytes()


IMAGES = np.arange(24).reshape(4, 2, 3) * 10
LABELS = np.array([7, 3, 7, 3])


@pytest.fixture
def idx(tmp_path):
    def load(**contents):
        paths: dict[str, Any] = {}
        for key, content in contents.items():
            (tmp_path / key).write_bytes(content)
            paths[key] = str(tmp_path / key)
        return load_dataset("idx", seed=0, **paths)

    return load


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize("dtype", CODES)
def test_every_type_plain_and_gzip(idx, packed, dtype):
    images = IMAGES // 2
    dataset = idx(images=packed(idx_bytes(images, dtype)), labels=packed(idx_bytes(LABELS)))
    assert dataset.features.tolist() == images.reshape(4, 6).tolist()
    assert dataset.features.dtype == np.float64
    assert dataset.labels.tolist() == [1, 0, 1, 0]
    assert dataset.class_names == ("3", "7")
    assert dataset.feature_names[:4] == ("pixel_0_0", "pixel_0_1", "pixel_0_2", "pixel_1_0")
    assert dataset.test_rows == 0


def test_images_know_their_shape_and_keep_their_pixels_when_they_are_standardized(idx):
    dataset = idx(images=idx_bytes(IMAGES), labels=idx_bytes(LABELS))
    assert dataset.image_shape == (2, 3)
    inputs = Preprocessing.fit(dataset, dataset.features, standardize=True).transform(dataset.features)
    assert inputs.shape == (4, 6)
    rows = idx(images=idx_bytes(IMAGES.reshape(4, 6)), labels=idx_bytes(LABELS))
    assert rows.image_shape is None
    assert rows.features.tolist() == dataset.features.tolist()


def test_the_test_files_become_the_test_part(idx):
    dataset = idx(
        images=idx_bytes(IMAGES),
        labels=idx_bytes(LABELS),
        test_images=idx_bytes(IMAGES[:2] + 1),
        test_labels=idx_bytes(np.array([3, 5])),
    )
    assert dataset.test_rows == 2
    assert dataset.class_names == ("3", "5", "7")
    split = split_dataset(dataset, validation_fraction=0.5, test_fraction=0.9, stratify=False, seed=0)
    test = not_none(split.test)
    assert test.features.tolist() == (IMAGES[:2] + 1).reshape(2, 6).tolist()
    assert test.labels.tolist() == [0, 1]
    assert (len(split.train), len(not_none(split.validation))) == (2, 2)


GOOD = {"images": idx_bytes(IMAGES), "labels": idx_bytes(LABELS)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": b""}, "starts with the bytes (none)"),
        ({"images": b"\x89PNG and more"}, "is no IDX file; it starts with the bytes 89 50 4e 47"),
        ({"images": b"\0\0\x07\x03" + bytes(40)}, "is no IDX file; it starts with the bytes 00 00 07 03"),
        ({"images": b"\0\0\x08\x03" + bytes(5)}, "is cut short in its header"),
        ({"images": GOOD["images"][:-1]}, "promises 24 bytes of values; it has 23 bytes"),
        ({"images": GOOD["images"] + b"\0"}, "promises 24 bytes of values; it has more"),
        ({"images": gzip.compress(GOOD["images"])[:-12]}, "is a damaged gzip file"),
        ({"images": gzip.compress(GOOD["images"])[:10] + b"\xff" * 30}, "is a damaged gzip file"),
        ({"images": gzip.compress(GOOD["images"])[:-8] + bytes(8)}, "is a damaged gzip file"),
        ({"images": GOOD["labels"], "labels": GOOD["images"]}, "images need (N, rows, columns)"),
        ({"labels": GOOD["images"]}, "has the shape (4, 2, 3); labels need (N,)"),
        ({"labels": idx_bytes(LABELS[:3])}, "has 3 labels for 4 images"),
        ({"labels": idx_bytes([0.5] * 4, ">f4")}, "holds continuous values such as 0.5"),
        ({"labels": idx_bytes([1] * 4)}, "data.name=idx: every row is of class '1'"),
        ({"images": idx_bytes(np.empty((0, 2, 3))), "labels": idx_bytes([])}, "has the shape (0, 2, 3)"),
        ({"images": idx_bytes(IMAGES * np.nan, ">f8")}, "holds NaN or infinite values"),
        ({"test_images": GOOD["images"]}, "data.test_labels: is missing; data.test_images needs it"),
        ({"test_labels": GOOD["labels"]}, "data.test_images: is missing; data.test_labels needs it"),
        (
            {"test_images": idx_bytes(IMAGES.reshape(4, 3, 2)), "test_labels": GOOD["labels"]},
            "images of shape (3, 2), but data.images has (2, 3)",
        ),
        ({"test_images": b"x", "test_labels": GOOD["labels"]}, "test_images: is no IDX file"),
    ],
)
def test_bad_files(idx, change, words):
    with pytest.raises(InputError) as caught:
        idx(**(GOOD | change))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_header_that_promises_too_much_costs_no_memory(idx, packed):
    lying = idx_bytes(IMAGES, shape=(2**32 - 1, 2**16, 2**16))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="it has 24 bytes of values"):
            idx(images=packed(lying), labels=GOOD["labels"])
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_unpacked_no_further_than_its_header_says(idx):
    bomb = gzip.compress(GOOD["images"] + bytes(50_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="it has more"):
            idx(images=bomb, labels=GOOD["labels"])
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
