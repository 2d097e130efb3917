"""What was deleted is removed with its files, and nothing else is."""

from pathlib import Path

import pytest
from tests.records import Records

from micrograde.store.garbage import find_garbage, table_file
from micrograde.store.removing import remove

DELETE = "update runs set lifecycle_stage = 'deleted', deleted_time = 1 where run_uuid = ?"


def test_a_run_goes_and_of_links_only_the_links(records: Records, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    folder = records.files(records.killed)
    (folder / "link").symlink_to(precious)
    records.execute(DELETE, records.killed)
    kept = sorted(records.files(records.finished).rglob("*"))
    removed = remove(records.location, find_garbage(records.location), lambda: find_garbage(records.location))
    assert (removed.runs, removed.failed) == (1, [])
    assert removed.size.files > 1
    assert not folder.parent.exists()
    assert (precious / "file").read_text() == "precious"
    assert sorted(records.files(records.finished).rglob("*")) == kept
    assert not find_garbage(records.location)


def test_what_stays_has_a_line(records: Records) -> None:
    assert not find_garbage(records.location)
    records.execute(DELETE, records.finished)
    assert [run.key for run in find_garbage(records.location).runs] == [records.finished]
    assert not find_garbage(records.location, 1e12)
    records.tag(records.killed, "mlflow.parentRunId", records.finished)
    (line,) = find_garbage(records.location).stays
    assert records.killed in line
    records.execute(DELETE, records.killed)
    assert [run.key for run in find_garbage(records.location).runs] == [records.killed, records.finished]
    records.set_status(records.killed, "RUNNING")
    found = find_garbage(records.location)
    assert not found
    assert len(found.stays) == 2


@pytest.mark.parametrize(
    "address", ["{mlruns}/artifacts", "{mlruns}", "/etc", "{mlruns}/../x/{run}", "s3://b/c"]
)
def test_a_folder_that_is_not_the_runs_own_stays(records: Records, address: str) -> None:
    uri = address.format(mlruns=records.location.folder, run=records.killed)
    records.execute("update runs set artifact_uri = ? where run_uuid = ?", uri, records.killed)
    records.execute(DELETE, records.killed)
    assert all(not run.folders for run in find_garbage(records.location).runs)


def test_a_table_goes_with_the_last_run_that_names_it(records: Records) -> None:
    digest = "a" * 64
    table = table_file(records.location, digest)
    table.parent.mkdir()
    table.touch()
    for run in (records.finished, records.killed):
        records.execute("insert into params (run_uuid, key, value) values (?, 'data.digest', ?)", run, digest)
    records.execute(DELETE, records.finished)
    assert find_garbage(records.location).tables == ()
    remove(records.location, find_garbage(records.location), lambda: find_garbage(records.location))
    assert table.exists()
    records.execute(DELETE, records.killed)
    assert find_garbage(records.location).tables == (digest,)
    remove(records.location, find_garbage(records.location), lambda: find_garbage(records.location))
    assert not table.exists()
