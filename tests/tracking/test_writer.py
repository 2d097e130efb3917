"""What the writer does in moments that a launch cannot bring about at will."""

import threading

import pytest

from micrograde.tracking import DatasetInput, local_store
from micrograde.tracking.events import MetricsLogged, RunStarted, TagsSet, to_json_line
from micrograde.tracking.writer import Writer, follow


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


def test_an_experiment_that_another_launch_makes_at_the_same_time_is_shared(home, tmp_path):
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

    location = local_store(home)
    client = LateClient(location.tracking_uri)
    writer = Writer(client, location, tmp_path, provenance={})
    dataset = DatasetInput("d", "e", "{}", "[" + "0" * 2_000_000 + "]", "{}")
    writer.write([RunStarted(0, 1, "toys", "r", {}, {}, dataset)])
    run_id, experiment_id = writer.run_ids[0]
    assert client.get_experiment(experiment_id).name == "toys"
    (recorded,) = client.get_run(run_id).inputs.dataset_inputs
    assert recorded.dataset.schema == "{}"  # longer than MLflow takes
