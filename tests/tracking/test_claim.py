"""One launch at a time works on what is claimed, and one that has died does not write into it late."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from tests.narrowing import not_none

from micrograde.tracking import Claim, ClaimedError, claim


def unasked(_):
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
    path, launches = tmp_path / "claims" / "one", tmp_path / "launches"
    with claim(path, launches, unasked) as first:
        folder = launches / "first"
        folder.mkdir(parents=True)
        assert Claim.of(folder) is None
        first.mark(folder)
        told = not_none(Claim.of(folder))
        with told.writing() as is_ours:
            assert is_ours
    shutil.rmtree(folder)
    with claim(path, launches, unasked) as second:
        with first.writing() as is_ours:
            assert not is_ours
        with second.writing() as is_ours:
            assert is_ours


@pytest.mark.parametrize("noted", ["one", "/a/home/that/is/gone/mlruns/claims/one"])
def test_a_launch_of_a_project_that_has_been_moved_since_may_write(tmp_path, noted):
    home = tmp_path / "old"
    with claim(home / "claims" / "one", home / "launches", unasked) as first:
        folder = home / "launches" / "first"
        folder.mkdir(parents=True)
        first.mark(folder)
    noting = folder / "claim.json"
    noting.write_text(json.dumps({**json.loads(noting.read_text()), "path": noted}))
    home.rename(tmp_path / "new")
    folder = tmp_path / "new" / "launches" / "first"
    with not_none(Claim.of(folder)).writing() as is_ours:
        assert is_ours
    assert not home.exists()
    sent: list[Path] = []
    with claim(tmp_path / "new" / "claims" / "one", folder.parent, unasked, sent.append):
        assert sent == [folder]


def test_a_new_launch_waits_for_the_writer_of_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr("micrograde.core.waiting.PATIENCE", 0.05)
    path, launches = tmp_path / "claims" / "one", tmp_path / "launches"
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
    with claim(path, launches, lambda _: waited.set()):
        assert done.is_set()
    writer.join()


def test_what_dead_launches_have_left_is_never_removed_unsent(tmp_path):
    launches = tmp_path / "launches"
    folders = {name: launches / name for name in ("same", "other", "plain")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    with claim(tmp_path / "claims" / "one", launches, unasked) as first:
        first.mark(folders["same"])
    with claim(tmp_path / "claims" / "two", launches, unasked) as other:
        other.mark(folders["other"])
    sent: list[Path] = []
    with claim(tmp_path / "claims" / "one", launches, unasked, sent.append):
        assert sent == [folders["same"]]
        assert {name for name, folder in folders.items() if folder.exists()} == folders.keys()


@pytest.mark.parametrize("content", [None, b"", b"{", b"\0" * 60, b"{}", b"3"])
def test_a_claim_whose_owner_a_loss_of_power_has_taken_is_nobody_elses(tmp_path, content):
    path, launches = tmp_path / "claims" / "one", tmp_path / "launches"
    with claim(path, launches, unasked) as mine:
        pass
    path.with_suffix(".owner").unlink()
    if content is not None:
        path.with_suffix(".owner").write_bytes(content)
    with mine.writing() as is_ours:
        assert is_ours


def test_what_a_dead_launch_has_left_is_sent_before_another_begins(tmp_path):
    launches, sent = tmp_path / "launches", []
    for name in ("later", "first"):
        (launches / name).mkdir(parents=True)
    with claim(tmp_path / "claims" / "one", launches, unasked) as first:
        for folder in launches.iterdir():
            first.mark(folder)

    def send(folder):
        with not_none(Claim.of(folder)).writing() as is_ours:  # as its writer does
            sent.append((folder.name, is_ours))
        shutil.rmtree(folder)

    with claim(tmp_path / "claims" / "one", launches, unasked, send):
        assert sent == [("first", True), ("later", True)]


def test_what_cannot_be_sent_now_keeps_another_from_beginning(tmp_path):
    launches = tmp_path / "launches"
    (launches / "first").mkdir(parents=True)
    with claim(tmp_path / "claims" / "one", launches, unasked) as first:
        first.mark(launches / "first")

    def send(_):
        raise ConnectionError

    with pytest.raises(ConnectionError), claim(tmp_path / "claims" / "one", launches, unasked, send):
        pass
    assert (launches / "first").exists()
