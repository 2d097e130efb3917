"""Events into a store, once and again: what has been carried before is not there twice."""

import sqlite3
from contextlib import closing

import pytest
from tests.narrowing import not_none
from tests.store.writers import opened

from micrograde.store import local_store, tags
from micrograde.tracking import DatasetInput
from micrograde.tracking.events import Event, MetricsLogged, RunAdopted, RunEnded, RunStarted, TagsSet

DATASET = DatasetInput("d", "e", "{}", "{}", "{}")
EVENTS: list[Event] = [
    RunStarted(0, 1, "toys", "first", {"a": "1"}, {"micrograde.note": "x"}, DATASET),
    RunStarted(1, 2, "toys", "second", {"a": "2"}, {}, DATASET, parent=0),
    *(
        MetricsLogged(run, step, step, {"loss": step / 3, "nan": float("nan")})
        for run in (0, 1)
        for step in range(9)
    ),
    TagsSet(1, {tags.REASON: "it had to"}),
    RunEnded(1, 9, "FAILED"),
    RunEnded(0, 10, "FINISHED"),
]


@pytest.fixture
def location(home):
    return local_store(home)


@pytest.fixture
def folder(tmp_path):
    """A launch's, with a file of its first run."""
    folder = tmp_path / "launches" / "2026-01-01_00-00-00_a"
    for run in range(2):
        (folder / f"run-{run}").mkdir(parents=True)
    (folder / "run-0" / "train.log").write_text("so far")
    return folder


@pytest.fixture
def client(location):
    from mlflow import MlflowClient

    return MlflowClient(location.tracking_uri)


def content(location):
    """Every row of the store."""
    with closing(sqlite3.connect(location.database)) as connection:
        names = [
            name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        ]
        return {name: sorted(map(repr, connection.execute(f"select * from {name}"))) for name in names}


def runs(client):
    return client.search_runs([each.experiment_id for each in client.search_experiments()])


@pytest.mark.parametrize("part", [*range(0, len(EVENTS), 4), len(EVENTS)])
def test_a_journal_carried_again_from_its_start_leaves_the_store_as_if_it_had_been_carried_once(
    location, client, folder, part
):
    broken_off = opened(client, location, folder)
    broken_off.write(EVENTS[:part])
    broken_off.flush()
    again = opened(client, location, folder, again=True)
    again.write(EVENTS)
    once = content(location)
    assert again.run_ids.items() >= broken_off.run_ids.items()
    another = opened(client, location, folder, again=True)
    another.write(EVENTS)
    assert content(location) == once
    assert [run.info.status for run in runs(client)] == ["FAILED", "FINISHED"]
    assert [len(client.get_metric_history(run.info.run_id, "loss")) for run in runs(client)] == [9, 9]
    first = again.run_ids[0][0]
    assert [file.path for file in client.list_artifacts(first)] == ["train.log"]
    assert client.get_run(again.run_ids[1][0]).data.tags[tags.PARENT] == first


def test_a_reason_that_the_journal_does_not_give_is_forgotten(location, client, folder):
    writer = opened(client, location, folder)
    writer.write(EVENTS[:2])
    writer.give_up("recording failed")
    again = opened(client, location, folder, again=True)
    again.write(EVENTS)
    second, first = runs(client)
    assert (first.info.status, tags.REASON in first.data.tags) == ("FINISHED", False)
    assert (second.info.status, second.data.tags[tags.REASON]) == ("FAILED", "it had to")


def test_a_run_that_was_taken_for_dead_while_its_journal_was_away_has_finished_without_a_reason(
    location, client, folder
):
    writer = opened(client, location, folder, again=True, late=True)
    writer.write(EVENTS[:2])
    for run_id, _ in writer.run_ids.values():  # as another program's check does
        client.set_tag(run_id, tags.REASON, "its process died without a word")
        client.set_terminated(run_id, "KILLED")
    writer.write(EVENTS[2:])
    second, first = runs(client)
    assert (first.info.status, tags.REASON in first.data.tags) == ("FINISHED", False)
    assert (second.info.status, second.data.tags[tags.REASON]) == ("FAILED", "it had to")


