"""One launch at a time works on what is claimed, and one that has died does not write into it late."""

import sys
import threading

import pytest

from micrograde.tracking import Claim, ClaimedError, claim


def unasked():
    raise AssertionError("nobody is waited for")


def test_another_launch_is_refused_while_one_goes_on(tmp_path):
    path, launches = tmp_path / "claims" / "one", tmp_path / "launches"
    with claim(path, launches, unasked):
        with pytest.raises(ClaimedError, match=r"[0-9]+"), claim(path, launches, unasked):
            pass
        with claim(tmp_path / "claims" / "two", launches, unasked):
            pass
    with claim(path, launches, unasked):
        pass


def test_the_writer_of_a_launch_that_was_taken_over_may_not_write(tmp_path):
    path, launches = tmp_path / "one", tmp_path / "launches"
    with claim(path, launches, unasked) as first:
        told = Claim.from_json(first.as_json())
        with told.writing() as is_ours:
            assert is_ours
    with claim(path, launches, unasked) as second:
        with first.writing() as is_ours:
            assert not is_ours
        with second.writing() as is_ours:
            assert is_ours


def test_a_new_launch_waits_for_the_writer_of_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["micrograde.tracking.claim"], "_PATIENCE", 0.05)
    path, launches = tmp_path / "one", tmp_path / "launches"
    with claim(path, launches, unasked) as first:
        pass
    writing, done, waited = threading.Event(), threading.Event(), threading.Event()

    def write():
        with first.writing():
            writing.set()
            waited.wait(10)
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait(10)
    with claim(path, launches, waited.set):
        assert done.is_set()
    writer.join()


def test_what_a_dead_launch_of_the_same_has_left_is_removed_and_nothing_else(tmp_path):
    launches = tmp_path / "launches"
    folders = {name: launches / name for name in ("same", "other", "plain")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    with claim(tmp_path / "one", launches, unasked) as first:
        first.mark(folders["same"])
    with claim(tmp_path / "two", launches, unasked) as other:
        other.mark(folders["other"])
    with claim(tmp_path / "one", launches, unasked):
        assert {name for name, folder in folders.items() if folder.exists()} == {"other", "plain"}
