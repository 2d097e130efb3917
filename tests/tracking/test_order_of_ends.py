"""What a server is told of ends: only what the journal, carried again after a loss of power, still says."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tests.narrowing import not_none

from micrograde.store import StoreLocation, local_store
from micrograde.store.calls import at_once
from micrograde.store.event_writer import Recording
from micrograde.store.events import AnswerAwaited, Event, MetricsLogged, RunAdopted, RunEnded, RunStarted
from micrograde.store.mlflow_server import ServerStore
from micrograde.store.mlflow_writer import MlflowWriter
from micrograde.tracking import Launch
from micrograde.tracking import writer as writing
from micrograde.tracking.events import to_json_line
from micrograde.tracking.launches import begin_launch


class AnyAddressStore(ServerStore):
    """A server's way of writing, on a store here."""

    def check_experiment(self, name: str, address: str) -> None: ...

    def check_run(self, run: Any) -> None: ...


def of_run(run: int) -> list[Event]:
    return [
        RunStarted(run, 1, "toys", f"r{run}", {}, {}),
        MetricsLogged(run, 2, 1, {"loss": 0.5}),
        RunEnded(run, 3, "FINISHED"),
        AnswerAwaited(),
    ]


def append(journal: Path, events: list[Event]) -> None:
    """As the training process does, without putting it on the disk."""
    with journal.open("ab") as lines:
        lines.write("".join(f"{to_json_line(event)}\n" for event in events).encode())


@pytest.fixture
def location(home: Path) -> StoreLocation:
    return local_store(home)


def begun(location: StoreLocation) -> Path:
    folder, hold = begin_launch(location, "train.py")
    hold.release()
    return folder


def carry(
    folder: Path,
    location: StoreLocation,
    client: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    *,
    again: bool,
    gone: threading.Event | None = None,
) -> None:
    """What the writer process does, for a launch that has died unless there is ``gone``."""
    if gone is None:
        gone = threading.Event()
        gone.set()

    def open_writer(location: StoreLocation, recording: Recording) -> MlflowWriter:
        return MlflowWriter(AnyAddressStore(client, location, at_once), recording)

    backend = type("Served", (), {"open_writer": staticmethod(open_writer), "may_pass": lambda _: False})
    monkeypatch.setattr(writing, "backend_of", lambda _: backend)
    given = not_none(Launch.read(folder)).process.as_tags()
    writing.carry(folder, location, given, gone, 1.0, lambda _: None, again=again)


def test_no_end_is_sent_that_is_not_on_the_disk(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begun(location)
    journal = folder / "journal.jsonl"
    on_disk = 0
    sent: list[str] = []
    gone = threading.Event()
    fsync = os.fsync

    def synchronised(file: int) -> None:
        nonlocal on_disk
        fsync(file)
        if os.path.samestat(os.fstat(file), journal.stat()):
            on_disk = journal.stat().st_size

    class Watched(MlflowClient):
        def set_terminated(self, run_id: str, *arguments: Any, **options: Any) -> None:
            safe = journal.read_bytes()[:on_disk].decode()
            super().set_terminated(run_id, *arguments, **options)
            name = not_none(self.get_run(run_id).info.run_name)
            assert to_json_line(RunEnded(int(name[1:]), 3, "FINISHED")) in safe
            sent.append(name)
            if len(sent) < 3:
                append(journal, of_run(len(sent)))
            else:
                gone.set()

    monkeypatch.setattr(os, "fsync", synchronised)
    append(journal, of_run(0))
    carry(folder, location, Watched(location.tracking_uri), monkeypatch, again=False, gone=gone)
    assert sent == ["r0", "r1", "r2"]
    assert not folder.exists()


@pytest.mark.parametrize("goes_on", [False, True], ids=["its own run", "a run that it went on with"])
def test_what_has_finished_stays_so_where_the_journal_has_lost_its_end(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    client = MlflowClient(location.tracking_uri)
    if goes_on:
        earlier = begun(location)
        append(earlier / "journal.jsonl", of_run(0))
        carry(earlier, location, client, monkeypatch, again=False)
        (before,) = client.search_runs([each.experiment_id for each in client.search_experiments()])
        events: list[Event] = [RunAdopted(0, before.info.run_id, goes_on=True), *of_run(0)[1:]]
    else:
        events = of_run(0)
    folder = begun(location)
    append(folder / "journal.jsonl", events)
    kept = folder.with_name(f"{folder.name}-kept")
    monkeypatch.setattr(writing, "remove_launch", lambda folder: folder.rename(kept))
    carry(folder, location, client, monkeypatch, again=False)

    def status() -> list[tuple[str, bool]]:
        found = client.search_runs([each.experiment_id for each in client.search_experiments()])
        return [(run.info.status, "micrograde.reason" in run.data.tags) for run in found]

    assert status() == [("FINISHED", False)]
    kept.rename(folder)
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    carry(folder, location, client, monkeypatch, again=True)
    assert status() == [("FINISHED", False)]


def test_a_run_that_goes_on_and_dies_is_killed_though_it_had_finished_before(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(location.tracking_uri)
    earlier = begun(location)
    append(earlier / "journal.jsonl", of_run(0))
    carry(earlier, location, client, monkeypatch, again=False)
    (before,) = client.search_runs([each.experiment_id for each in client.search_experiments()])
    folder = begun(location)
    folder = folder.rename(folder.with_name("2001-01-01_00-00-00_x"))  # by a clock that was set back
    append(folder / "journal.jsonl", [RunAdopted(0, before.info.run_id, goes_on=True)])
    carry(folder, location, client, monkeypatch, again=True)
    assert client.get_run(before.info.run_id).info.status == "KILLED"