def test_a_run_whose_making_was_not_answered_is_there_once(location, client, folder):
    from mlflow import MlflowClient

    class LosesReplies(MlflowClient):
        """Makes a run and does not say so; the second time, the run comes up only later."""

        def __init__(self, uri):
            super().__init__(uri)
            self.lost, self.hidden = 0, set()

        def create_run(self, *arguments, **options):
            run = super().create_run(*arguments, **options)
            if run.info.run_name == "second" and not self.hidden:
                self.hidden.add(run.info.run_id)
            elif self.lost:
                return run
            self.lost += 1
            raise ConnectionError

        def search_runs(self, *arguments, **options):
            found = super().search_runs(*arguments, **options)
            for run in [run for run in found if run.info.run_id in self.hidden]:
                found.remove(run)
            return found

    def twice(call):
        try:
            return call()
        except ConnectionError:
            return call()

    losing = LosesReplies(location.tracking_uri)
    writer = opened(losing, location, folder, make=twice)
    writer.write(EVENTS[:-2])
    assert losing.lost == 2
    assert len(runs(client)) == 3
    losing.hidden = {None}  # by now the late one can be seen
    writer.write(EVENTS[-2:])
    assert {run.info.run_id for run in runs(client)} == {run_id for run_id, _ in writer.run_ids.values()}
    assert [run.info.status for run in runs(client)] == ["FAILED", "FINISHED"]


def test_a_run_that_goes_on_is_that_of_the_launch_that_took_it_up(location, client, folder):
    old = opened(client, location, folder, {tags.HOST: "there"})
    old.write([*EVENTS[:1], TagsSet(0, {tags.REASON: "killed"}), RunEnded(0, 9, "KILLED")])
    run_id = old.run_ids[0][0]
    later = folder.parent / "2026-01-02_00-00-00_b"
    new = opened(client, location, later, {tags.HOST: "here", tags.VERSION: "9"})
    new.write([RunAdopted(0, run_id)])
    run = client.get_run(run_id)
    assert run.info.status == "RUNNING"
    assert (run.data.tags[tags.HOST], run.data.tags[tags.LAUNCH]) == ("here", later.name)
    assert run.data.tags.keys() & {tags.REASON, tags.VERSION} == set()
    before = content(location)
    again = opened(client, location, folder, {tags.HOST: "there"}, again=True)
    again.write([*EVENTS[:1], MetricsLogged(0, 5, 5, {"loss": 5.0}), RunEnded(0, 9, "KILLED")])
    again.flush()
    assert content(location) == before


def test_a_run_can_be_marked_without_going_on(location, client, folder):
    old = opened(client, location, folder)
    old.write([*EVENTS[:1], TagsSet(0, {tags.REASON: "killed"}), RunEnded(0, 9, "KILLED")])
    run_id = old.run_ids[0][0]
    later = folder.parent / "2026-01-02_00-00-00_b"
    new = opened(client, location, later, {tags.HOST: "here"})
    new.write([RunAdopted(0, run_id, goes_on=False), TagsSet(0, {tags.SUPERSEDED: "true"})])
    run = client.get_run(run_id)
    assert (run.info.status, run.data.tags[tags.REASON]) == ("KILLED", "killed")
    assert run.data.tags[tags.LAUNCH] == folder.name
    assert run.data.tags[tags.SUPERSEDED] == "true"


def test_an_experiment_that_another_launch_makes_at_the_same_time_is_shared(location, tmp_path):
    from mlflow import MlflowClient

    class LateClient(MlflowClient):
        """Sees no experiment when it first looks; another launch then makes it."""

        looked = False

        def get_experiment_by_name(self, name):
            if self.looked:
                return super().get_experiment_by_name(name)
            self.looked = True
            super().create_experiment(name)
            return None

    client = LateClient(location.tracking_uri)
    writer = opened(client, location, tmp_path)
    dataset = DatasetInput("d", "e", "{}", "[" + "0" * 2_000_000 + "]", "{}")
    writer.write([RunStarted(0, 1, "toys", "r", {}, {}, dataset)])
    run_id, experiment_id = writer.run_ids[0]
    assert client.get_experiment(experiment_id).name == "toys"
    (recorded,) = not_none(client.get_run(run_id).inputs).dataset_inputs
    assert recorded.dataset.schema == "{}"  # longer than MLflow takes
