"""How large mlruns is, and what takes it."""

import os
from pathlib import Path

import pytest

from micrograde.core.file_sizes import Size, in_bytes, size_of
from micrograde.store.sizes import large_store, measure


@pytest.fixture
def mlruns(tmp_path: Path) -> Path:
    """A database of 100 kB, 50 runs of 20 kB each in two files, and a link to something large outside."""
    folder = tmp_path / "mlruns"
    for number in range(50):
        run = folder / "artifacts" / "digits" / f"{number:032}" / "artifacts"
        run.mkdir(parents=True)
        for name in "ab":
            (run / name).write_bytes(bytes(10_000))
    (folder / "mlflow.db").write_bytes(bytes(90_000))
    (folder / "mlflow.db-wal").write_bytes(bytes(10_000))
    (tmp_path / "large").write_bytes(bytes(10_000_000))
    (run / "link").symlink_to(tmp_path / "large")
    (folder / "artifacts" / "link").symlink_to(tmp_path)
    return folder


def test_links_are_not_followed_and_what_takes_most_comes_first(mlruns: Path) -> None:
    measured = measure(mlruns)
    assert measured.parts == {"files of runs": 1_000_000, "database": 100_000}
    assert str(measured) == "1.1 MB: files of runs 1.0 MB, database 100.0 kB"
    (mlruns / "claims").mkdir()
    (mlruns / "claims" / "x").write_bytes(bytes(63))
    assert "claims" not in str(measure(mlruns))


def test_without_the_time_for_all_runs_it_is_estimated_from_some(
    mlruns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micrograde.store.sizes._LEAST_SECONDS", 0)
    measured = measure(mlruns, 0)
    assert measured.estimated
    assert measured.parts["files of runs"] % len(os.listdir(mlruns / "artifacts" / "digits")) == 0
    assert str(measured).startswith("about ")
    assert not measure(mlruns, 60).estimated


def test_a_store_is_large_from_a_gigabyte(mlruns: Path) -> None:
    assert large_store(mlruns) is None
    with (mlruns / "mlflow.db").open("ab") as file:
        file.truncate(10**9)  # a hole, which takes no room
    measured = large_store(mlruns)
    assert measured is not None
    assert (
        str(measured).removeprefix("about ").startswith("1.0 GB: database 1.0 GB")
    )  # a busy machine estimates


def test_what_is_not_there_has_no_size(tmp_path: Path) -> None:
    assert size_of(tmp_path / "nothing") == Size(0, 0)
    assert str(measure(tmp_path / "nothing")) == "0 bytes"
    assert large_store(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (999_949, "999.9 kB"),
     (999_950, "1.0 MB"), (1_500_000_000, "1.5 GB"), (10**15, "1000.0 TB")],
)  # fmt: skip
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_bytes(size) == words
