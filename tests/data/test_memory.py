import tracemalloc
from typing import Any

import pytest

from micrograde.core.errors import InputError
from micrograde.data import load_dataset, memory


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr(memory, "physical_memory", lambda: 2**23)


@pytest.mark.usefixtures("small_machine")
def test_what_is_within_an_eighth_is_allowed_and_no_more():
    memory.check_size("here", rows=2**16, features=1)
    memory.check_size("here", rows=2**15, features=1, classes=2)
    with pytest.raises(InputError) as caught:
        memory.check_size("here", rows=2**17, features=1)
    assert str(caught.value) == (
        "here: 131072 rows of 1 features would take 1 MiB; a data set may take 1 MiB, "
        "an eighth of this machine's memory; use fewer rows or columns"
    )
    with pytest.raises(InputError):
        memory.check_size("here", rows=2**16, features=1, classes=1)


@pytest.mark.usefixtures("small_machine")
def test_names_count_too():
    with pytest.raises(InputError):
        memory.check_size("here", rows=1, features=2**13)


def test_this_machine_has_memory():
    assert memory.physical_memory() > 2**28


def test_numbers_that_nobody_would_read_are_not_written_out():
    with pytest.raises(InputError) as caught:
        memory.check_size("here", rows=10**5000, features=10**5000)
    assert len(str(caught.value)) < 300


ENDLESS = 10**12
OPTIONS: dict[str, Any] = {
    "gaussian": {"samples": ENDLESS, "features": 3, "classes": 2},
    "blobs": {"samples": ENDLESS, "features": 2, "classes": 3, "noise": 1.0},
    "moons": {"samples": ENDLESS, "noise": 0.1},
    "circles": {"samples": ENDLESS, "noise": 0.1, "factor": 0.5},
    "spirals": {"samples": ENDLESS, "classes": 3, "noise": 0.1, "turns": 1.0},
    "xor": {"samples": ENDLESS, "noise": 0.1},
    "sine": {"samples": ENDLESS},
    "surface": {"samples": ENDLESS},
    "friedman1": {"samples": ENDLESS, "features": 5},
    "friedman2": {"samples": ENDLESS},
    "friedman3": {"samples": ENDLESS},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("samples", [ENDLESS, 10**400], ids=["many", "very many"])
def test_endless_samples_are_refused_before_anything_is_made(name, samples):
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"^data.samples=1000.*would take.*may take") as caught:
            load_dataset(name, seed=0, **{**OPTIONS[name], "samples": samples})
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


SIZES = [(name, key) for name in OPTIONS for key in ("features", "classes") if key in OPTIONS[name]]


@pytest.mark.parametrize(("name", "key"), SIZES)
def test_endless_features_and_classes_too(name, key):
    with pytest.raises(InputError, match="would take"):
        load_dataset(name, seed=0, **{**OPTIONS[name], "samples": 10, key: ENDLESS})


@pytest.mark.usefixtures("small_machine")
def test_the_centres_of_blobs_count():
    options: dict[str, Any] = {"samples": 2, "features": 500, "classes": 4000, "noise": 1.0}
    with pytest.raises(InputError, match=r"^data.classes=4000: 4000 rows of 500 features"):
        load_dataset("blobs", seed=0, **options)
