"""The journal between the process that appends and the one that follows."""

import errno
import os
import threading

import pytest
from tests.narrowing import of_type

from micrograde.tracking.events import LaunchEnded, MetricsLogged, TagsSet, to_json_line
from micrograde.tracking.journal import Journal, follow


@pytest.fixture
def ended():
    event = threading.Event()
    event.set()
    return event


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path, ended):
    journal = tmp_path / "journal.jsonl"
    whole = TagsSet(0, {"note": "ü"})
    cut = to_json_line(MetricsLogged(0, 1, 1, {"loss": 0.5}))[:-3]
    journal.write_text(f"{to_json_line(whole)}\n{cut}")
    assert list(follow(journal, ended)) == [[whole]]


def test_after_a_line_that_a_full_disk_has_cut_the_next_is_whole(tmp_path, ended, monkeypatch):
    journal, write, room = Journal(tmp_path / "journal.jsonl"), os.write, [10]

    def fills_up(file, data):
        if not room:
            return write(file, data)
        if room[0] == 0:
            room.clear()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] = 0
        return write(file, data[:10])

    monkeypatch.setattr(os, "write", fills_up)
    with pytest.raises(OSError, match="No space"):
        journal.append(MetricsLogged(0, 1, 1, {"loss": 0.5}))
    for event in (TagsSet(0, {"note": "full"}), LaunchEnded()):
        journal.append(event)
    journal.close()
    assert journal.closed
    assert list(follow(tmp_path / "journal.jsonl", ended)) == [[TagsSet(0, {"note": "full"}), LaunchEnded()]]


def test_several_threads_append_whole_lines(tmp_path, ended):
    journal = Journal(tmp_path / "journal.jsonl")

    def append(number):
        for step in range(200):
            journal.append(MetricsLogged(number, 0, step, {"loss": step / 7}))

    threads = [threading.Thread(target=append, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (events,) = follow(tmp_path / "journal.jsonl", ended)
    logged = [of_type(MetricsLogged, event) for event in events]
    assert sorted((event.run, event.step) for event in logged) == [
        (run, step) for run in range(4) for step in range(200)
    ]
