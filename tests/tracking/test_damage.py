"""What a loss of power, a kill or a full disk may leave of a launch's files, one at a time."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.narrowing import not_none

from micrograde.core.full_disk import reserve_space
from micrograde.store import StoreLocation, local_store, tags
from micrograde.store.event_writer import Recording
from micrograde.store.records import Selection
from micrograde.store.sql_reader import read_about
from micrograde.tracking import Claim, Launch, Recorder, WriterProcess, claim, recover
from micrograde.tracking import writer as writing
from micrograde.tracking.events import Event, LinesMissing, MetricsLogged, to_json_line
from micrograde.tracking.journal import follow
from micrograde.tracking.launches import begin_launch, dead_launches, set_aside

SMALL = ("launch.json", "launch.lock", "claim.json", "provenance.json")
FOREIGN = (b"3", b"[]", b"{}", b"null", b'"x"', b"\xff\xfe", b"\0" * 40, b"{" * 2000)


def unwritten() -> WriterProcess:
    """A writer that never writes: the launch and it were killed together."""
    return cast("WriterProcess", SimpleNamespace(assign=lambda *_, **__: None, discard=lambda: None))


def left_launch(location: StoreLocation) -> Path:
    """The folder of a launch that has died in the middle of its first run, when its second had begun."""
    with claim(location.folder / "claims" / "one", location.folder / "launches", lambda _: None) as mine:
        recorder = Recorder(location, unwritten(), mine)
    for number in range(2):
        run = recorder.start_run(experiment_name="toys", run_name=f"r{number}", params={"a": "1"}, tags={})
        (recorder.run_folder(run) / "train.log").write_text("so far")
        for step in range(1, 4):
            recorder.log_metrics(run, step, {"loss": 1 / step})
    recorder._journal.close()
    recorder._hold.release()
    folder = recorder.run_folder(0).parent
    writing._provenance(folder, not_none(Launch.read(folder)), "numpy 2", late=False)
    return folder


@pytest.fixture
def location(home: Path) -> StoreLocation:
    return local_store(home)


@pytest.fixture
def left(location: StoreLocation) -> Path:
    return left_launch(location)


def carry(folder: Path, location: StoreLocation) -> dict[str, Any]:
    """What the writer of a dead launch does, in this process."""
    gone = threading.Event()
    gone.set()
    about = not_none(Launch.read(folder))
    given = {**writing._provenance(folder, about, "numpy 2", late=True), **about.process.as_tags()}
    (folder / "journal.jsonl").touch()
    return writing.carry(folder, location, given, gone, 1.0, lambda _: None, again=True)


def stored(location: StoreLocation) -> dict[str, tuple[str, int]]:
    """The status of each run in the store, and of how many steps it has values."""
    query = (
        "select r.name, r.status, (select count(*) from metrics m where m.run_uuid = r.run_uuid) from runs r"
    )
    with closing(sqlite3.connect(location.database)) as store:
        return {name: (status, points) for name, status, points in store.execute(query)}


def read(folder: Path) -> list[Event]:
    gone = threading.Event()
    gone.set()
    return [event for events in follow(folder / "journal.jsonl", gone) for event in events]


@pytest.mark.parametrize("name", SMALL)
def test_a_small_file_cut_at_each_byte_is_taken_for_what_it_is(left: Path, name: str) -> None:
    path, whole = left / name, Launch.read(left)
    content = path.read_bytes()
    assert whole
    for damaged in (*(content[:cut] for cut in range(len(content))), bytes(len(content)), *FOREIGN):
        path.write_bytes(damaged)
        assert Launch.read(left) == whole
        assert [folder for folder, _ in dead_launches(left.parent)] == [left]
        if name == "claim.json":
            assert Claim.of(left) is None
        if name == "provenance.json":
            path.write_bytes(damaged)
            made = writing._provenance(left, whole, "numpy 2", late=True)
            assert all(isinstance(value, str) for value in made.values())
            assert writing._provenance(left, whole, "numpy 2", late=False) == made  # from now on the same


def test_a_journal_cut_at_each_byte_gives_what_was_before(left: Path) -> None:
    path, events = left / "journal.jsonl", read(left)
    content = path.read_bytes()
    ends = [at for at, byte in enumerate(content) if byte == ord("\n")]
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        assert read(left) == events[: sum(end <= cut for end in ends)]


def test_of_a_journal_with_zeros_in_it_what_can_be_read_is(left: Path) -> None:
    path, events = left / "journal.jsonl", read(left)
    content = path.read_bytes()
    begins = [0, *(at + 1 for at, byte in enumerate(content) if byte == ord("\n"))][:-1]
    for at in range(0, len(content), 7):
        for length in (1, 64, 4096):
            path.write_bytes((content[:at] + bytes(length) + content[at + length :])[: len(content)])
            found = [event for event in read(left) if not isinstance(event, LinesMissing)]
            touched = [
                event
                for event, begin, end in zip(events, begins, [*begins[1:], len(content)], strict=True)
                if begin < at + length and at < end
            ]
            assert found == [event for event in events if event not in touched or event in found]
            assert len(read(left)) > len(found)


@pytest.mark.parametrize(
    "line", [b"3", b"{}", b"\0\0\0", b"\xff\xfe", b"[1]", b'{"event": "Other"}', b"x" * 99]
)
def test_what_is_no_event_blocks_nothing(left: Path, line: bytes) -> None:
    path, events = left / "journal.jsonl", read(left)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], line + b"\n", *lines[3:]]))
    assert read(left) == [*events[:3], LinesMissing(1), *events[3:]]


def empty(content: bytes) -> bytes:
    return content[:0]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def zeros(content: bytes) -> bytes:
    return bytes(len(content))


def test_whatever_file_is_damaged_everything_else_is_recorded_and_nothing_runs_for_ever(
    location: StoreLocation,
) -> None:
    names = (*SMALL, "journal.jsonl", "writer.log", "launch.reserve", "writer.reserve")
    for name in names:
        for damage in (empty, cut, zeros):
            folder = left_launch(location)
            path = folder / name
            path.write_bytes(damage(path.read_bytes() if path.exists() else b""))
            outcome = carry(folder, location)
            assert not folder.exists()
            found = stored(location)
            assert all(status == "KILLED" for status, _ in found.values())
            if name != "journal.jsonl":
                assert found == {"r0": ("KILLED", 3), "r1": ("KILLED", 3)}
                assert outcome["lines"] == []
            else:
                assert "files of runs whose beginning" in outcome["lines"][-1]
                (kept,) = (location.folder / "incomplete").iterdir()
                assert (kept / "run-1" / "train.log").read_text() == "so far"
                shutil.rmtree(kept.parent)
            with closing(sqlite3.connect(location.database)) as store, store:
                for table in ("metrics", "latest_metrics", "params", "tags"):
                    store.execute(f"delete from {table}")
                store.execute("delete from runs")


def test_a_run_that_went_on_where_lines_are_missing_says_so(location: StoreLocation, left: Path) -> None:
    path = left / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 8
    lines[2] = bytes(len(lines[2]) - 1) + b"\n"  # a value of the first run, before the second began
    path.write_bytes(b"".join(lines))
    (said,) = carry(left, location)["lines"]
    assert said.startswith("1 line of the journal of launch ")
    assert stored(location) == {"r0": ("KILLED", 2), "r1": ("KILLED", 3)}
    query = "select r.name from tags t join runs r on r.run_uuid = t.run_uuid where t.key = ?"
    with closing(sqlite3.connect(location.database)) as store:
        assert store.execute(query, (tags.INCOMPLETE,)).fetchall() == [("r0",)]


def test_a_launch_whose_files_are_carried_twice_is_recorded_once(location: StoreLocation, left: Path) -> None:
    copy = left.with_name("copy")
    shutil.copytree(left, copy)
    (copy / "provenance.json").unlink()
    carry(left, location)
    copy.rename(left)
    carry(left, location)
    assert stored(location) == {"r0": ("KILLED", 3), "r1": ("KILLED", 3)}
    with closing(sqlite3.connect(location.database)) as store:
        assert store.execute("select count(*) from runs").fetchone() == (2,)


def test_a_launch_is_whole_or_absent(location: StoreLocation, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends_at(number: int) -> Callable[..., None]:
        calls = iter(range(100))

        def reserve(folder: Path) -> None:
            assert not (location.folder / "launches").exists() or not list(
                (location.folder / "launches").iterdir()
            )
            if next(calls) == number:
                raise OSError(28, "No space left on device")
            reserve_space(folder)

        return reserve

    monkeypatch.setattr("micrograde.tracking.launches.reserve_space", ends_at(0))
    with pytest.raises(OSError, match="No space"):
        begin_launch(location, "train.py")
    assert not (location.folder / "temporary").exists()
    half = location.folder / "temporary" / "killed"
    half.parent.mkdir()
    half.with_name("killed-before.lock").touch()  # there was no folder yet
    (half / "2026-01-01_00-00-00_x").mkdir(parents=True)
    (half / "2026-01-01_00-00-00_x" / "launch.json").write_bytes(b"")
    folder, hold = begin_launch(location, "train.py")
    assert not half.parent.exists()
    assert [*(location.folder / "launches").iterdir()] == [folder]
    assert Launch.read(folder)
    hold.release()
    recover(location)
    assert not folder.exists()


def test_a_time_before_1970_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from micrograde.core.clock import Clock

    monkeypatch.setattr("time.time_ns", lambda: -(10**18))
    clock = Clock()
    assert clock.now() == 1  # MLflow takes 0 for none, and puts the wrong time in its place
    monkeypatch.setattr("time.time_ns", lambda: 10**18)
    assert clock.now() == 1  # set forward meanwhile
    assert Clock().now() >= 10**12


def test_what_no_launch_can_be_made_of_is_moved_out_of_the_way(left: Path) -> None:
    for name in ("launch.json", "launch.lock"):
        (left / name).write_bytes(b"")
    whole = {path.name: path.read_bytes() for path in left.rglob("*") if path.is_file()}
    place = set_aside(left)
    assert not left.exists()
    left.mkdir()
    assert set_aside(left) == place.with_name(f"{left.name}_2")
    assert {path.name: path.read_bytes() for path in place.rglob("*") if path.is_file()} == whole


def test_what_was_recorded_before_1970_is_read(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: -(10**18))
    carry(left_launch(location), location)
    about = read_about(location.tracking_uri, Selection())
    assert {run.run_name for run in about} == {"r0", "r1"}
    assert {run.start_time for run in about} == {1}
    assert {run.end_time for run in about} == {1}


def test_what_was_taken_over_is_told_by_tags_and_not_by_names(tmp_path: Path) -> None:
    early, late = tmp_path / "2026-10-25_02-30-00_a", tmp_path / "2026-10-25_02-10-00_b"  # in summer time
    first, second = (Recording(folder, again=True) for folder in (early, late))
    created = {tags.ORIGIN: first.origin(0), tags.LAUNCH: early.name}
    assert not first.is_taken_over(created)
    adopted = {**created, **second.tags_of_adopted(created)}
    assert first.is_taken_over(adopted)
    assert not second.is_taken_over(adopted)
    third = Recording(tmp_path / "2026-01-01_00-00-00_c", again=True)
    assert not third.is_taken_over(adopted)  # which it has not got to yet
    again = {**adopted, **third.tags_of_adopted(adopted)}
    assert first.is_taken_over(again)
    assert second.is_taken_over(again)
    assert not third.is_taken_over(again)
    older = {tags.ORIGIN: "2026-01-01_00-00-00_o-0", tags.LAUNCH: "2026-12-01_00-00-00_z"}  # of version 0.1
    assert first.is_taken_over(older)
    assert not second.is_taken_over(created)  # nobody has gone on with it, whatever its launch is called


def test_a_line_that_lacks_only_its_end_counts(left: Path) -> None:
    path, events = left / "journal.jsonl", read(left)
    path.write_bytes(path.read_bytes() + to_json_line(MetricsLogged(0, 1, 9, {"loss": 0.0})).encode())
    assert len(read(left)) == len(events) + 1
