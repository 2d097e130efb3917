"""A run's model as a logged model and a registered version: each is made once, whatever breaks on the way."""

import pytest
from tests.narrowing import not_none
from tests.store.writers import opened

from micrograde.store import ModelDescription, local_store
from micrograde.store.logged_model import log_model, register_model
from micrograde.store.mlflow_local import LocalStore
from micrograde.tracking.events import Event, MetricsLogged, ModelLogged, RunEnded, RunStarted

DESCRIPTION = ModelDescription("a_module", ["a_module==1"], {"x": "double"}, {"class": "string"}, [[1.0]])
PARENT, BEST = 0, 1
EVENTS: list[Event] = [
    RunStarted(PARENT, 1, "toys", "a sweep", {}, {}),
    RunStarted(BEST, 2, "toys", "its best", {"a": "b" * 5500}, {}, parent=PARENT),
    *(
        # Of a model MLflow lists NaN as 0.0, the best of all losses: it is left out.
        MetricsLogged(
            BEST, step, step, {"val/accuracy": step / 3, "train/loss": 1.0, "val/loss": float("nan")}
        )
        for step in range(3)
    ),
    RunEnded(BEST, 9, "FINISHED", DESCRIPTION),
    ModelLogged(BEST),
]
CALLS = (
    "create_logged_model", "log_model_artifact", "log_batch", "log_outputs", "finalize_logged_model",
    "create_registered_model", "create_model_version",
)  # fmt: skip


@pytest.fixture
def location(home):
    return local_store(home)


@pytest.fixture
def folder(tmp_path):
    """A launch's, with the model of its second run."""
    folder = tmp_path / "launches" / "2026-01-01_00-00-00_a"
    (folder / "run-1" / "model").mkdir(parents=True)
    (folder / "run-1" / "model" / "weights").write_text("0.5")
    return folder


class BrokenOffError(BaseException):
    """The answer of a server that does not come."""


def client_that_breaks(location, name, *, before):
    """A client whose call of this name fails once, before it is made or after."""
    from mlflow import MlflowClient

    class Client(MlflowClient):
        broken = False

    def call(self, *arguments, **options):
        first, Client.broken = not Client.broken, True
        result = None if first and before else getattr(MlflowClient, name)(self, *arguments, **options)
        if first:
            raise BrokenOffError
        return result

    setattr(Client, name, call)
    return Client(location.tracking_uri), Client


def again_and_again(call):
    try:
        return call()
    except BrokenOffError:
        return call()


def check(client, writer):
    """One model, whole, with the run's last values, among the outputs of both."""
    (model,) = client.search_logged_models([writer.run_ids[BEST][1]])
    assert (model.status, model.name, model.source_run_id) == ("READY", "classifier", writer.run_ids[BEST][0])
    assert {metric.key: (metric.step, metric.value) for metric in model.metrics} == {
        "val/accuracy": (2, 2 / 3)
    }
    assert model.params == {"a": "b" * 5000}
    assert len(client.get_metric_history(writer.run_ids[BEST][0], "val/accuracy")) == 3
    files = {file.path for file in client.list_logged_model_artifacts(model.model_id)}
    assert files >= {"MLmodel", "weights", "input_example.json", "requirements.txt"}
    for number in (PARENT, BEST):
        outputs = client.get_run(writer.run_ids[number][0]).outputs.model_outputs
        assert [each.model_id for each in outputs] == [model.model_id]
    return model


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("broken", CALLS)
def test_a_call_that_breaks_is_made_again_and_leaves_one_of_each(location, folder, broken, before):
    client, kind = client_that_breaks(location, broken, before=before)
    kind.broken = broken == "log_batch"  # which the run itself needs, too
    writer = opened(client, location, folder, make=again_and_again)
    writer.write(EVENTS[:-1])
    kind.broken = False
    name = "toys.best-1"
    writer.write([ModelLogged(PARENT, writer.run_ids[BEST][0], name)])
    assert kind.broken
    model = check(client, writer)
    (version,) = client.search_model_versions(f"name='{name}'")
    assert (version.run_id, version.source) == (writer.run_ids[BEST][0], model.artifact_location)
    told = {run["run"]: run["registered"] for run in writer.recorded()}
    assert told == {PARENT: f"{name} version 1", BEST: None}


@pytest.mark.parametrize("broken", CALLS)
def test_a_writer_that_died_on_the_way_leaves_nothing_double(location, folder, broken):
    client, kind = client_that_breaks(location, broken, before=False)
    kind.broken = True
    writer = opened(client, location, folder)
    writer.write(EVENTS[:-1])
    logged = ModelLogged(PARENT, writer.run_ids[BEST][0], "toys")
    kind.broken = False
    with pytest.raises(BrokenOffError):
        writer.write([logged])
    for _ in range(2):
        another = opened(client, location, folder, again=True)
        another.write([*EVENTS[:-1], logged])
        check(client, another)
    assert len(client.search_model_versions("name='toys'")) == 1


def test_another_run_becomes_the_next_version(location, folder):
    from mlflow import MlflowClient

    client = MlflowClient(location.tracking_uri)
    (folder / "run-0" / "model").mkdir(parents=True)
    writer = opened(client, location, folder)
    writer.write([*EVENTS, RunEnded(PARENT, 9, "FINISHED", DESCRIPTION)])
    store = LocalStore(client, location, again_and_again)
    versions = []
    for number in (BEST, PARENT, BEST):
        run_id, _ = writer.run_ids[number]
        model_id = log_model(store, run_id, shown_with=run_id)
        versions.append(register_model(store, run_id, not_none(model_id), "toys"))
    assert versions == [1, 2, 1]
