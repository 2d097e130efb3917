"""What was deleted is removed with its files, and nothing else is."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tests.homes import copy_home
from tests.store.deletions import Deletions

from micrograde.core.locks import SharedLock
from micrograde.store import StoreLocation, local_store, removing
from micrograde.store.garbage import find_garbage
from micrograde.store.given_tables import note_use_elsewhere, table_file
from micrograde.store.removing import remove, shrink_database

DAY = 86_400.0


@pytest.fixture
def store(home: Path) -> Deletions:
    return Deletions(local_store(home))


def test_a_run_goes_with_its_models_rows_and_files_and_the_rest_is_as_it_was(store: Deletions) -> None:
    kept = store.run(metrics={"val/loss": 1.0})
    store.model(kept)
    before = store.left()
    gone = store.run(params={"seed": "1"}, metrics={"val/loss": 2.0}, tags={"a": "b"})
    model = store.model(gone)
    parent_lists = "insert into inputs values ('i', 'RUN_OUTPUT', ?, 'MODEL_OUTPUT', ?, 0)"
    store.execute(parent_lists, kept, model)
    store.client.delete_run(gone)
    removed = store.remove()
    assert (removed.runs, removed.models, removed.size.files, removed.failed) == (1, 1, 2, [])
    assert store.left() == before
    assert not store.find()
    assert store.remove().runs == 0


def test_of_a_link_only_the_link_goes(store: Deletions, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    inside, folder, above = (store.run() for _ in range(3))
    (store.files(inside) / "link").symlink_to(precious)
    for link in (store.files(folder), store.files(above).parent):
        shutil.rmtree(link)
        link.symlink_to(precious)
    for run in (inside, folder, above):
        store.client.delete_run(run)
    assert store.remove().runs == 3
    assert [path.read_text() for path in precious.iterdir()] == ["precious"]
    assert list((store.location.folder / "artifacts" / "digits").iterdir()) == []


def test_files_of_an_experiment_that_is_a_link_out_of_mlruns_stay(store: Deletions, tmp_path: Path) -> None:
    run = store.run(deleted=True)
    elsewhere = tmp_path / "elsewhere"
    experiment = store.location.folder / "artifacts" / "digits"
    experiment.rename(elsewhere)
    experiment.symlink_to(elsewhere)
    assert any("are not in a folder of their own in mlruns" in line for line in store.find().stays)
    assert store.remove().runs == 1
    assert (elsewhere / run / "artifacts" / "config.yaml").exists()


@pytest.mark.parametrize(
    "address",
    [
        "{mlruns}/artifacts", "{mlruns}", "/", "/etc", "{mlruns}/../{run}/artifacts", "{mlruns}/%2e%2e/{run}",
        "file://{mlruns}/artifacts/../../{run}", "s3://b/{run}", "file://other{mlruns}/{run}", "../{run}",
        "{run}", "", "{mlruns}/artifacts/digits/{other}/artifacts", "{mlruns}/{run}\0",
    ],
)  # fmt: skip
def test_a_folder_that_is_not_the_runs_own_stays(store: Deletions, address: str) -> None:
    run, other = store.run(), store.run()
    outside = store.location.folder.parent / run
    outside.mkdir()
    store.address(run, address.format(mlruns=store.location.folder, run=run, other=other))
    store.execute("update runs set lifecycle_stage = 'deleted' where run_uuid = ?", run)
    files = store.left()["files"]
    assert store.remove().runs == 1
    assert outside.exists()
    assert store.left()["files"] == files


def test_a_project_that_was_copied_leaves_the_files_of_the_original(store: Deletions, tmp_path: Path) -> None:
    run = store.run(deleted=True)
    copy = tmp_path / "copy"
    shutil.copytree(store.location.folder, copy / "mlruns")  # its addresses still lead to the original
    copied = Deletions(local_store(copy))
    assert copied.remove().runs == 1
    assert store.files(run).exists()
    assert not list((copy / "mlruns").rglob("config.yaml"))


def _running(store: Deletions, run: str) -> None:
    store.execute("update runs set status = 'RUNNING' where run_uuid = ?", run)


def _scheduled(store: Deletions, run: str) -> None:
    store.execute("update runs set status = 'SCHEDULED' where run_uuid = ?", run)


def _registered(store: Deletions, run: str) -> None:
    store.client.create_registered_model("kept")
    store.client.create_model_version("kept", str(store.files(run) / "model"), run)


def _registered_by_address(store: Deletions, run: str) -> None:
    store.client.create_registered_model("kept")
    store.client.create_model_version("kept", str(store.files(run) / "model"))


def _registered_model(store: Deletions, run: str) -> None:
    model = store.model(run)
    store.client.create_registered_model("kept")
    store.client.create_model_version("kept", store.client.get_logged_model(model).artifact_location)


def _nested(store: Deletions, run: str) -> None:
    store.run(tags={"mlflow.parentRunId": run})


def _nested_under_a_nested_one(store: Deletions, run: str) -> None:
    child = store.run(tags={"mlflow.parentRunId": run}, deleted=True)
    store.run(tags={"mlflow.parentRunId": child})


def _named_in_a_path(store: Deletions, run: str) -> None:
    store.run(params={"data.path": f"{store.files(run)}/predictions.parquet"})


def _model_named_in_a_path(store: Deletions, run: str) -> None:
    store.run(params={"data.path": f"models/{store.model(run)}/MLmodel"})


def _named_in_a_tag(store: Deletions, run: str) -> None:
    store.run(tags={"micrograde.forked_from": run})


def _files_in_its_folder(store: Deletions, run: str) -> None:
    store.address(store.run(), f"{store.files(run)}/inner")


def _model_in_its_folder(store: Deletions, run: str) -> None:
    location = f"{store.files(run)}/model"
    store.execute("update logged_models set artifact_location = ? where model_id = ?", location,
                  store.model(store.run()))  # fmt: skip


def _experiment_in_its_folder(store: Deletions, run: str) -> None:
    store.client.create_experiment("inner", store.files(run).as_uri())


def _launch_has_records(store: Deletions, run: str) -> None:
    store.client.set_tag(run, "micrograde.launch", "2026-01-01_b")
    (store.location.folder / "launches" / "2026-01-01_b").mkdir(parents=True)


def _earlier_launch_has_records(store: Deletions, run: str) -> None:
    store.client.set_tag(run, "micrograde.origin", "2026-01-01_a-17")
    store.client.set_tag(run, "micrograde.launch", "2026-01-01_b")
    (store.location.folder / "launches" / "2026-01-01_a").mkdir(parents=True)


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (_running, "it is RUNNING"),
        (_scheduled, "it is SCHEDULED"),
        (_registered, "registered as kept version 1"),
        (_registered_by_address, "registered as kept version 1"),
        (_registered_model, "registered as kept version 1"),
        (_nested, "is nested under it"),
        (_nested_under_a_nested_one, "is nested under it"),
        (_named_in_a_path, "names it in data.path"),
        (_model_named_in_a_path, "names it in data.path"),
        (_named_in_a_tag, "names it in micrograde.forked_from"),
        (_files_in_its_folder, "has files in its folder"),
        (_model_in_its_folder, "has files in its folder"),
        (_experiment_in_its_folder, "experiment inner has its files in its folder"),
        (_launch_has_records, "launch 2026-01-01_b has records"),
        (_earlier_launch_has_records, "launch 2026-01-01_a has records"),
    ],
)
def test_a_run_that_is_needed_stays_with_a_line(
    store: Deletions, happened: Callable[[Deletions, str], None], said: str
) -> None:
    run = store.run()
    happened(store, run)
    store.client.delete_run(run)
    found = store.find()
    assert run not in {each.key for each in found.runs}
    assert any(run in line and said in line for line in found.stays)


def test_a_run_that_a_process_resumes_stays(store: Deletions) -> None:
    run = store.run(deleted=True)
    claims = store.location.folder / "claims"
    claims.mkdir()
    with FileLock(claims / f"{run}.launch"):
        assert store.going() == set()
    assert store.going() == {run}


def test_a_note_and_the_tag_of_the_best_run_hold_nothing(store: Deletions) -> None:
    run = store.run(deleted=True)
    store.run(tags={"micrograde.note": f"better than {run}", "micrograde.best_run_id": run, "team": run})
    assert store.going() == {run}


def test_a_parent_goes_after_its_children_when_all_were_deleted(store: Deletions) -> None:
    parent = store.run(deleted=True)
    children = [store.run(tags={"mlflow.parentRunId": parent}, deleted=True) for _ in range(3)]
    assert [run.key for run in store.find().runs][-1] == parent
    assert store.remove().runs == 1 + len(children)


def test_age_is_counted_from_the_deletion(store: Deletions) -> None:
    old, young, unknown = (store.run(deleted=True) for _ in range(3))
    store.execute("update runs set start_time = 1, end_time = 2")
    store.execute("update runs set deleted_time = deleted_time - ? where run_uuid = ?", 2 * DAY * 1000, old)
    store.execute("update runs set deleted_time = null where run_uuid = ?", unknown)
    assert store.going(DAY) == {old}
    assert store.find(DAY).stays == ("2 deleted later than that, or it is not known when",)
    assert store.going(3 * DAY) == set()
    assert store.going(0) == {old, young, unknown}


def test_a_deleted_experiment_goes_with_all_that_is_in_it(store: Deletions) -> None:
    store.run("kept")
    before = store.left()
    run = store.run("gone")
    store.model(run, "gone")
    experiment = store.experiment("gone")
    folder = store.location.folder / "artifacts" / "gone"
    trace = f"tr-{'a' * 32}"
    traced = folder / "traces" / trace / "artifacts"
    traced.mkdir(parents=True)
    (traced / "traces.json").write_text("{}")
    store.execute(
        "insert into trace_info (request_id, experiment_id, timestamp_ms, status) values (?, ?, 1, 'OK')",
        trace,
        experiment,
    )
    store.execute(
        "insert into trace_tags (key, value, request_id) values ('mlflow.artifactLocation', ?, ?)",
        traced.as_uri(),
        trace,
    )
    store.client.delete_experiment(experiment)
    removed = store.remove()
    assert (removed.runs, removed.models, removed.experiments, removed.failed) == (1, 1, 1, [])
    assert store.left() == before
    assert store.client.create_experiment("gone")


def test_an_experiment_stays_with_a_run_that_was_restored(store: Deletions) -> None:
    restored, gone = store.run(), store.run()
    store.client.delete_experiment(store.experiment("digits"))
    store.client.restore_run(restored)
    assert store.find().stays == ("experiment digits: 1 run of it stays",)
    assert store.remove().runs == 1
    assert store.files(restored).exists()
    assert [row for (row,) in store.execute("select run_uuid from runs")] == [restored]
    assert gone not in store.left()["files"]


def test_the_default_experiment_stays(store: Deletions) -> None:
    store.client.delete_experiment("0")
    assert not store.find()
    assert any("Default" in line for line in store.find().stays)


def test_a_model_that_was_deleted_by_itself_goes_and_a_registered_one_stays(store: Deletions) -> None:
    run = store.run()
    gone, kept = store.model(run), store.model(run)
    store.client.create_registered_model("kept")
    store.client.create_model_version("kept", store.client.get_logged_model(kept).artifact_location)
    for model in (gone, kept):
        store.client.delete_logged_model(model)
    assert [model.key for model in store.find().models] == [gone]
    assert any("registered as kept version 1" in line for line in store.find().stays)
    assert store.remove().models == 1
    assert store.files(run).exists()
    assert store.execute("select model_id from logged_models") == [(kept,)]


# --- tables that Python gave ---------------------------------------------------------------------


def test_a_table_goes_with_the_last_run_that_names_it(store: Deletions) -> None:
    shared, own, unnamed, kept = (store.table(letter) for letter in "abcd")
    first, second = (store.run(params={"data.digest": shared}) for _ in range(2))
    store.run(params={"data.digest": own}, deleted=True)
    store.run(params={"data.digest": kept})
    store.client.delete_run(first)
    found = store.find()
    assert set(found.tables) == {own, unnamed}
    assert found.stays == (f"data {'a' * 12}: 1 run that stays uses it",)
    assert store.remove().tables == 2
    assert [table_file(store.location, each).exists() for each in (shared, own, unnamed, kept)] == [
        True, False, False, True,
    ]  # fmt: skip
    store.client.delete_run(second)
    assert store.remove().tables == 1
    assert not table_file(store.location, shared).exists()


def test_a_table_stays_while_a_process_that_has_read_it_is_at_work(store: Deletions) -> None:
    digest = store.table("a")
    lock = SharedLock(table_file(store.location, digest))
    assert "a process that has read it is at work" in store.find().stays[0]
    assert store.remove().tables == 0
    lock.release()
    assert store.remove().tables == 1


def test_a_table_stays_that_runs_in_another_store_name(store: Deletions) -> None:
    used, other = store.table("a"), store.table("b")
    server = StoreLocation("http://127.0.0.1:5000", None, store.location.folder)
    note_use_elsewhere(server, {"data.digest": used})
    note_use_elsewhere(store.location, {"data.digest": other})
    note_use_elsewhere(server, {"data.digest": "../x"})
    assert store.find().tables == (other,)
    assert "another store" in store.find().stays[0]


def test_tables_stay_while_a_launch_is_at_work(store: Deletions) -> None:
    digest = store.table("a")
    store.run(params={"data.digest": digest}, deleted=True)
    launch = store.location.folder / "launches" / "2026-01-01_a"
    launch.mkdir(parents=True)
    removed = store.remove()
    assert (removed.runs, removed.tables) == (1, 0)
    launch.rmdir()
    assert store.remove().tables == 1


# --- meanwhile -----------------------------------------------------------------------------------


def test_what_was_not_shown_stays(store: Deletions) -> None:
    shown = store.run(deleted=True)
    agreed = store.find()
    later = store.run(deleted=True)
    assert remove(store.location, agreed, store.find).runs == 1
    assert store.going() == {later}
    assert shown not in store.going()


def test_a_run_that_was_restored_meanwhile_stays(store: Deletions) -> None:
    run = store.run(deleted=True)
    agreed = store.find()
    store.client.restore_run(run)
    assert remove(store.location, agreed, lambda: agreed).runs == 0
    assert store.files(run).exists()


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


@pytest.mark.slow
def test_killed_anywhere_and_given_again_it_comes_to_the_same(
    store: Deletions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.run(params={"data.digest": store.table("b")})
    parent = store.run("gone", deleted=True)
    child = store.run("gone", {"data.digest": store.table("a")}, {"mlflow.parentRunId": parent})
    store.model(child, "gone")
    store.client.delete_run(child)
    store.client.delete_experiment(store.experiment("gone"))
    home = store.location.folder.parent

    def interrupted(calls: int) -> bool:
        """Whether a call of that number was reached, at which the command is killed."""
        left = calls

        def counted(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return function(*given, **named)

            return call

        with monkeypatch.context() as patch:
            for owner, name in STEPS:
                patch.setattr(owner, name, counted(getattr(owner, name)))
            try:
                copied.remove()
            except Killed:
                return True
        return False

    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    STEPS: list[tuple[Any, str]] = [
        (shutil, "rmtree"),
        (Path, "unlink"),
        (removing, "_remove_links"),
        *((SqlAlchemyStore, f"_hard_delete_{what}") for what in ("run", "logged_model", "experiment")),
    ]
    copied = Deletions(local_store(copy_home(home, tmp_path / "whole")))
    assert not interrupted(1000)
    expected = copied.left()
    assert len(expected["runs"]) == 1
    for calls in range(20):
        copied = Deletions(local_store(copy_home(home, tmp_path / f"killed {calls}")))
        killed = interrupted(calls)
        names = [row.replace(str(tmp_path / f"killed {calls}"), "") for row in copied.left()["runs"]]
        assert any(kept in row and "'active'" in row for row in names)
        assert all("'deleted'" in row for row in names if kept not in row)  # none is half there
        assert copied.remove().failed == []
        for what in ("tags", "params", "inputs", "files"):
            assert copied.left()[what] == expected[what], (calls, what)
        assert len(copied.left()["runs"]) == 1
        assert len(copied.left()["logged_models"]) == 0
        if not killed:
            return
    pytest.fail("it is never done")


def test_what_cannot_be_removed_is_said_and_the_rest_goes(
    store: Deletions, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, gone = store.run("both"), store.run("both", {"data.digest": store.table("a")})
    store.client.log_param(stuck, "data.digest", "a" * 64)
    store.client.delete_experiment(store.experiment("both"))
    rmtree = shutil.rmtree

    def refuse(folder: Path) -> None:
        if stuck in str(folder):
            raise PermissionError(13, "Permission denied", str(folder))
        rmtree(folder)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    removed = store.remove()
    assert (removed.runs, removed.experiments, removed.tables) == (1, 0, 0)
    assert len(removed.failed) == 2
    assert stuck in removed.failed[0]
    assert "Permission denied" in removed.failed[0]
    assert "1 run of it could not be removed" in removed.failed[1]
    assert [row for (row,) in store.execute("select run_uuid from runs")] == [stuck]
    assert gone not in str(store.left()["files"])
    monkeypatch.undo()
    assert store.remove().experiments == 1


def test_metrics_that_a_run_has_measured_of_another_ones_model_do_not_hold_it(store: Deletions) -> None:
    model = store.model(store.run())
    run = store.run()
    store.client.log_metric(run, "val/loss", 1.0, model_id=model)
    store.client.delete_run(run)
    assert store.remove().failed == []
    assert store.execute("select count(*) from logged_model_metrics") == [(0,)]


# --- the database --------------------------------------------------------------------------------


def test_the_database_shrinks_when_that_is_worthwhile(store: Deletions) -> None:
    assert shrink_database(store.location) is None
    run = store.run()
    rows = [(f"m{number}", number, run) for number in range(30_000)]
    with closing(sqlite3.connect(store.location.database)) as database, database:
        insert = (
            "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values (?, ?, 1, ?, 1, 0)"
        )
        database.executemany(insert, rows)
    store.client.delete_run(run)
    before = store.location.database.stat().st_size
    assert store.remove().runs == 1
    line = shrink_database(store.location)
    after = store.location.database.stat().st_size
    assert after < before - 2_000_000
    assert line is not None
    assert "before" in line
    assert shrink_database(store.location) is None
    assert not (store.location.folder / "temporary").exists()


def test_a_database_that_another_one_reads_is_left_as_it_is(
    store: Deletions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "_WORTHWHILE", 0)
    monkeypatch.setattr(removing, "_SHARE", 0)
    monkeypatch.setattr(removing, "_WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(store.location.database)) as reader:
        reader.execute("begin immediate")
        line = shrink_database(store.location)
    assert line is not None
    assert "could not be shrunk (database is locked)" in line


def test_there_is_no_store_yet(tmp_path: Path) -> None:
    location = local_store(tmp_path)
    assert not find_garbage(location)
    assert shrink_database(location) is None
